//! The words of a script's commands, before they are quoted.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Result, bail};

use super::Order;
use crate::cli::{RenderingArgs, ScriptArgs, SourceArgs};
use crate::text::{shown, shown_path};

/// The flags that are the same for every cluster.
///
/// # Errors
/// Where a path can't stand in a script.
pub fn render_flags(sources: &SourceArgs, rendering: &RenderingArgs) -> Result<Vec<String>> {
    let SourceArgs {
        values: _,   // each cluster's own
        clusters: _, // likewise
        context: _,  // known for each cluster
        defaults,
        kubeconfig,
    } = sources;
    let RenderingArgs { templates, strict } = rendering;
    let mut flags = Vec::new();
    for (flag, file) in [
        ("--defaults", defaults.as_deref()),
        ("--kubeconfig", kubeconfig.as_deref()),
        ("--templates", templates.as_deref().map(Path::as_os_str)),
    ] {
        if let Some(file) = file {
            flags.push(format!("{flag}={}", path(file)?));
        }
    }
    if *strict {
        flags.push("--strict".to_owned());
    }
    Ok(flags)
}

/// The arguments that make the script again, with the context that is the current one, where it is used.
///
/// # Errors
/// Likewise.
pub fn arguments(order: &Order, current: Option<&str>) -> Result<Vec<String>> {
    let Order {
        procedure,
        compute_is_gone,
        args:
            ScriptArgs {
                sources,
                rendering,
                control_plane_context,
                control_plane_kubeconfig,
            },
    } = order;
    let mut words = ["runbook", procedure.as_str(), "-f"]
        .map(str::to_owned)
        .to_vec();
    for file in &sources.values {
        words.push(path(file)?);
    }
    words.extend(render_flags(sources, rendering)?);
    for cluster in &sources.clusters {
        words.push(format!("--cluster={cluster}"));
    }
    if let Some(context) = sources.context.as_deref().or(current) {
        words.push(format!("--context={context}"));
    }
    words.push(format!("--control-plane-context={control_plane_context}"));
    if let Some(file) = control_plane_kubeconfig {
        words.push(format!("--control-plane-kubeconfig={}", path(file)?));
    }
    if *compute_is_gone {
        words.push("--compute-is-gone".to_owned());
    }
    Ok(words)
}

/// A path as text that no program takes for a flag or for standard input.
///
/// # Errors
/// Where it is no text.
pub fn path(path: impl AsRef<OsStr>) -> Result<String> {
    let path = path.as_ref();
    let Some(text) = path.to_str() else {
        bail!(
            "failed to write the path {} into a script: it is not UTF-8 text",
            shown_path(Path::new(path))
        );
    };
    Ok(match text.starts_with('-') {
        true => format!("./{text}"),
        false => text.to_owned(),
    })
}

/// A context's name that kubectl takes for nothing else.
///
/// # Errors
/// Where there is no such name.
pub fn context(name: String) -> Result<String> {
    if name.is_empty() {
        bail!("the name of a context is empty, which kubectl takes for the current one");
    }
    if name.contains('\0') {
        bail!(
            "the context {} has a character that no script can hold",
            shown(&name)
        );
    }
    Ok(name)
}

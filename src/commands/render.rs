//! `render`: writes manifests to standard output or into a directory.

use std::path::Path;

use rayon::prelude::*;

use super::{Outcome, clusters};
use crate::cli::{DirectoryArgs, InputArgs, RenderArgs, SideArg};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::output::{self, directory};
use crate::registration::{Registration, Resolution};
use crate::render::{Engine, Manifests, Side, Templates};
use crate::show::count;
use crate::sources::Needs;

/// Returns the manifests as a stream, or writes them into a directory. Fails with all diagnostics, if any is an
/// error; then nothing was written.
pub fn run(args: &RenderArgs) -> Result<Outcome, Diagnostics> {
    let Some(dir) = &args.output_dir else {
        let side = args.directory.side.ok_or_else(|| {
            Diagnostic::error("choose a side").help("`--side compute` or `--side control-plane` for a stream, `-o DIR` for both as files")
        })?;
        let (clusters, diagnostics) = manifests(&args.inputs, &sides(Some(side)))?;
        let stdout = output::stream(&clusters);
        return Ok(Outcome { stdout, diagnostics, ..Outcome::default() });
    };
    let options = options(&args.inputs, &args.directory, dir, true);
    let (clusters, mut diagnostics) = manifests(&args.inputs, &options.sides)?;
    if !args.directory.plaintext_secrets {
        diagnostics.or_fail(directory::refuse_secrets(&clusters))?;
    }
    let plan = diagnostics.or_fail(directory::compare(&options, clusters))?;
    diagnostics.or_fail(plan.write())?;
    let removed = plan.files.changes.iter().filter(|change| change.after.is_none()).count();
    let written = count(plan.files.changes.len() - removed, "file");
    let unchanged = plan.files.unchanged;
    let summary = format!("{written} written, {unchanged} unchanged, {removed} removed");
    let summary = (!args.directory.quiet).then_some(summary);
    diagnostics.0.extend(plan.notes);
    Ok(Outcome { diagnostics, summary, ..Outcome::default() })
}

/// Converts the arguments of `render` and `diff`.
pub fn options(
    inputs: &InputArgs,
    args: &DirectoryArgs,
    dir: &Path,
    is_written: bool,
) -> directory::Options {
    // A file or `--cluster` shows only a part of the fleet, so it can't show that a cluster is gone.
    let are_folders = inputs.sources.values.iter().all(|path| path.is_dir());
    directory::Options {
        root: dir.to_owned(),
        sides: sides(args.side),
        prune: args.prune,
        kustomization: args.kustomization,
        has_all_clusters: are_folders && inputs.sources.clusters.is_empty(),
        is_written,
    }
}

fn sides(side: Option<SideArg>) -> Vec<Side> {
    match side {
        Some(SideArg::Compute) => vec![Side::Compute],
        Some(SideArg::ControlPlane) => vec![Side::ControlPlane],
        Some(SideArg::Both) | None => vec![Side::Compute, Side::ControlPlane],
    }
}

/// Reads, resolves and renders all clusters. Also returns the warnings. Fails with all diagnostics, if any is an error.
pub fn manifests(
    inputs: &InputArgs,
    sides: &[Side],
) -> Result<(Vec<Manifests>, Diagnostics), Diagnostics> {
    let has_control_plane = sides.contains(&Side::ControlPlane);
    let needs = Needs {
        kubeconfig: true,
        compute_secrets: sides.contains(&Side::Compute),
        token: has_control_plane,
        requires_token: has_control_plane,
    };
    let (resolutions, mut diagnostics) =
        clusters::read_or_fail(&inputs.sources, inputs.token_file.as_ref(), needs)?;
    let templates = diagnostics.or_fail(Templates::read(inputs.sources.templates.as_deref()))?;
    let engine = diagnostics.or_fail(Engine::new(&templates))?;
    let registrations = resolutions.into_iter().map(Resolution::registration);
    let Some(registrations) = registrations.collect::<Option<Vec<Registration>>>() else {
        return Err(diagnostics);
    };
    let rendered: Vec<_> = registrations
        .par_iter()
        .map(|registration| {
            let rendered = engine.render(registration, sides);
            rendered.map_err(|error| Diagnostic::from(error).of_cluster(&registration.outline.name))
        })
        .collect();
    let clusters = diagnostics.keep(rendered);
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok((clusters, diagnostics)) }
}

//! `render`: manifests, to standard output or into a directory.

use std::path::Path;

use rayon::prelude::*;

use super::clusters::{self, Needs, TokenNeed};
use super::{Outcome, failure};
use crate::cli::{DirectoryArgs, InputArgs, RenderArgs, SideArg};
use crate::diagnostic::Diagnostic;
use crate::output::{self, directory};
use crate::registration::{Registration, Resolution};
use crate::render::{Manifest, Renderer, Side, Templates};
use crate::show::count;

/// Returns the manifests as a stream, or writes them into a directory.
///
/// # Errors
/// Everything that is wrong; then nothing was written.
pub fn run(args: &RenderArgs) -> Result<Outcome, Vec<Diagnostic>> {
    let Some(dir) = &args.output_dir else {
        let side = args.directory.side.ok_or_else(|| {
            let error = Diagnostic::error("choose a side");
            vec![error.help("`--side compute` or `--side control-plane` for a stream, `-o DIR` for both as files")]
        })?;
        let (manifests, diagnostics) = manifests(&args.inputs, &sides(Some(side)))?;
        let stdout = output::stream(&manifests);
        return Ok(Outcome { stdout, diagnostics, ..Outcome::default() });
    };
    let options = options(&args.inputs, &args.directory, dir, true);
    let (manifests, mut diagnostics) = manifests(&args.inputs, &options.sides)?;
    if !args.directory.plaintext_secrets {
        directory::refuse_secrets(&manifests).map_err(|error| vec![error])?;
    }
    let plan = directory::compare(&options, manifests).map_err(failure)?;
    plan.write().map_err(failure)?;
    let (written, removed) = plan.counts();
    let summary = format!(
        "{} written, {} unchanged, {removed} removed",
        count(written, "file"),
        plan.unchanged
    );
    diagnostics.extend(plan.notes);
    Ok(Outcome {
        diagnostics,
        summary: (!args.directory.quiet).then_some(summary),
        ..Outcome::default()
    })
}

/// How a directory is written.
pub fn options(
    inputs: &InputArgs,
    args: &DirectoryArgs,
    dir: &Path,
    is_written: bool,
) -> directory::Options {
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

/// Reads, resolves and renders; with the warnings that there are.
pub fn manifests(
    inputs: &InputArgs,
    sides: &[Side],
) -> Result<(Vec<Manifest>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let has_token = sides.contains(&Side::ControlPlane);
    let needs = Needs {
        kubeconfig: true,
        keys: sides.contains(&Side::Compute),
        token: if has_token { TokenNeed::Required } else { TokenNeed::None },
        token_file: inputs.token_file.as_deref(),
    };
    let templates = Templates::read(inputs.sources.templates.as_deref()).map_err(failure)?;
    let renderer = Renderer::new(&templates).map_err(failure)?;
    let (resolutions, diagnostics) = clusters::read_right(&inputs.sources, needs)?;
    let registrations: Result<Vec<Registration>, Diagnostic> =
        resolutions.into_iter().map(Resolution::registration).collect();
    let registrations = registrations.map_err(|error| vec![error])?;
    let rendered: Vec<_> = registrations
        .par_iter()
        .map(|registration| {
            let rendered = renderer.render(registration, sides);
            rendered.map_err(|error| Diagnostic::from(error).of_cluster(&registration.name))
        })
        .collect();
    let mut manifests = Vec::new();
    let mut errors = Vec::new();
    for result in rendered {
        match result {
            Ok(of_cluster) => manifests.extend(of_cluster),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok((manifests, diagnostics)) } else { Err(errors) }
}

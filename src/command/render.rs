//! `render`: inputs to manifests, on standard output or in a directory.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{Outcome, Outside, fleet, tree};
use crate::cli::RenderArgs;
use crate::output::directory::{self, Options, Summary};
use crate::output::{Progress, write_stream};
use crate::render::Manifest;
use crate::side::Side;
use crate::text::shown_path;

/// Renders the clusters of a run.
///
/// # Errors
/// Where anything is wrong; then nothing has been written.
pub fn run(args: RenderArgs, outside: &mut Outside<'_>) -> Result<Outcome> {
    if args.quiet {
        outside.progress = Progress::new(false);
    }
    let sides = sides(&args)?;
    let options = tree::options(sides, args.inputs.sources.clusters.clone(), &args.tree);
    let Some(fleet) = fleet::render(args.inputs, sides, outside)? else {
        return Ok(Outcome::Wrong);
    };
    let manifests = fleet.manifests;
    if args.output_dir.is_none() {
        refuse_one_stream(fleet.clusters, sides)?;
    }
    tree::refuse_same_object(&manifests, args.output_dir.is_none())?;
    match args.output_dir {
        None => {
            write_stream(outside.out, &manifests).context("failed to write to standard output")?;
            Ok(Outcome::Done)
        }
        Some(root) => {
            write(&root, &manifests, &options, args.quiet, outside)?;
            Ok(Outcome::Done)
        }
    }
}

fn write(
    root: &Path,
    manifests: &[Manifest],
    options: &Options,
    is_quiet: bool,
    outside: &mut Outside<'_>,
) -> Result<()> {
    let Outside {
        report, progress, ..
    } = outside;
    let written = directory::write(root, manifests, options, progress, &mut || {
        let root = shown_path(root);
        report.note(&format!("waiting for another run that writes into {root}"));
    });
    progress.stop();
    let summary = written?;
    if let Some(note) = tree::left(root, manifests, &summary.stale) {
        report.note(&note);
    }
    let Summary {
        added,
        changed,
        unchanged,
        removed,
        stale: _,
    } = summary;
    if is_quiet {
        return Ok(());
    }
    report.line(&format!(
        "{}: {added} added, {changed} changed, {removed} removed, {unchanged} unchanged",
        shown_path(root)
    ));
    Ok(())
}

/// The compute sides of several clusters belong to as many clusters.
fn refuse_one_stream(clusters: usize, sides: &[Side]) -> Result<()> {
    if clusters > 1 && sides.contains(&Side::Compute) {
        bail!(
            "failed to render the compute side of {clusters} clusters into one stream: each belongs to another cluster, and a stream is applied to one: render them one by one, or into folders by `--output-dir DIR`"
        );
    }
    Ok(())
}

/// A stream takes one side, or both if they're said to be for one cluster.
fn sides(args: &RenderArgs) -> Result<&'static [Side]> {
    if args.side.is_none() && args.output_dir.is_none() {
        bail!(
            "failed to choose what to render: the two sides normally belong to two clusters: give `--side compute` or `--side control-plane` to pipe one to its cluster, `--side both` where the control plane is its own compute cluster, or `--output-dir DIR` to write both as files"
        );
    }
    Ok(tree::sides(args.side))
}

//! `render`: inputs to manifests, on standard output or in a directory.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};

use super::{Outcome, Outside, fleet};
use crate::cli::{RenderArgs, SideArg};
use crate::output::{directory, write_stream};
use crate::render::Manifest;
use crate::side::Side;
use crate::text::{shown, shown_path};

/// Renders the clusters of a run.
///
/// # Errors
/// Where anything is wrong; then nothing has been written.
pub fn run(args: RenderArgs, outside: &mut Outside<'_>) -> Result<Outcome> {
    let sides = sides(&args)?;
    let Some(fleet) = fleet::render(args.inputs, sides, outside)? else {
        return Ok(Outcome::Wrong);
    };
    let manifests = fleet.manifests;
    if args.output_dir.is_none() {
        refuse_one_stream(fleet.clusters, sides)?;
    }
    refuse_same_object(&manifests, args.output_dir.is_none())?;
    match args.output_dir {
        None => {
            write_stream(outside.out, &manifests).context("failed to write to standard output")?;
            Ok(Outcome::Done)
        }
        Some(root) => {
            let summary = directory::write(&root, &manifests, args.plaintext_secrets)?;
            for path in &summary.stale {
                outside.report.note(&format!(
                    "{} is not rendered any more; remove it, and its object from the cluster",
                    shown_path(&root.join(path))
                ));
            }
            outside.report.line(&format!(
                "{}: {} written, {} unchanged",
                shown_path(&root),
                summary.written,
                summary.unchanged
            ));
            Ok(Outcome::Done)
        }
    }
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

/// Of two same objects that one cluster gets, the second would replace the first. In a stream both
/// sides are for one; the control plane gets its side of every cluster, in folders as well.
fn refuse_same_object(manifests: &[Manifest], is_stream: bool) -> Result<()> {
    let mut seen = HashMap::new();
    let for_one = |manifest: &&Manifest| is_stream || manifest.side == Side::ControlPlane;
    for manifest in manifests.iter().filter(for_one) {
        match seen.insert(&manifest.object, &manifest.cluster) {
            Some(other) if *other == manifest.cluster => bail!(
                "failed to render both sides for one cluster: each of them has the {}",
                manifest.object
            ),
            Some(other) => bail!(
                "failed to render the control-plane side of the clusters {} and {}: each of them has the {}, and the control plane gets both",
                shown(other),
                shown(&manifest.cluster),
                manifest.object
            ),
            None => {}
        }
    }
    Ok(())
}

fn sides(args: &RenderArgs) -> Result<&'static [Side]> {
    match (args.side, &args.output_dir) {
        (Some(SideArg::Compute), _) => Ok(&[Side::Compute]),
        (Some(SideArg::ControlPlane), _) => Ok(&[Side::ControlPlane]),
        (Some(SideArg::Both), _) | (None, Some(_)) => Ok(&Side::ALL),
        (None, None) => bail!(
            "failed to choose what to render: the two sides normally belong to two clusters: give `--side compute` or `--side control-plane` to pipe one to its cluster, `--side both` where the control plane is its own compute cluster, or `--output-dir DIR` to write both as files"
        ),
    }
}

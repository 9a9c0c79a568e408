//! `render`: inputs to manifests, on standard output or in a directory.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{Outcome, Outside, fleet};
use crate::cli::{RenderArgs, SideArg};
use crate::output::directory::{self, Options, Summary};
use crate::output::{Report, write_stream};
use crate::render::Manifest;
use crate::side::Side;
use crate::text::{shown, shown_first, shown_path};

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
            let options = Options {
                sides,
                prune: args.prune,
                kustomization: args.kustomization,
                plaintext_secrets: args.plaintext_secrets,
            };
            write(&root, &manifests, &options, &mut outside.report)?;
            Ok(Outcome::Done)
        }
    }
}

fn write(
    root: &Path,
    manifests: &[Manifest],
    options: &Options,
    report: &mut Report<'_>,
) -> Result<()> {
    let summary = directory::write(root, manifests, options, &mut || {
        let root = shown_path(root);
        report.note(&format!("waiting for another run that writes into {root}"));
    })?;
    if let Some(note) = left(root, manifests, &summary.stale) {
        report.note(&note);
    }
    let Summary {
        added,
        changed,
        unchanged,
        removed,
        stale: _,
    } = summary;
    report.line(&format!(
        "{}: {added} added, {changed} changed, {removed} removed, {unchanged} unchanged",
        shown_path(root)
    ));
    Ok(())
}

/// What there is to know about generated files that were left: clusters of which nothing is
/// rendered by their folder, and other files each.
fn left(root: &Path, manifests: &[Manifest], stale: &[PathBuf]) -> Option<String> {
    let rendered: HashSet<PathBuf> = manifests
        .iter()
        .map(|manifest| Path::new(manifest.side.folder()).join(&manifest.cluster))
        .collect();
    let left: BTreeSet<&Path> = stale
        .iter()
        .map(|path| match path.parent() {
            // `SIDE/NAME/FILE`, not `SIDE/FILE`.
            Some(folder) if folder.iter().count() == 2 && !rendered.contains(folder) => folder,
            _ => path,
        })
        .collect();
    if left.is_empty() {
        return None;
    }
    let left = left.iter().map(|path| shown_path(&root.join(path)));
    Some(format!(
        "not rendered any more and left: {}; `--prune` removes the files, and their objects have to be deleted from the clusters by you",
        shown_first(left)
    ))
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

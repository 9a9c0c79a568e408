//! What `render` and `diff` share about a directory.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::cli::{SideArg, TreeArgs};
use crate::output::directory::Options;
use crate::render::Manifest;
use crate::side::Side;
use crate::text::{shown, shown_first, shown_path};

/// The sides that are meant; both where nothing is said.
pub fn sides(side: Option<SideArg>) -> &'static [Side] {
    match side {
        Some(SideArg::Compute) => &[Side::Compute],
        Some(SideArg::ControlPlane) => &[Side::ControlPlane],
        Some(SideArg::Both) | None => &Side::ALL,
    }
}

/// How the directory is written by a run that is about these clusters, or about all.
pub fn options(sides: &'static [Side], clusters: Vec<String>, args: &TreeArgs) -> Options {
    let TreeArgs {
        prune,
        kustomization,
        plaintext_secrets,
    } = *args;
    Options {
        sides,
        clusters,
        prune,
        kustomization,
        plaintext_secrets,
    }
}

/// Refuses two same objects for one cluster, of which the second would replace the first. In a
/// stream both sides are for one; the control plane gets its side of every cluster, in folders as
/// well.
///
/// # Errors
/// Where there are two.
pub fn refuse_same_object(manifests: &[Manifest], is_stream: bool) -> Result<()> {
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

/// What there is to know about generated files that are left: clusters of which nothing is rendered
/// by their folder, and other files each.
pub fn left<'a>(
    root: &Path,
    manifests: &[Manifest],
    stale: impl IntoIterator<Item = &'a PathBuf>,
) -> Option<String> {
    let rendered: HashSet<PathBuf> = manifests
        .iter()
        .map(|manifest| Path::new(manifest.side.folder()).join(&manifest.cluster))
        .collect();
    let left: BTreeSet<&Path> = stale
        .into_iter()
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
        "not rendered by this run and left: {}; `--prune` removes the files, and their objects have to be deleted from the clusters by you",
        shown_first(left)
    ))
}

//! The files that are to be there, checked as far as that needs no look at the directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::plan::Planned;
use super::{Options, kustomization};
use crate::render::{Manifest, Secrecy};
use crate::side::Side;
use crate::text::{shown_first, shown_path};

/// The longest file name, in bytes, that the usual file systems take.
const LONGEST_NAME: usize = 255;

/// The files of each side and cluster, in the order of their names.
pub type Targets<'a> = BTreeMap<Side, BTreeMap<&'a str, Vec<Planned<'a>>>>;

/// A secret that stands nowhere beside the values file yet is not put into a folder that may well
/// be committed, unless the user says so.
///
/// # Errors
/// Where there is such a secret.
pub fn refuse_plaintext_secrets(
    root: &Path,
    manifests: &[Manifest],
    options: &Options,
) -> Result<()> {
    let secret: Vec<PathBuf> = manifests
        .iter()
        .filter(|manifest| manifest.secrecy == Secrecy::Elsewhere)
        .map(path)
        .collect();
    if options.plaintext_secrets || secret.is_empty() {
        return Ok(());
    }
    bail!(
        "failed to write into {}: it would put secrets in the clear that the values file doesn't hold itself into {}: write `--plaintext-secrets` to allow that; or keep them out of the manifests by `externalSecret` for `token` and `credentials`, or by `token: none`, and `credentials: workloadIdentity` or `{{existingSecret: true}}`; or pipe them past the disk by `--side` without `--output-dir`",
        shown_path(root),
        shown_first(secret.iter().map(|path| shown_path(path)))
    );
}

/// Where a manifest stands below the root.
fn path(manifest: &Manifest) -> PathBuf {
    Path::new(manifest.side.folder())
        .join(&manifest.cluster)
        .join(&manifest.file_name)
}

/// The files that are to be there.
///
/// # Errors
/// Where two of them would be one, or a name can't be one of a file.
pub fn targets<'a>(manifests: &'a [Manifest], options: &Options) -> Result<Targets<'a>> {
    let mut targets = Targets::new();
    for manifest in manifests {
        let path = path(manifest);
        if manifest.file_name.len() > LONGEST_NAME {
            bail!(
                "the file name of the {} would have {} bytes, and file systems take at most {LONGEST_NAME}: give it a shorter name",
                manifest.object,
                manifest.file_name.len()
            );
        }
        targets
            .entry(manifest.side)
            .or_default()
            .entry(manifest.cluster.as_str())
            .or_default()
            .push(Planned::of_manifest(path, manifest));
    }
    for folder in targets.values_mut().flat_map(BTreeMap::values_mut) {
        folder.sort_by(|one, other| one.path.cmp(&other.path));
        for pair in folder.windows(2) {
            if let [one, other] = pair
                && one.path == other.path
            {
                bail!(
                    "two manifests would have the name {}",
                    shown_path(&one.path)
                );
            }
        }
        if options.kustomization {
            let file = kustomization::of_manifests(folder);
            folder.extend(file);
            folder.sort_by(|one, other| one.path.cmp(&other.path));
        }
    }
    Ok(targets)
}

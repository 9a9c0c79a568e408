//! A directory of manifests: `DIR/compute/NAME/NN-kind-name.yaml` and `DIR/control-plane/NAME/…`.
//!
//! Everything is compared before anything is written. Only *generated* files, those with the header, are
//! ever replaced or removed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rayon::prelude::*;

use super::compare::{self, Change, Folder, Planned};
use crate::diagnostic::Diagnostic;
use crate::render::{Manifest, Side, quoted};
use crate::show::{count, list, shown};

/// What kustomize looks for.
const KUSTOMIZATION: &str = "kustomization.yaml";

/// How a directory is written.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory.
    pub root: PathBuf,
    /// The sides to render.
    pub sides: Vec<Side>,
    /// Remove generated files that the run doesn't yield.
    pub prune: bool,
    /// Write `kustomization.yaml` files, too.
    pub kustomization: bool,
    /// Whether the run has the values of every cluster of the directory.
    pub has_all_clusters: bool,
    /// Whether the directory is written, and so made where it is missing.
    pub is_written: bool,
}

/// What a run changes in a directory.
#[derive(Default)]
pub struct Plan {
    /// The files that are added, changed or removed, by path.
    pub changes: Vec<Change>,
    /// How many files stay.
    pub unchanged: usize,
    /// What there is to say about it.
    pub notes: Vec<Diagnostic>,
    /// Files of secrets that stay, and that others than the owner may read.
    pub too_open: Vec<PathBuf>,
    /// Temporary files that a killed run left.
    pub temporaries: Vec<PathBuf>,
    /// Held until the run ends, so that two runs into one directory don't mix.
    _lock: Option<File>,
}

/// Refuses secrets in files, which only the user can allow.
///
/// # Errors
/// Names the manifests that hold one.
pub fn refuse_secrets(manifests: &[Manifest]) -> Result<(), Diagnostic> {
    let secrets: Vec<String> = manifests
        .iter()
        .filter(|manifest| manifest.holds_secret)
        .map(|manifest| {
            format!("{}/{}/{}", manifest.side.folder(), manifest.cluster, manifest.file_name)
        })
        .collect();
    if secrets.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{} would hold secrets in the clear: {}",
        count(secrets.len(), "file"),
        list(&secrets)
    );
    Err(Diagnostic::error(message)
        .help("let a store move them: `token: externalSecret`, `credentials: {externalSecret: …}` or `workloadIdentity`")
        .help("or keep them out: `token: none`, `credentials: existingSecret`")
        .help("or write them all the same, with mode 0600: `--plaintext-secrets`"))
}

/// Compares manifests with what a directory has. The directory is locked until the plan is dropped.
///
/// # Errors
/// Where the directory can't be read, has a symbolic link in it, or a file in the way that isn't generated.
pub fn compare(options: &Options, manifests: Vec<Manifest>) -> Result<Plan> {
    if options.is_written && !options.root.exists() {
        fs::create_dir_all(&options.root).with_context(|| {
            format!("failed to create {}", shown(options.root.display().to_string()))
        })?;
    }
    let mut plan = Plan { _lock: lock(&options.root)?, ..Plan::default() };
    let mut folders = Vec::new();
    for side in &options.sides {
        let of_side = manifests.iter().filter(|manifest| manifest.side == *side);
        let of_run: BTreeSet<&str> = of_side.map(|manifest| manifest.cluster.as_str()).collect();
        folders.extend(compare_others(options, *side, of_run, &mut plan.notes)?);
    }
    let mut planned: BTreeMap<(Side, String), Vec<Planned>> = BTreeMap::new();
    for manifest in manifests {
        let folder = planned.entry((manifest.side, manifest.cluster.clone())).or_default();
        folder.push(Planned::of_manifest(manifest));
    }
    let compared: Result<Vec<Folder>> = planned
        .into_par_iter()
        .map(|((side, cluster), mut files)| {
            let path = options.root.join(side.folder()).join(cluster);
            if is_kustomized(options, &path)? {
                let names = files.iter().map(|file| file.name.clone()).collect();
                files.push(kustomization(names));
            }
            compare::read(&path, files)
        })
        .collect();
    folders.extend(compared?);
    plan.add(options, folders);
    Ok(plan)
}

/// Compares what a side has beside the folders of the run's clusters.
fn compare_others(
    options: &Options,
    side: Side,
    of_run: BTreeSet<&str>,
    notes: &mut Vec<Diagnostic>,
) -> Result<Vec<Folder>> {
    let path = options.root.join(side.folder());
    let mut of_side = compare::read(&path, Vec::new())?;
    let mut others = Vec::new();
    for name in of_side.folders.iter().filter(|name| !of_run.contains(name.as_str())) {
        let folder = compare::read(&path.join(name), Vec::new())?;
        if !folder.stale.is_empty() {
            others.push((name.clone(), folder));
        }
    }
    notes.extend(about_others(options, side, &others));
    let are_removed = options.prune && options.has_all_clusters;
    // The control plane's list of clusters; a compute cluster takes its own folder only.
    if side == Side::ControlPlane && is_kustomized(options, &path)? {
        let kept = others.iter().map(|(name, _)| name.as_str()).filter(|_| !are_removed);
        let mut listed: Vec<String> = of_run.into_iter().chain(kept).map(str::to_owned).collect();
        listed.sort();
        of_side = compare::read(&path, vec![kustomization(listed)])?;
    }
    let removed = others.into_iter().map(|(_, folder)| folder).filter(|_| are_removed);
    Ok(removed.chain([of_side]).collect())
}

impl Plan {
    fn add(&mut self, options: &Options, folders: Vec<Folder>) {
        let mut stale = Vec::new();
        let mut had_line_ends = false;
        for folder in folders {
            self.changes.extend(folder.changes);
            self.unchanged += folder.unchanged;
            self.too_open.extend(folder.too_open);
            self.temporaries.extend(folder.temporaries);
            stale.extend(folder.stale);
            had_line_ends |= folder.has_other_line_ends;
        }
        if options.prune {
            self.changes.extend(stale);
        } else if !stale.is_empty() {
            let message = format!(
                "{} no longer rendered and left: {}",
                count(stale.len(), "file"),
                list(stale.iter().map(|change| change.path.display().to_string()))
            );
            self.notes.push(Diagnostic::note(message).help("`--prune` removes them"));
        }
        if had_line_ends {
            let message =
                "files have Windows line ends or a byte order mark; a render writes them anew";
            let help = "put `* text eol=lf` into `.gitattributes` there";
            self.notes.push(Diagnostic::note(message).help(help));
        }
        self.changes.sort_by(|one, other| one.path.as_os_str().cmp(other.path.as_os_str()));
    }
}

/// What happens with the folders of clusters that this run doesn't have.
fn about_others(options: &Options, side: Side, others: &[(String, Folder)]) -> Option<Diagnostic> {
    let names = list(others.iter().map(|(name, _)| name));
    let (message, help) = match (options.prune, options.has_all_clusters) {
        _ if others.is_empty() => return None,
        (false, false) => return None,
        (true, true) => ("clusters removed:", "delete their objects from the clusters, too"),
        (false, true) => ("clusters without values, left:", "`--prune` removes their files"),
        (true, false) => (
            "other clusters, left:",
            "to remove clusters, pass the folder of all values: `-f FOLDER --prune`",
        ),
    };
    let folder = options.root.join(side.folder()).display().to_string();
    Some(Diagnostic::note(format!("{message} {names}")).in_file(folder).help(help))
}

/// Whether a folder gets a `kustomization.yaml`: also where it has one already.
fn is_kustomized(options: &Options, folder: &Path) -> Result<bool> {
    Ok(options.kustomization || compare::is_generated_file(&folder.join(KUSTOMIZATION))?)
}

/// A `kustomization.yaml` that lists files or folders.
fn kustomization(resources: Vec<String>) -> Planned {
    let mut text =
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n".to_owned();
    for resource in resources {
        text.push_str(&format!("  - {}\n", quoted(&resource)));
    }
    Planned::of_text(KUSTOMIZATION, &text)
}

/// Locks a directory; none where it isn't there.
fn lock(root: &Path) -> Result<Option<File>> {
    if !root.exists() {
        return Ok(None);
    }
    if !root.is_dir() {
        let message = format!("{} is not a directory", shown(root.display().to_string()));
        bail!(Diagnostic::error(message).help("choose another one with `-o DIR`"));
    }
    let failed = || format!("failed to lock the directory {}", shown(root.display().to_string()));
    let directory = File::open(root).with_context(failed)?;
    directory.lock().with_context(failed)?;
    Ok(Some(directory))
}

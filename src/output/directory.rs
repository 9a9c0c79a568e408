//! A directory of manifests: `DIR/compute/NAME/NN-kind-name.yaml` and `DIR/control-plane/NAME/…`.
//!
//! Everything is compared before anything is written. Only *generated* files, those with the header, are
//! ever replaced or removed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rayon::prelude::*;

use super::compare::{self, Change, FolderChanges, PlannedFile};
use crate::diagnostic::Diagnostic;
use crate::render::{Manifest, Side, quoted};
use crate::show::{count, list, shown_path};

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
        "{} would contain plaintext secrets: {}",
        count(secrets.len(), "file"),
        list(&secrets)
    );
    Err(Diagnostic::error(message)
        .help("let a store move them: `token: externalSecret`, `credentials: {externalSecret: …}` or `workloadIdentity`")
        .help("or keep them out: `token: none`, `credentials: existingSecret`")
        .help("or pass `--plaintext-secrets`, which writes them with mode 0600"))
}

/// Compares manifests with what a directory has. The directory is locked until the plan is dropped.
///
/// # Errors
/// Where the directory can't be read, has a symbolic link in it, or a file in the way that isn't generated.
pub fn compare(options: &Options, manifests: Vec<Manifest>) -> Result<Plan> {
    if options.is_written && !options.root.exists() {
        fs::create_dir_all(&options.root)
            .with_context(|| format!("failed to create {}", shown_path(&options.root)))?;
    }
    let mut plan = Plan { _lock: lock(&options.root)?, ..Plan::default() };
    let mut folders = Vec::new();
    for side in &options.sides {
        let of_side = manifests.iter().filter(|manifest| manifest.side == *side);
        let of_run: BTreeSet<&str> = of_side.map(|manifest| manifest.cluster.as_str()).collect();
        folders.extend(compare_others(options, *side, of_run, &mut plan.notes)?);
    }
    let mut planned: BTreeMap<(Side, String), Vec<PlannedFile>> = BTreeMap::new();
    for manifest in manifests {
        let folder = planned.entry((manifest.side, manifest.cluster.clone())).or_default();
        folder.push(PlannedFile::of_manifest(manifest));
    }
    let compared: Result<Vec<FolderChanges>> = planned
        .into_par_iter()
        .map(|((side, cluster), mut files)| {
            let of_side = options.root.join(side.folder());
            let folder = of_side.join(cluster);
            // What lists the clusters can list only folders that have one, too.
            let is_listed = side == Side::ControlPlane && is_kustomized(options, &of_side)?;
            if is_listed || is_kustomized(options, &folder)? {
                let names = files.iter().map(|file| file.name.clone()).collect();
                files.push(kustomization(names));
            }
            FolderChanges::of(&folder, files)
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
) -> Result<Vec<FolderChanges>> {
    let path = options.root.join(side.folder());
    let mut of_side = FolderChanges::of(&path, Vec::new())?;
    // The control plane's list of clusters; a compute cluster takes its own folder only.
    let has_list = side == Side::ControlPlane && is_kustomized(options, &path)?;
    let mut others = Vec::new();
    if has_list || options.prune || options.has_all_clusters {
        for name in of_side.folders.iter().filter(|name| !of_run.contains(name.as_str())) {
            let folder = FolderChanges::of(&path.join(name), Vec::new())?;
            if !folder.stale.is_empty() {
                others.push((name.clone(), folder));
            }
        }
    }
    notes.extend(about_others(options, side, &others));
    let are_removed = options.prune && options.has_all_clusters;
    if has_list {
        let kept = others.iter().filter(|_| !are_removed);
        let mut resources: Vec<String> = of_run.into_iter().map(str::to_owned).collect();
        resources.extend(kept.flat_map(|(name, folder)| listed(name, folder)));
        resources.sort();
        of_side = FolderChanges::of(&path, vec![kustomization(resources)])?;
    }
    of_side.stale.clear();
    let removed = others.into_iter().map(|(_, folder)| folder).filter(|_| are_removed);
    Ok(removed.chain([of_side]).collect())
}

/// What a list of clusters has of one that this run doesn't have: its folder, or its files where it was
/// rendered without lists.
fn listed(name: &str, folder: &FolderChanges) -> Vec<String> {
    let files = folder.stale.iter().filter_map(|change| change.path.file_name()?.to_str());
    let files: Vec<&str> = files.collect();
    match files.contains(&KUSTOMIZATION) {
        true => vec![name.to_owned()],
        false => files.iter().map(|file| format!("{name}/{file}")).collect(),
    }
}

impl Plan {
    fn add(&mut self, options: &Options, folders: Vec<FolderChanges>) {
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
                "{} no longer rendered: {}",
                count(stale.len(), "file"),
                list(stale.iter().map(|change| change.path.display().to_string()))
            );
            self.notes.push(Diagnostic::note(message).help("`--prune` removes them"));
        }
        if had_line_ends {
            let message =
                "files have Windows line ends or a byte order mark; they will be rewritten";
            let help = "put `* text eol=lf` into `.gitattributes` there";
            self.notes.push(Diagnostic::note(message).help(help));
        }
        self.changes.sort_by(|one, other| one.path.as_os_str().cmp(other.path.as_os_str()));
    }
}

/// What happens with the folders of clusters that this run doesn't have.
fn about_others(
    options: &Options,
    side: Side,
    others: &[(String, FolderChanges)],
) -> Option<Diagnostic> {
    let names = list(others.iter().map(|(name, _)| name));
    let (message, help) = match (options.prune, options.has_all_clusters) {
        _ if others.is_empty() => return None,
        (false, false) => return None,
        (true, true) if !options.is_written => {
            ("clusters to remove:", "`render` removes their files")
        }
        (true, true) => ("removed clusters:", "delete their objects from the clusters, too"),
        (false, true) => ("kept clusters that have no values:", "`--prune` removes their files"),
        (true, false) => (
            "kept other clusters:",
            "to remove clusters, pass the folder of all values, `-f FOLDER --prune`, without `--cluster`",
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
fn kustomization(resources: Vec<String>) -> PlannedFile {
    let mut text =
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n".to_owned();
    for resource in resources {
        text.push_str(&format!("  - {}\n", quoted(&resource)));
    }
    PlannedFile::of_text(KUSTOMIZATION, &text)
}

/// Locks a directory; none where it isn't there.
fn lock(root: &Path) -> Result<Option<File>> {
    if !root.exists() {
        return Ok(None);
    }
    if !root.is_dir() {
        let message = format!("{} is not a directory", shown_path(root));
        bail!(Diagnostic::error(message).help("choose another one with `-o DIR`"));
    }
    let directory =
        File::open(root).with_context(|| format!("failed to open {}", shown_path(root)))?;
    // Some network file systems have no locks.
    let _ = directory.lock();
    Ok(Some(directory))
}

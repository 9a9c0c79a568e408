//! A directory of manifests: `DIR/compute/NAME/NN-kind-name.yaml` and `DIR/control-plane/NAME/…`.
//!
//! Everything is compared before anything is written. Only *generated* files, those with the header, are replaced or
//! removed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use rayon::prelude::*;

use super::compare::{self, FolderChanges};
use crate::diagnostic::Diagnostic;
use crate::render::{Manifest, Manifests, Side};
use crate::show::{count, list, quoted, shown_path};

const KUSTOMIZATION: &str = "kustomization.yaml";

/// How a directory is compared and written.
#[derive(Clone, Debug)]
pub struct Options {
    pub root: PathBuf,
    pub sides: Vec<Side>,
    pub prune: bool,
    /// Whether to add `kustomization.yaml` files. Existing ones are updated anyway.
    pub kustomization: bool,
    /// Whether the run has the values of every cluster. Then every other folder belongs to a removed one.
    pub has_all_clusters: bool,
    /// Whether the changes will be made; `diff` only shows them.
    pub is_written: bool,
}

/// The changes of a run to a directory.
#[derive(Default)]
pub struct Plan {
    /// Files to add, change or remove are sorted by path.
    pub files: FolderChanges,
    /// Such as for clusters without values.
    pub notes: Vec<Diagnostic>,
    /// Held until the run ends, so that two runs into one directory don't mix.
    _lock: Option<File>,
}

/// Refuses to write secrets to files, for a run without `--plaintext-secrets`. Fails if a manifest holds a secret.
pub fn refuse_secrets(clusters: &[Manifests]) -> Result<(), Diagnostic> {
    let mut secrets: Vec<String> = Vec::new();
    for Manifests { cluster, sides, .. } in clusters {
        for (side, manifests) in sides {
            let folder = format!("{}/{cluster}", side.folder());
            let with_secret = manifests.iter().filter(|manifest| manifest.holds_secret);
            secrets.extend(with_secret.map(|it| format!("{folder}/{}", it.file_name)));
        }
    }
    if secrets.is_empty() {
        return Ok(());
    }
    let (files, names) = (count(secrets.len(), "file"), list(&secrets));
    let message = format!("{files} would contain plaintext secrets: {names}");
    Err(Diagnostic::error(message)
        .help("let a store move them: `token: externalSecret`, `credentials: {externalSecret: …}` or `workloadIdentity`")
        .help("or keep them out: `token: none`, `credentials: existingSecret`, no secret in `extraEnv`")
        .help("or pass `--plaintext-secrets`, which writes them with mode 0600"))
}

/// Compares manifests with the files of a directory. The directory is locked until the plan is dropped. Fails if the
/// directory can't be read, has a symbolic link in it, or a file in the way that isn't generated.
pub fn compare(options: &Options, clusters: Vec<Manifests>) -> Result<Plan> {
    if options.is_written && !options.root.exists() {
        fs::create_dir_all(&options.root)
            .with_context(|| format!("failed to create {}", shown_path(&options.root)))?;
    }
    let mut plan = Plan { _lock: lock(&options.root)?, ..Plan::default() };
    let mut folders = Vec::new();
    let of_run: BTreeSet<&str> = clusters.iter().map(|it| it.cluster.as_str()).collect();
    for side in &options.sides {
        folders.extend(compare_others(options, *side, &of_run, &mut plan.notes)?);
    }
    let compared: Result<Vec<Vec<FolderChanges>>> =
        clusters.into_par_iter().map(|cluster| compare_cluster(options, cluster)).collect();
    folders.extend(compared?.into_iter().flatten());
    let files = &mut plan.files;
    folders.into_iter().for_each(|folder| files.merge(folder));
    let stale = std::mem::take(&mut files.stale);
    if options.prune {
        files.changes.extend(stale);
    } else if !stale.is_empty() {
        let files = count(stale.len(), "file");
        let names = list(stale.iter().map(|change| change.path.display().to_string()));
        let message = format!("{files} no longer rendered: {names}");
        plan.notes.push(Diagnostic::note(message).help("`--prune` removes them"));
    }
    plan.files.changes.sort_by(|left, right| left.path.as_os_str().cmp(right.path.as_os_str()));
    Ok(plan)
}

fn compare_cluster(options: &Options, cluster: Manifests) -> Result<Vec<FolderChanges>> {
    let Manifests { cluster, secrets, sides } = cluster;
    let secrets = Arc::new(secrets);
    let mut folders = Vec::new();
    for (side, mut files) in sides {
        let of_side = options.root.join(side.folder());
        let folder = of_side.join(&cluster);
        // kustomize refuses a listed folder that has no `kustomization.yaml` of its own.
        let is_listed = side == Side::ControlPlane && is_kustomized(options, &of_side)?;
        if is_listed || is_kustomized(options, &folder)? {
            let names = files.iter().map(|file| file.file_name.clone()).collect();
            files.push(kustomization(names));
        }
        folders.push(FolderChanges::compare(&folder, files, &secrets)?);
    }
    Ok(folders)
}

/// Compares the rest of a side: folders of clusters that aren't in the run, and the list of clusters.
fn compare_others(
    options: &Options,
    side: Side,
    of_run: &BTreeSet<&str>,
    notes: &mut Vec<Diagnostic>,
) -> Result<Vec<FolderChanges>> {
    let no_secrets = Arc::default();
    let path = options.root.join(side.folder());
    let mut of_side = FolderChanges::compare(&path, Vec::new(), &no_secrets)?;
    // Each compute cluster applies its own folder, so only the control plane needs a list.
    let has_list = side == Side::ControlPlane && is_kustomized(options, &path)?;
    let mut others = Vec::new();
    if has_list || options.prune || options.has_all_clusters {
        for name in of_side.folders.iter().filter(|name| !of_run.contains(name.as_str())) {
            let folder = FolderChanges::compare(&path.join(name), Vec::new(), &no_secrets)?;
            if !folder.stale.is_empty() || !folder.temporaries.is_empty() {
                others.push((name.clone(), folder));
            }
        }
    }
    notes.extend(about_others(options, side, &others));
    let are_removed = options.prune && options.has_all_clusters;
    if has_list {
        let kept = others.iter().filter(|_| !are_removed);
        let mut resources: Vec<String> = of_run.iter().map(|name| (*name).to_owned()).collect();
        resources.extend(kept.flat_map(|(name, folder)| listed(name, folder)));
        resources.sort();
        of_side = FolderChanges::compare(&path, vec![kustomization(resources)], &no_secrets)?;
    }
    // Only the folders of clusters are cleaned up.
    of_side.stale.clear();
    let removed = others.into_iter().map(|(_, folder)| folder).filter(|_| are_removed);
    Ok(removed.chain([of_side]).collect())
}

/// Returns the resources of a cluster that isn't in the run: its folder, or its files if kustomize refuses the folder.
fn listed(name: &str, folder: &FolderChanges) -> Vec<String> {
    let files = folder.stale.iter().filter_map(|change| change.path.file_name()?.to_str());
    let files: Vec<&str> = files.collect();
    if files.contains(&KUSTOMIZATION) {
        return vec![name.to_owned()];
    }
    files.iter().map(|file| format!("{name}/{file}")).collect()
}

impl Plan {
    /// Adds a note about files whose mode a render would change. That isn't a difference, since Git doesn't keep modes.
    pub fn note_modes(&mut self) {
        let paths = &self.files.readable_by_others;
        if !paths.is_empty() {
            let files = count(paths.len(), "file");
            let names = list(paths.iter().map(|path| path.display().to_string()));
            let message = format!("{files} with secrets can be read by others: {names}");
            let help = "`render` makes them readable by their owner only";
            self.notes.push(Diagnostic::note(message).help(help));
        }
    }
}

fn about_others(
    options: &Options,
    side: Side,
    others: &[(String, FolderChanges)],
) -> Option<Diagnostic> {
    let names = list(others.iter().map(|(name, _)| name));
    let (message, help) = match (options.prune, options.has_all_clusters) {
        (false, false) => return None,
        _ if others.is_empty() => return None,
        (true, true) if !options.is_written => {
            ("clusters to remove:", "`render` removes their files")
        }
        (true, true) => ("removed clusters:", "delete their objects from the clusters, too"),
        (false, true) => (
            "clusters that this run has no values of:",
            "pass their folders, too; only if they are gone, `--prune` removes their files",
        ),
        (true, false) => (
            "kept other clusters:",
            "to remove clusters, pass the folder of all values, `-f FOLDER --prune`, without `--cluster`",
        ),
    };
    let folder = options.root.join(side.folder()).display().to_string();
    Some(Diagnostic::note(format!("{message} {names}")).in_file(folder).help(help))
}

/// Whether a folder gets a `kustomization.yaml`. An existing one is kept current even without the flag.
fn is_kustomized(options: &Options, folder: &Path) -> Result<bool> {
    Ok(options.kustomization || compare::is_generated_file(&folder.join(KUSTOMIZATION))?)
}

fn kustomization(resources: Vec<String>) -> Manifest {
    let mut text =
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n".to_owned();
    for resource in resources {
        text.push_str(&format!("  - {}\n", quoted(&resource)));
    }
    Manifest { file_name: KUSTOMIZATION.to_owned(), text, holds_secret: false }
}

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

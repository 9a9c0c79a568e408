//! What is there already, folder by folder.
//!
//! Each folder is read once, and of its files only those are opened that are to be there or may be
//! this program's; so a cluster costs the same however many there are.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rustix::fs::FileType;

use super::folder::{self, Entry, Listed};
use super::plan::{Folder, Plan, Planned, Stale, State};
use super::targets::Targets;
use super::temporary::{is_temporary, sweep};
use super::{HEADER, Options, header, kustomization};
use crate::parallel::in_parallel_with;
use crate::side::Side;
use crate::text::{shown, shown_path};

/// A look at a directory.
pub struct Survey<'r> {
    /// Its path, for messages.
    pub root: &'r Path,
    /// What is wanted.
    pub options: &'r Options,
    /// Whether the temporaries of runs that were killed are removed on the way.
    pub sweeps: bool,
}

/// A folder that is to be looked at: there, to be there, or both.
struct Visit<'a> {
    name: OsString,
    kind: Option<FileType>,
    files: Vec<Planned<'a>>,
}

impl Survey<'_> {
    /// Compares the files that are to be there with those that are.
    ///
    /// # Errors
    /// Where something stands in the way or can't be read.
    pub fn plan<'a>(
        &self,
        root: Option<BorrowedFd<'_>>,
        mut targets: Targets<'a>,
    ) -> Result<Plan<'a>> {
        if let Some(root) = root
            && self.sweeps
            && let Ok(mut listed) = Listed::open(root, OsStr::new("."))
        {
            sweep(&mut listed);
        }
        let mut folders = Vec::new();
        for side in Side::ALL {
            let of_side = targets.remove(&side).unwrap_or_default();
            let is_rendered = self.options.sides.contains(&side) || !of_side.is_empty();
            if is_rendered || self.sweeps {
                self.side(root, side, is_rendered, of_side, &mut folders)?;
            }
        }
        Ok(Plan {
            root: self.root.to_owned(),
            prune: self.options.prune,
            folders,
        })
    }

    fn side<'a>(
        &self,
        root: Option<BorrowedFd<'_>>,
        side: Side,
        is_rendered: bool,
        mut targets: BTreeMap<&'a str, Vec<Planned<'a>>>,
        folders: &mut Vec<Folder<'a>>,
    ) -> Result<()> {
        let is_target = !targets.is_empty();
        let path = Path::new(side.folder());
        let kind = match root {
            Some(root) => folder::kind(root, path.as_os_str())
                .with_context(|| shown_path(&self.root.join(path)).to_string())?,
            None => None,
        };
        let listed = match (root, kind) {
            (Some(root), Some(kind)) => self.open(root, path, kind, is_target)?,
            _ => None,
        };
        let mut visits = Vec::new();
        let mut own = Vec::new();
        if let Some(listed) = &listed {
            for Entry { name, kind } in &listed.entries {
                let files = name.to_str().and_then(|name| targets.remove(name));
                let is_ours = files.is_some() || *kind == FileType::Directory;
                match is_ours && !is_temporary(name) {
                    true => visits.push(Visit {
                        name: name.clone(),
                        kind: Some(*kind),
                        files: files.unwrap_or_default(),
                    }),
                    false => own.push((name.as_os_str(), *kind)),
                }
            }
        }
        visits.extend(targets.into_iter().map(|(name, files)| Visit {
            name: name.into(),
            kind: None,
            files,
        }));
        visits.sort_by(|one, other| one.name.cmp(&other.name));
        let fd = match &listed {
            Some(listed) => Some(listed.fd()?),
            None => None,
        };
        let clusters = in_parallel_with(
            visits,
            || (),
            |(), visit| self.cluster(fd, side, is_rendered, visit),
        );
        let clusters: Vec<Option<Folder<'_>>> = clusters.into_iter().collect::<Result<_>>()?;
        if !is_rendered {
            return Ok(());
        }
        let mut clusters: Vec<Folder<'_>> = clusters.into_iter().flatten().collect();
        let mut of_side = Folder {
            side,
            name: None,
            is_there: listed.is_some(),
            files: Vec::new(),
            stale: Vec::new(),
            has_others: true,
        };
        if self.options.kustomization && side == Side::ControlPlane && is_target {
            let file = kustomization::of_clusters(&clusters, self.options);
            of_side.files.push(file);
        }
        if let Some(fd) = fd {
            self.compare(fd, &mut of_side, &own)?;
        }
        if !self.options.clusters.is_empty() {
            // What is beside the clusters' folders is about all of them.
            of_side.stale.clear();
            clusters.retain(|folder| {
                self.options
                    .is_about(folder.name.as_deref().unwrap_or_default())
            });
            self.refuse_to_break_the_list(&clusters)?;
        }
        folders.push(of_side);
        folders.extend(clusters);
        Ok(())
    }

    /// The list of the clusters names a folder for the sake of the `kustomization.yaml` in it.
    fn refuse_to_break_the_list(&self, chosen: &[Folder<'_>]) -> Result<()> {
        let listed = chosen
            .iter()
            .filter(|folder| folder.side == Side::ControlPlane);
        let stale = listed.flat_map(|folder| &folder.stale);
        let mut lists = stale.filter(|stale| stale.name() == kustomization::NAME);
        if let Some(list) = lists.next()
            && self.options.prune
        {
            bail!(
                "{} would be removed, and the list of all clusters beside its folder would still name it: write `--kustomization` here too, as when it was made",
                shown_path(&self.root.join(&list.path))
            );
        }
        Ok(())
    }

    /// Opens a folder. What isn't one is an error only where something is to be put into it.
    fn open(
        &self,
        parent: BorrowedFd<'_>,
        path: &Path,
        kind: FileType,
        is_target: bool,
    ) -> Result<Option<Listed>> {
        let shown = || shown_path(&self.root.join(path));
        if is_target && kind == FileType::Symlink {
            bail!(
                "{} is a symbolic link, and nothing is written through one: remove it",
                shown()
            );
        }
        if is_target && kind != FileType::Directory {
            bail!("{} is not a folder: move it away", shown());
        }
        match Listed::open(parent, path.file_name().unwrap_or_default()) {
            Ok(mut listed) => {
                if self.sweeps {
                    sweep(&mut listed);
                }
                Ok(Some(listed))
            }
            Err(error) if is_target => {
                Err(error).with_context(|| format!("failed to read the folder {}", shown()))
            }
            Err(_) => Ok(None),
        }
    }

    /// Looks at the folder of a cluster; nothing where it isn't one that matters.
    fn cluster<'a>(
        &self,
        parent: Option<BorrowedFd<'_>>,
        side: Side,
        is_rendered: bool,
        visit: Visit<'a>,
    ) -> Result<Option<Folder<'a>>> {
        let Visit { name, kind, files } = visit;
        let is_target = !files.is_empty();
        let mut found = Folder {
            side,
            name: Some(name),
            is_there: kind.is_some(),
            files,
            stale: Vec::new(),
            has_others: false,
        };
        let (Some(parent), Some(kind)) = (parent, kind) else {
            return Ok(Some(found));
        };
        let Some(listed) = self.open(parent, &found.path(), kind, is_target)? else {
            return Ok(None);
        };
        if is_rendered {
            let entries: Vec<(&OsStr, FileType)> = listed
                .entries
                .iter()
                .map(|entry| (entry.name.as_os_str(), entry.kind))
                .collect();
            self.compare(listed.fd()?, &mut found, &entries)?;
        }
        Ok(Some(found))
    }

    /// Compares what is to be in a folder with what is in it, which comes in the order of its names.
    fn compare(
        &self,
        fd: BorrowedFd<'_>,
        found: &mut Folder<'_>,
        entries: &[(&OsStr, FileType)],
    ) -> Result<()> {
        let path = found.path();
        for (name, kind) in entries {
            // Few, and both in order: a search is as good as a walk along both.
            let target = found
                .files
                .binary_search_by(|file| file.name().cmp(name))
                .ok()
                .and_then(|at| found.files.get_mut(at));
            if let Some(file) = target {
                self.look(fd, file, *kind)?;
                continue;
            }
            match stale(fd, path.join(name), name, *kind) {
                Ok(Some(stale)) => found.stale.push(stale),
                // One that can't be read isn't ours.
                Ok(None) | Err(_) => found.has_others = true,
            }
        }
        Ok(())
    }

    /// Compares a file that is there with what is to be there.
    fn look(&self, fd: BorrowedFd<'_>, file: &mut Planned<'_>, kind: FileType) -> Result<()> {
        let path: PathBuf = self.root.join(&file.path);
        let in_the_way = || {
            anyhow::anyhow!(
                "{} is in the way and not a file of this program: move it away",
                shown_path(&path)
            )
        };
        if kind != FileType::RegularFile {
            return Err(in_the_way());
        }
        let seen = folder::look(fd, file.name(), Some(file.length()), HEADER.len())
            .with_context(|| format!("failed to read {}", shown_path(&path)))?;
        if !seen.is_file {
            return Err(in_the_way());
        }
        if !header::is_generated(&seen.beginning) {
            bail!(
                "{} was not made by this program, so it is not replaced: it does not begin with {}; move it away",
                shown_path(&path),
                shown(HEADER.trim_end())
            );
        }
        let is_too_wide = file.is_secret() && seen.is_wide;
        file.state = match file.is(&seen.beginning) && !is_too_wide {
            true => State::Unchanged,
            false => State::Changed,
        };
        file.old = Some(seen.identity);
        Ok(())
    }
}

/// A generated file that isn't to be there; nothing where it isn't one.
fn stale(
    fd: BorrowedFd<'_>,
    path: PathBuf,
    name: &OsStr,
    kind: FileType,
) -> std::io::Result<Option<Stale>> {
    let is_yaml = path.extension().is_some_and(|end| end == "yaml");
    if !is_yaml || kind != FileType::RegularFile {
        return Ok(None);
    }
    let seen = folder::look(fd, name, None, header::LENGTH)?;
    let is_ours = seen.is_file && header::is_generated(&seen.beginning);
    Ok(is_ours.then(|| Stale {
        path,
        holds_secrets: header::holds_secrets(&seen.beginning),
        identity: seen.identity,
    }))
}

//! A few files that aren't manifests: new ones, or in place of older ones.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rustix::io::Errno;

use super::directory::temporary::Names;
use crate::text::{shown_first, shown_path};

/// A file that is to be written.
pub struct NewFile {
    /// Its path, relative to a folder.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
}

/// Makes files in a folder, which is made where it is missing. Where one of them is there already,
/// or can't be made, none is.
///
/// # Errors
/// Where one is there already, or can't be made.
pub fn write_new(root: &Path, files: &[NewFile]) -> Result<()> {
    all_or_nothing(root, |made| {
        refuse_links(root, files)?;
        refuse(
            root,
            files,
            |path| fs::symlink_metadata(path).is_ok(),
            "there is already",
            "and nothing is overwritten: remove what is there, or name another folder",
        )?;
        for file in files {
            let path = root.join(&file.path);
            write_one(&path, &file.text, made)
                .with_context(|| format!("failed to write {}", shown_path(&path)))?;
        }
        Ok(())
    })
}

/// Writes files into a folder, which is made where it is missing, in place of those of the same
/// names. All of them are written beside their places before the first is replaced, so each is whole
/// at any time, the old one or the new.
///
/// # Errors
/// Where one can't be written, and then none is replaced; or can't be moved to its place, and then those
/// before it are the new ones.
pub fn replace(root: &Path, files: &[NewFile]) -> Result<()> {
    all_or_nothing(root, |made| {
        refuse_links(root, files)?;
        refuse(
            root,
            files,
            |path| fs::symlink_metadata(path).is_ok_and(|there| there.is_dir()),
            "there is a folder at",
            "where a file is to be: remove it, or name another folder",
        )?;
        let names = Names::default();
        let mut staged = Vec::new();
        for file in files {
            let path = root.join(&file.path);
            let beside = write_beside(&path, &file.text, &names, made)
                .with_context(|| format!("failed to write {}", shown_path(&path)))?;
            staged.push((beside, path));
        }
        for (beside, path) in staged {
            fs::rename(&beside, &path)
                .with_context(|| format!("failed to write {}", shown_path(&path)))?;
            // The name may be another run's from here on.
            made.files.retain(|made| *made != beside);
        }
        Ok(())
    })
}

/// Makes a folder, and removes what was made in it where an error comes up.
fn all_or_nothing(root: &Path, write: impl FnOnce(&mut Made) -> Result<()>) -> Result<()> {
    let mut made = Made::default();
    let written = made.folder(root).and_then(|()| write(&mut made));
    if written.is_err() {
        made.remove();
    }
    written.with_context(|| format!("failed to write into {}", shown_path(root)))
}

/// Refuses to write where something is in the way.
fn refuse(
    root: &Path,
    files: &[NewFile],
    is_in_the_way: impl Fn(&Path) -> bool,
    what: &str,
    remedy: &str,
) -> Result<()> {
    let paths = files.iter().map(|file| root.join(&file.path));
    let in_the_way: Vec<PathBuf> = paths.filter(|path| is_in_the_way(path)).collect();
    if in_the_way.is_empty() {
        return Ok(());
    }
    bail!(
        "{what} {}, {remedy}",
        shown_first(in_the_way.iter().map(|path| match leads_nowhere(path) {
            true => format!("{} (a symbolic link to nothing)", shown_path(path)),
            false => shown_path(path).to_string(),
        }))
    )
}

/// Refuses links among the folders below the root: what is written through them is elsewhere. The
/// root itself may be one, since the user has named it.
fn refuse_links(root: &Path, files: &[NewFile]) -> Result<()> {
    let below = files.iter().flat_map(|file| file.path.ancestors().skip(1));
    let below: BTreeSet<&Path> = below.filter(|path| !path.as_os_str().is_empty()).collect();
    for folder in below {
        let path = root.join(folder);
        refuse_dangling(&path)?;
        if path.is_symlink() {
            bail!(
                "{} is a symbolic link, and nothing is written through one: remove it, or name another folder",
                shown_path(&path)
            );
        }
    }
    Ok(())
}

fn leads_nowhere(path: &Path) -> bool {
    path.is_symlink() && !path.exists()
}

fn refuse_dangling(path: &Path) -> Result<()> {
    if leads_nowhere(path) {
        bail!(
            "{} is a symbolic link to nothing: remove it, or make the folder that it names",
            shown_path(path)
        );
    }
    Ok(())
}

fn write_one(path: &Path, text: &str, made: &mut Made) -> Result<()> {
    if let Some(folder) = path.parent() {
        made.folder(folder)?;
    }
    let mut open = made.file(path)?;
    Ok(open.write_all(text.as_bytes())?)
}

/// Writes a text beside its place; gives the path that it has there.
fn write_beside(path: &Path, text: &str, names: &Names, made: &mut Made) -> Result<PathBuf> {
    let (name, mut open) = names.make(|name| {
        let file = made.file(&path.with_file_name(name));
        file.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
    })?;
    open.write_all(text.as_bytes())?;
    Ok(path.with_file_name(name))
}

/// What was made so far.
#[derive(Default)]
struct Made {
    folders: BTreeSet<PathBuf>,
    files: Vec<PathBuf>,
}

impl Made {
    fn folder(&mut self, folder: &Path) -> Result<()> {
        let missing = folder
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        for folder in missing.into_iter().rev() {
            refuse_dangling(&folder)?;
            match fs::create_dir(&folder) {
                Ok(()) => {
                    self.folders.insert(folder);
                }
                // Another run was faster.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error).with_context(|| {
                        format!("failed to make the folder {}", shown_path(&folder))
                    });
                }
            }
        }
        if !folder.is_dir() {
            bail!("{} is not a folder", shown_path(folder));
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> io::Result<File> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        self.files.push(path.to_owned());
        Ok(file)
    }

    /// What can't be removed stays; there is an error to tell already.
    fn remove(self) {
        for file in self.files {
            drop(fs::remove_file(file));
        }
        for folder in self.folders.into_iter().rev() {
            drop(fs::remove_dir(folder));
        }
    }
}

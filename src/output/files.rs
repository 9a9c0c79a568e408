//! A few files that aren't manifests: new ones, or in place of older ones.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};

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
    let within = || format!("failed to write into {}", shown_path(root));
    let in_the_way: Vec<PathBuf> = files
        .iter()
        .map(|file| root.join(&file.path))
        .filter(|path| fs::symlink_metadata(path).is_ok())
        .collect();
    if !in_the_way.is_empty() {
        return Err(anyhow!(
            "there is already {}, and nothing is overwritten: remove what is there, or name another folder",
            shown_first(in_the_way.iter().map(|path| shown_path(path)))
        ))
        .with_context(within);
    }
    let mut made = Made::default();
    let written = files.iter().try_for_each(|file| {
        write_one(root, file, &mut made)
            .with_context(|| format!("failed to write {}", shown_path(&root.join(&file.path))))
    });
    if written.is_err() {
        made.remove();
    }
    written.with_context(within)
}

/// Writes files into a folder, which is made where it is missing, in place of those of the same
/// names. Each is whole at any time, the old one or the new.
///
/// # Errors
/// Where one can't be written.
pub fn replace(root: &Path, files: &[NewFile]) -> Result<()> {
    let within = || format!("failed to write into {}", shown_path(root));
    fs::create_dir_all(root).with_context(within)?;
    for file in files {
        let path = root.join(&file.path);
        replace_one(&path, &file.text)
            .with_context(|| format!("failed to write {}", shown_path(&path)))?;
    }
    Ok(())
}

fn replace_one(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let beside = PathBuf::from(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&beside)?;
    let replaced = file
        .write_all(text.as_bytes())
        .and_then(|()| fs::rename(&beside, path));
    if replaced.is_err() {
        drop(fs::remove_file(&beside));
    }
    replaced
}

fn write_one(root: &Path, file: &NewFile, made: &mut Made) -> Result<()> {
    let path = root.join(&file.path);
    if let Some(folder) = path.parent() {
        made.folder(folder)?;
    }
    let mut open = made.file(&path)?;
    Ok(open.write_all(file.text.as_bytes())?)
}

/// What was made so far.
#[derive(Default)]
struct Made {
    folders: BTreeSet<PathBuf>,
    files: Vec<PathBuf>,
}

impl Made {
    fn folder(&mut self, folder: &Path) -> io::Result<()> {
        let missing = folder
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(&folder)?;
            self.folders.insert(folder);
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

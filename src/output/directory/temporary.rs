//! Temporary names, and what runs that were killed have left under them.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{AtFlags, FileType, unlinkat};
use rustix::io::Errno;

use super::folder::{Entry, Listed};

const PREFIX: &str = ".ma-register-";
const SUFFIX: &str = ".tmp";

/// How many names are tried. Those that are taken belong to runs without a lock.
const TRIES: usize = 100_000;

/// Gives names that this run hasn't used.
#[derive(Debug, Default)]
pub struct Names(AtomicUsize);

impl Names {
    /// Makes something under a new name. `make` has to fail where the name is taken.
    pub fn make<T>(
        &self,
        mut make: impl FnMut(&OsStr) -> Result<T, Errno>,
    ) -> io::Result<(OsString, T)> {
        for _ in 0..TRIES {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            let name = OsString::from(format!("{PREFIX}{number}{SUFFIX}"));
            match make(&name) {
                Ok(made) => return Ok((name, made)),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Errno::EXIST.into())
    }
}

/// Whether a name is one that runs use for a while.
pub fn is_temporary(name: &OsStr) -> bool {
    name.as_bytes()
        .strip_prefix(PREFIX.as_bytes())
        .is_some_and(|rest| rest.ends_with(SUFFIX.as_bytes()))
}

/// Removes what runs that were killed have left in a folder, and drops it from its entries. What
/// can't be removed stays: it is in nobody's way.
pub fn sweep(folder: &mut Listed) {
    let Listed { dir, entries } = folder;
    let Ok(fd) = dir.fd() else { return };
    entries.retain(|entry| !(is_temporary(&entry.name) && remove(fd, entry).is_ok()));
}

/// Removes a file, or a folder with nothing but files in it.
fn remove(parent: BorrowedFd<'_>, entry: &Entry) -> io::Result<()> {
    match entry.kind {
        FileType::RegularFile => Ok(unlinkat(parent, &entry.name, AtFlags::empty())?),
        FileType::Directory => {
            let folder = Listed::open(parent, &entry.name)?;
            let is_file = |inner: &&Entry| inner.kind == FileType::RegularFile;
            for inner in folder.entries.iter().filter(is_file) {
                unlinkat(folder.fd()?.as_fd(), &inner.name, AtFlags::empty())?;
            }
            Ok(unlinkat(parent, &entry.name, AtFlags::REMOVEDIR)?)
        }
        _ => Err(Errno::INVAL.into()),
    }
}

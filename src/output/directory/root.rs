//! The directory itself: made where it is missing, opened, and locked while a run writes into it.

use std::fs;
use std::io::ErrorKind;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, fstat, stat};
use rustix::io::Errno;

use crate::text::shown_path;

/// How often it is made anew where other runs remove it, which they do if they fail after having
/// made it.
const TRIES: usize = 1000;

/// Opens a directory; nothing where it is missing.
pub fn open(path: &Path) -> Result<Option<OwnedFd>> {
    // The directory itself may be a link: the user has named it.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::NOENT) if path.is_symlink() => {
            bail!("it is a symbolic link to nothing: remove it, or make the folder that it names")
        }
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::NOTDIR) if path.exists() => bail!("it is not a folder"),
        Err(error) => {
            Err(error).with_context(|| format!("failed to open the folder {}", shown_path(path)))
        }
    }
}

/// A directory that is written into by one run at a time.
pub struct Root {
    fd: OwnedFd,
    is_locked: bool,
    /// It and its parents, as far as they were missing; outermost first.
    made: Vec<PathBuf>,
}

impl Root {
    /// Makes the directory where it is missing, and locks it. Where another run has locked it,
    /// `on_wait` is called before it is waited for.
    pub fn lock(path: &Path, on_wait: &mut dyn FnMut()) -> Result<Self> {
        let mut made = Vec::new();
        let mut has_waited = false;
        let mut on_wait = || {
            if !has_waited {
                on_wait();
            }
            has_waited = true;
        };
        for _ in 0..TRIES {
            let fd = match open(path) {
                Ok(Some(fd)) => fd,
                Ok(None) => {
                    make(path, &mut made)
                        .inspect_err(|_| unmake(&made))
                        .with_context(|| {
                            format!("failed to make the folder {}", shown_path(path))
                        })?;
                    continue;
                }
                Err(error) => {
                    unmake(&made);
                    return Err(error);
                }
            };
            let is_locked = lock(&fd, &mut on_wait);
            // The run that was waited for may have removed the folder, which it had made.
            if !is_locked || is_at(&fd, path) {
                return Ok(Self {
                    fd,
                    is_locked,
                    made,
                });
            }
        }
        unmake(&made);
        bail!("it can't be made, or is removed again and again")
    }

    /// The open directory.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Whether no other run writes into it. Not every file system has locks.
    pub fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// Removes what was made for it: the run has failed.
    pub fn unmake(self) {
        unmake(&self.made);
    }
}

/// Makes a folder and its parents, as far as they are missing.
fn make(path: &Path, made: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .collect();
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Ok(()) => made.push(folder.to_owned()),
            // Another run was faster, in making this one or in removing its parent.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Removes folders; one that something was put into stays.
fn unmake(made: &[PathBuf]) {
    for folder in made.iter().rev() {
        drop(fs::remove_dir(folder));
    }
}

/// Locks an open folder, until it is closed; false where that can't be had.
fn lock(fd: &OwnedFd, on_wait: &mut dyn FnMut()) -> bool {
    match flock(fd, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => true,
        Err(Errno::WOULDBLOCK) => {
            on_wait();
            rustix::io::retry_on_intr(|| flock(fd, FlockOperation::LockExclusive)).is_ok()
        }
        Err(_) => false,
    }
}

/// Whether a path still leads to an open folder.
fn is_at(fd: &OwnedFd, path: &Path) -> bool {
    match (fstat(fd), stat(path)) {
        (Ok(one), Ok(other)) => (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino),
        _ => false,
    }
}

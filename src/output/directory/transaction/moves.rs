//! The moves that a transaction is made of. Each of them is atomic: at every moment a name leads to
//! a whole file, old or new.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _, Write as _};
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};
use rustix::fs::{
    AtFlags, Mode, OFlags, RenameFlags, fchmod, fstat, linkat, openat, renameat, renameat_with,
    unlinkat,
};
use rustix::io::Errno;

use crate::output::directory::folder::{self, Identity};
use crate::output::directory::temporary::Names;

/// Moves within a folder.
///
/// Where the file system can't exchange names, or refuse to replace one, links do the same; and
/// where it has none of these either, a copy is what remains of a file that is replaced.
#[derive(Debug, Default)]
pub struct Moves {
    has_no_flags: AtomicBool,
    #[cfg(test)]
    has_no_links: bool,
    #[cfg(test)]
    is_overlay: bool,
}

impl Moves {
    /// Those of a file system without flags, or without links as well.
    #[cfg(test)]
    pub fn poor(has_links: bool) -> Self {
        Self {
            has_no_flags: AtomicBool::new(true),
            has_no_links: !has_links,
            is_overlay: false,
        }
    }

    /// Those of an overlay, where the folders that are there are of a lower layer.
    #[cfg(test)]
    pub fn of_overlay() -> Self {
        Self {
            is_overlay: true,
            ..Self::default()
        }
    }

    /// Moves a file or folder to a name that nothing has.
    pub fn put(&self, folder: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> io::Result<()> {
        match self.rename(folder, from, to, RenameFlags::NOREPLACE) {
            Some(result) => Ok(result?),
            None => match self.link(folder, from, to) {
                Ok(()) => Ok(unlinkat(folder, from, AtFlags::empty())?),
                Err(Errno::EXIST) => Err(Errno::EXIST.into()),
                // A folder, or no links. Anything that comes between the two calls would be lost,
                // apart from folders with something in them.
                Err(_) => match folder::kind(folder, to)? {
                    Some(_) => Err(Errno::EXIST.into()),
                    None => Ok(renameat(folder, from, folder, to)?),
                },
            },
        }
    }

    /// Moves a file or folder to a temporary name, which it returns.
    pub fn set_aside(
        &self,
        folder: BorrowedFd<'_>,
        name: &OsStr,
        names: &Names,
    ) -> io::Result<OsString> {
        #[cfg(test)]
        if self.is_overlay && folder::kind(folder, name)? == Some(rustix::fs::FileType::Directory) {
            return Err(Errno::XDEV.into());
        }
        let (temporary, ()) = names.make(|temporary| {
            self.put(folder, name, temporary)
                .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
        })?;
        Ok(temporary)
    }

    /// Moves a file to a temporary name, which it returns, if it is still the one that is meant.
    pub fn take_out(
        &self,
        folder: BorrowedFd<'_>,
        name: &OsStr,
        meant: &Identity,
        names: &Names,
    ) -> Result<OsString> {
        let temporary = self.set_aside(folder, name, names)?;
        if !is(folder, &temporary, meant) {
            self.put(folder, &temporary, name)?;
            bail!(CHANGED);
        }
        Ok(temporary)
    }

    /// Moves a new file to the place of an old one, if that is still the one that is meant. Returns
    /// the temporary name of the old one.
    pub fn replace(
        &self,
        folder: BorrowedFd<'_>,
        new: &OsStr,
        place: &OsStr,
        meant: &Identity,
        names: &Names,
    ) -> Result<OsString> {
        match self.rename(folder, new, place, RenameFlags::EXCHANGE) {
            Some(result) => {
                result?;
                if !is(folder, new, meant) {
                    renameat_with(folder, new, folder, place, RenameFlags::EXCHANGE)?;
                    bail!(CHANGED);
                }
                Ok(new.to_owned())
            }
            None => {
                if !is(folder, place, meant) {
                    bail!(CHANGED);
                }
                let (kept, ()) = names.make(|kept| match self.link(folder, place, kept) {
                    Err(Errno::EXIST) => Err(Errno::EXIST),
                    Err(_) => copy(folder, place, kept),
                    Ok(()) => Ok(()),
                })?;
                if let Err(error) = renameat(folder, new, folder, place) {
                    folder::discard(folder, &kept, AtFlags::empty());
                    return Err(error.into());
                }
                Ok(kept)
            }
        }
    }

    /// Renames with flags; nothing where the file system doesn't know them.
    fn rename(
        &self,
        folder: BorrowedFd<'_>,
        from: &OsStr,
        to: &OsStr,
        flags: RenameFlags,
    ) -> Option<Result<(), Errno>> {
        if self.has_no_flags.load(Ordering::Relaxed) {
            return None;
        }
        match renameat_with(folder, from, folder, to, flags) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                self.has_no_flags.store(true, Ordering::Relaxed);
                None
            }
            result => Some(result),
        }
    }

    fn link(&self, folder: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
        #[cfg(test)]
        if self.has_no_links {
            return Err(Errno::PERM);
        }
        linkat(folder, from, folder, to, AtFlags::empty())
    }
}

const CHANGED: &str = "it was changed while this run was writing";

fn is(folder: BorrowedFd<'_>, name: &OsStr, meant: &Identity) -> bool {
    Identity::of(folder, name).is_ok_and(|found| found == *meant)
}

/// Copies a file, with its mode, to a name that nothing has.
fn copy(folder: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
    let errno = |error: io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
    let mut bytes = Vec::new();
    let mut old = folder::open_file(folder, from).map_err(errno)?;
    old.read_to_end(&mut bytes).map_err(errno)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = openat(folder, to, flags, Mode::from_raw_mode(0o600))?;
    let write = || {
        let mode = Mode::from_raw_mode(fstat(&old)?.st_mode & 0o7777);
        fchmod(&fd, mode)?;
        let mut copy = std::fs::File::from(fd);
        copy.write_all(&bytes).map_err(errno)
    };
    write().inspect_err(|_| folder::discard(folder, to, AtFlags::empty()))
}

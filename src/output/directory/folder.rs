//! Folders and files by descriptor: what is opened once can't be exchanged for a link on the way.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat, unlinkat};

/// Flags by which a folder below the root is opened.
const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Flags by which a file is opened: a FIFO that came in its place isn't waited for.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// Opens a folder, unless it is a symbolic link.
pub fn open(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<OwnedFd> {
    Ok(openat(parent, name, FOLDER, Mode::empty())?)
}

/// Opens a file to read it, unless it is a symbolic link.
pub fn open_file(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<File> {
    Ok(openat(parent, name, FILE, Mode::empty())?.into())
}

/// What kind of thing a name is, if it is there; a symbolic link is one.
pub fn kind(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<Option<FileType>> {
    match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes a file or an empty folder, if that can be.
pub fn discard(parent: impl AsFd, name: impl rustix::path::Arg, flags: AtFlags) {
    let _ = unlinkat(parent, name, flags);
}

/// A name in a folder.
pub struct Entry {
    /// Without the folder.
    pub name: OsString,
    /// A symbolic link is one.
    pub kind: FileType,
}

/// A folder with what was in it.
pub struct Listed {
    pub(super) dir: Dir,
    /// In the order of their names.
    pub entries: Vec<Entry>,
}

impl Listed {
    /// Opens and reads a folder, unless it is a symbolic link.
    pub fn open(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<Self> {
        let mut dir = Dir::new(open(parent, name)?)?;
        let mut entries = Vec::new();
        while let Some(entry) = dir.read() {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let kind = match entry.file_type() {
                // Not every file system says it here.
                FileType::Unknown => match kind(dir.fd()?, name)? {
                    Some(kind) => kind,
                    None => continue,
                },
                kind => kind,
            };
            entries.push(Entry {
                name: name.to_owned(),
                kind,
            });
        }
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(Self { dir, entries })
    }

    /// The open folder.
    pub fn fd(&self) -> io::Result<BorrowedFd<'_>> {
        Ok(self.dir.fd()?)
    }
}

/// What tells whether a file is still the one that was looked at. Its inode isn't part of it: an
/// overlay may give it another one once it is moved, as it does with the time of its last change of
/// state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    kind: FileType,
    size: u64,
    modified: (i64, i64),
}

impl Identity {
    /// That of a name in a folder.
    pub fn of(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<Self> {
        Ok(Self::from(&statat(
            parent,
            name,
            AtFlags::SYMLINK_NOFOLLOW,
        )?))
    }
}

impl From<&Stat> for Identity {
    // The types of the fields differ between platforms.
    #[allow(
        clippy::cast_sign_loss,
        clippy::unnecessary_cast,
        trivial_numeric_casts
    )]
    fn from(stat: &Stat) -> Self {
        Self {
            kind: FileType::from_raw_mode(stat.st_mode),
            size: stat.st_size as u64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        }
    }
}

/// A file that was looked at.
pub struct Seen {
    /// That of what was opened.
    pub identity: Identity,
    /// Whether it is a regular file.
    pub is_file: bool,
    /// Whether others than the owner may do anything with it.
    pub is_wide: bool,
    /// Its first bytes.
    pub beginning: Vec<u8>,
}

/// Looks at a file: reads as much as it has to have, or, where its size is another one anyway, only
/// as much as is needed to know whose it is.
pub fn look(
    parent: BorrowedFd<'_>,
    name: &OsStr,
    expected: Option<usize>,
    header: usize,
) -> io::Result<Seen> {
    let file = open_file(parent, name)?;
    let stat = fstat(file.as_fd())?;
    let identity = Identity::from(&stat);
    let is_file = identity.kind.is_file();
    let length = match expected {
        Some(expected) if identity.size == expected as u64 => expected,
        _ => header,
    };
    let mut beginning = Vec::with_capacity(length);
    if is_file {
        file.take(length as u64).read_to_end(&mut beginning)?;
    }
    Ok(Seen {
        identity,
        is_file,
        is_wide: stat.st_mode & 0o077 != 0,
        beginning,
    })
}

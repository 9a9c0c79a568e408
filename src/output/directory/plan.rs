//! What a run would do: each file that is to be there with its state, and those that are too many.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::ops::Range;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::folder::{self, Identity};
use super::{header, root};
use crate::render::{Manifest, Secrecy};
use crate::side::Side;
use crate::text::shown_path;

/// How a file that is to be there compares with what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is there.
    New,
    /// A generated file is there that has another text, or lets others read secrets.
    Changed,
    /// It is there.
    Unchanged,
}

/// A file that is to be there.
pub struct Planned<'a> {
    /// Its path below the root.
    pub path: PathBuf,
    /// What secret material it holds.
    pub secrecy: Secrecy,
    /// The manifest that it holds; a `kustomization.yaml` has none.
    pub manifest: Option<&'a Manifest>,
    /// How it compares with what is there.
    pub state: State,
    /// Its text after the header.
    pub(super) body: Cow<'a, str>,
    /// The file that is to be replaced.
    pub(super) old: Option<Identity>,
}

impl<'a> Planned<'a> {
    /// The file of a manifest.
    pub(super) fn of_manifest(path: PathBuf, manifest: &'a Manifest) -> Self {
        Self {
            path,
            secrecy: manifest.secrecy,
            manifest: Some(manifest),
            state: State::New,
            body: Cow::Borrowed(&manifest.text),
            old: None,
        }
    }

    /// A file beside the manifests.
    pub(super) fn of_text(path: PathBuf, text: String) -> Self {
        Self {
            path,
            secrecy: Secrecy::Public,
            manifest: None,
            state: State::New,
            body: Cow::Owned(text),
            old: None,
        }
    }

    /// Whether it holds secret material.
    pub fn is_secret(&self) -> bool {
        self.secrecy != Secrecy::Public
    }

    /// Its text, from the header on.
    pub fn text(&self) -> String {
        let [first, second] = header::lines(self.is_secret());
        [first, second, &self.body].concat()
    }

    /// Where in its text the scalars stand that hold secret material, with their quotes.
    pub fn secrets(&self) -> Vec<Range<usize>> {
        let header = self.length() - self.body.len();
        let of_manifest = self.manifest.map_or(&[][..], |manifest| &manifest.secrets);
        let shifted = |range: &Range<usize>| range.start + header..range.end + header;
        of_manifest.iter().map(shifted).collect()
    }

    /// The length of its text.
    pub(super) fn length(&self) -> usize {
        let [first, second] = header::lines(self.is_secret());
        first.len() + second.len() + self.body.len()
    }

    /// Whether bytes are its text.
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        let [first, second] = header::lines(self.is_secret());
        bytes
            .strip_prefix(first.as_bytes())
            .and_then(|rest| rest.strip_prefix(second.as_bytes()))
            == Some(self.body.as_bytes())
    }

    /// Its name in its folder.
    pub(super) fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }
}

/// A generated file of a rendered side that this run doesn't yield, of a cluster that it is about.
#[derive(Clone, Debug)]
pub struct Stale {
    /// Its path below the root.
    pub path: PathBuf,
    /// Whether its header says that it holds secrets.
    pub holds_secrets: bool,
    pub(super) identity: Identity,
}

impl Stale {
    /// Its name in its folder.
    pub(super) fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }
}

/// A folder `DIR/SIDE/NAME`, or the folder `DIR/SIDE`.
pub(super) struct Folder<'a> {
    pub side: Side,
    /// None for the side's folder.
    pub name: Option<OsString>,
    pub is_there: bool,
    /// The files that are to be in it, in the order of their names.
    pub files: Vec<Planned<'a>>,
    /// The generated files that are too many, in the order of their names.
    pub stale: Vec<Stale>,
    /// Whether anything else is in it.
    pub has_others: bool,
}

impl Folder<'_> {
    /// Its path below the root.
    pub fn path(&self) -> PathBuf {
        let side = Path::new(self.side.folder());
        match &self.name {
            Some(name) => side.join(name),
            None => side.to_owned(),
        }
    }
}

/// What a run would do. In it, a side's own files come before its clusters', by name.
pub struct Plan<'a> {
    pub(super) root: PathBuf,
    pub(super) prune: bool,
    pub(super) folders: Vec<Folder<'a>>,
}

impl<'a> Plan<'a> {
    /// The directory, as the user has named it.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The files that are to be there.
    pub fn files(&self) -> impl Iterator<Item = &Planned<'a>> {
        self.folders.iter().flat_map(|folder| &folder.files)
    }

    /// The generated files of the rendered sides that this run doesn't yield. They are removed if
    /// it prunes.
    pub fn stale(&self) -> impl Iterator<Item = &Stale> {
        self.folders.iter().flat_map(|folder| &folder.stale)
    }

    /// The bytes of a generated file that is there, by its path below the root.
    ///
    /// # Errors
    /// Where it isn't there any more, or can't be read.
    pub fn old(&self, path: &Path) -> Result<Vec<u8>> {
        let shown = shown_path(&self.root.join(path));
        let mut bytes = Vec::new();
        let mut read = || -> std::io::Result<()> {
            let opened = root::open(&self.root).map_err(std::io::Error::other)?;
            let Some(mut fd) = opened else {
                return Err(rustix::io::Errno::NOENT.into());
            };
            for part in path.parent().into_iter().flatten() {
                fd = folder::open(fd.as_fd(), part)?;
            }
            let name = path.file_name().unwrap_or_default();
            folder::open_file(fd.as_fd(), name)?.read_to_end(&mut bytes)?;
            Ok(())
        };
        read().with_context(|| format!("failed to read {shown}"))?;
        if !header::is_generated(&bytes) {
            bail!("failed to read {shown}: it was changed while this run was looking at it");
        }
        Ok(bytes)
    }
}

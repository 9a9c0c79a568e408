//! A folder that isn't there: staged as a folder, and moved in at once.

use std::ffi::OsString;
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result};
use rustix::fs::{AtFlags, Mode, mkdirat, unlinkat};

use super::{Job, Tools, write};
use crate::output::directory::folder;
use crate::output::directory::plan::Folder;
use crate::text::shown_path;

/// A folder that isn't there.
pub struct Whole<'p> {
    folder: &'p Folder<'p>,
    /// Where it is now, once it is anywhere.
    at: Option<OsString>,
    written: usize,
}

impl<'p> Whole<'p> {
    pub fn new(folder: &'p Folder<'p>) -> Self {
        Self {
            folder,
            at: None,
            written: 0,
        }
    }
}

impl Job for Whole<'_> {
    fn stage(&mut self, tools: &Tools<'_>) -> Result<()> {
        let path = tools.path(self.folder.path());
        let side = tools.side(self.folder.side)?;
        let mode = Mode::from_raw_mode(0o777);
        let (temporary, ()) = tools
            .names
            .make(|name| mkdirat(side, name, mode))
            .with_context(|| format!("failed to make the folder {}", shown_path(&path)))?;
        let opened = folder::open(side, &temporary);
        self.at = Some(temporary);
        let fd = opened.with_context(|| format!("failed to write {}", shown_path(&path)))?;
        for file in &self.folder.files {
            write(fd.as_fd(), file.name(), file).with_context(|| {
                format!("failed to write {}", shown_path(&tools.path(&file.path)))
            })?;
            self.written += 1;
        }
        Ok(())
    }

    fn install(&mut self, tools: &Tools<'_>) -> Result<()> {
        let side = tools.side(self.folder.side)?;
        if let (Some(at), Some(name)) = (&mut self.at, &self.folder.name) {
            tools.moves.put(side, at, name).with_context(|| {
                let path = tools.path(self.folder.path());
                format!("failed to make the folder {}", shown_path(&path))
            })?;
            at.clone_from(name);
        }
        Ok(())
    }

    fn undo(&mut self, tools: &Tools<'_>) -> Result<()> {
        let Some(at) = self.at.take() else {
            return Ok(());
        };
        let remove = || -> std::io::Result<()> {
            let side = tools.side(self.folder.side)?;
            let fd = folder::open(side, &at)?;
            for file in self.folder.files.iter().take(self.written) {
                unlinkat(&fd, file.name(), AtFlags::empty())?;
            }
            Ok(unlinkat(side, &at, AtFlags::REMOVEDIR)?)
        };
        remove().with_context(|| {
            let path = tools.path(self.folder.side.folder()).join(&at);
            format!("failed to remove {} again", shown_path(&path))
        })
    }

    fn finish(&mut self, _: &Tools<'_>) {}
}

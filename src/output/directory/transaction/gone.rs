//! A folder that goes, with nothing but stale files in it: moved out at once.

use std::ffi::OsString;
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result};
use rustix::fs::{AtFlags, unlinkat};

use super::{Job, Tools};
use crate::output::directory::folder::{self, Identity};
use crate::output::directory::plan::Folder;
use crate::text::shown_path;

/// A folder that goes.
pub struct Gone<'p> {
    folder: &'p Folder<'p>,
    /// Where it is, once it has been moved.
    at: Option<OsString>,
}

impl<'p> Gone<'p> {
    pub fn new(folder: &'p Folder<'p>) -> Self {
        Self { folder, at: None }
    }
}

impl Job for Gone<'_> {
    fn stage(&mut self, _: &Tools<'_>) -> Result<()> {
        Ok(())
    }

    fn install(&mut self, tools: &Tools<'_>) -> Result<()> {
        if let Some(name) = &self.folder.name {
            let side = tools.side(self.folder.side)?;
            let at = tools
                .moves
                .set_aside(side, name, &tools.names)
                .with_context(|| {
                    let path = tools.path(self.folder.path());
                    format!("failed to remove {}", shown_path(&path))
                })?;
            self.at = Some(at);
        }
        Ok(())
    }

    fn undo(&mut self, tools: &Tools<'_>) -> Result<()> {
        let (Some(at), Some(name)) = (self.at.take(), &self.folder.name) else {
            return Ok(());
        };
        let side = tools.side(self.folder.side)?;
        tools.moves.put(side, &at, name).with_context(|| {
            let path = tools.path(self.folder.path());
            let now = path.with_file_name(&at);
            let (path, now) = (shown_path(&path), shown_path(&now));
            format!("failed to put back {path}, which is {now} now")
        })
    }

    fn finish(&mut self, tools: &Tools<'_>) {
        let (Some(at), Some(name)) = (self.at.take(), &self.folder.name) else {
            return;
        };
        let Ok(side) = tools.side(self.folder.side) else {
            return;
        };
        if let Ok(fd) = folder::open(side, &at) {
            for stale in &self.folder.stale {
                // One that has come in its place since isn't ours to remove.
                let now = Identity::of(fd.as_fd(), stale.name());
                if now.is_ok_and(|now| now == stale.identity) {
                    folder::discard(&fd, stale.name(), AtFlags::empty());
                }
            }
        }
        if unlinkat(side, &at, AtFlags::REMOVEDIR).is_err() {
            // Someone has put something into it meanwhile, which stays where it was put.
            drop(tools.moves.put(side, &at, name));
        }
    }
}

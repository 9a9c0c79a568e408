//! A folder that goes, with nothing but stale files in it: moved out at once.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result};
use rustix::fs::{AtFlags, unlinkat};

use super::within::Within;
use super::{Job, Tools};
use crate::output::directory::folder::{self, Identity, discard};
use crate::output::directory::plan::Folder;
use crate::text::shown_path;

/// A folder that goes.
pub struct Gone<'p> {
    folder: &'p Folder<'p>,
    /// Where it is, once it has been moved.
    at: Option<OsString>,
    /// Its files, where it can't be moved.
    files: Option<Within<'p>>,
}

impl<'p> Gone<'p> {
    pub fn new(folder: &'p Folder<'p>) -> Self {
        Self {
            folder,
            at: None,
            files: None,
        }
    }
}

impl Job for Gone<'_> {
    fn stage(&mut self, _: &Tools<'_>) -> Result<()> {
        Ok(())
    }

    fn install(&mut self, tools: &Tools<'_>) -> Result<()> {
        let Some(name) = &self.folder.name else {
            return Ok(());
        };
        let side = tools.side(self.folder.side)?;
        match tools.moves.set_aside(side, name, &tools.names) {
            Ok(at) => self.at = Some(at),
            // An overlay can't move a folder of a lower layer.
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                self.files = Within::new(self.folder, true);
                if let Some(files) = &mut self.files {
                    files.install(tools)?;
                }
            }
            Err(error) => {
                let path = tools.path(self.folder.path());
                return Err(error)
                    .with_context(|| format!("failed to remove {}", shown_path(&path)));
            }
        }
        Ok(())
    }

    fn undo(&mut self, tools: &Tools<'_>) -> Result<()> {
        if let Some(files) = &mut self.files {
            return files.undo(tools);
        }
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
        let (Some(name), Ok(side)) = (&self.folder.name, tools.side(self.folder.side)) else {
            return;
        };
        if let Some(files) = &mut self.files {
            files.finish(tools);
            discard(side, name, AtFlags::REMOVEDIR);
        }
        let Some(at) = self.at.take() else { return };
        if let Ok(fd) = folder::open(side, &at) {
            for stale in &self.folder.stale {
                // One that has come in its place since isn't ours to remove.
                let now = Identity::of(fd.as_fd(), stale.name());
                if now.is_ok_and(|now| now == stale.identity) {
                    discard(&fd, stale.name(), AtFlags::empty());
                }
            }
        }
        if unlinkat(side, &at, AtFlags::REMOVEDIR).is_err() {
            // Someone has put something into it meanwhile, which stays where it was put.
            drop(tools.moves.put(side, &at, name));
        }
    }
}

//! Files of a folder that is there: each is moved in, exchanged or moved out by itself.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::fs::{AtFlags, renameat, unlinkat};

use super::{Job, Tools, write};
use crate::output::directory::folder::{Identity, discard};
use crate::output::directory::plan::{Folder, Planned, State};
use crate::text::shown_path;

/// The files of a folder that change.
pub struct Within<'p> {
    folder: &'p Folder<'p>,
    steps: Vec<Step<'p>>,
}

struct Step<'p> {
    /// Below the root.
    path: &'p Path,
    name: &'p OsStr,
    action: Action<'p>,
    /// What stands beside the place for now: the new text until it is installed, the old one after.
    temporary: Option<OsString>,
    is_installed: bool,
}

#[derive(Clone, Copy)]
enum Action<'p> {
    Add(&'p Planned<'p>),
    Replace(&'p Planned<'p>, &'p Identity),
    Remove(&'p Identity),
}

impl<'p> Within<'p> {
    /// Nothing where nothing changes.
    pub fn new(folder: &'p Folder<'p>, prune: bool) -> Option<Self> {
        let step = |path: &'p Path, action: Action<'p>| Step {
            path,
            name: path.file_name().unwrap_or_default(),
            action,
            temporary: None,
            is_installed: false,
        };
        let changes = folder.files.iter().filter_map(|file| {
            let action = match (&file.state, &file.old) {
                (State::Unchanged, _) => return None,
                (_, Some(old)) => Action::Replace(file, old),
                (_, None) => Action::Add(file),
            };
            Some(step(&file.path, action))
        });
        let removals = folder
            .stale
            .iter()
            .filter(|_| prune)
            .map(|stale| step(&stale.path, Action::Remove(&stale.identity)));
        let steps: Vec<Step<'p>> = changes.chain(removals).collect();
        (!steps.is_empty()).then_some(Self { folder, steps })
    }
}

impl Job for Within<'_> {
    fn stage(&mut self, tools: &Tools<'_>) -> Result<()> {
        let folder = tools.open(self.folder).with_context(|| {
            let path = tools.path(self.folder.path());
            format!("failed to open the folder {}", shown_path(&path))
        })?;
        for step in &mut self.steps {
            if let Action::Add(file) | Action::Replace(file, _) = step.action {
                let (temporary, ()) = tools
                    .names
                    .make(|name| write(folder.as_fd(), name, file))
                    .with_context(|| {
                        format!("failed to write {}", shown_path(&tools.path(step.path)))
                    })?;
                step.temporary = Some(temporary);
            }
        }
        Ok(())
    }

    fn install(&mut self, tools: &Tools<'_>) -> Result<()> {
        let folder = tools.open(self.folder).with_context(|| {
            let path = tools.path(self.folder.path());
            format!("failed to open the folder {}", shown_path(&path))
        })?;
        for step in &mut self.steps {
            step.install(folder.as_fd(), tools)?;
        }
        Ok(())
    }

    fn undo(&mut self, tools: &Tools<'_>) -> Result<()> {
        if self.steps.iter().all(|step| step.temporary.is_none()) {
            return Ok(());
        }
        let folder = tools.open(self.folder).with_context(|| {
            let path = tools.path(self.folder.path());
            format!("failed to clean up in {}", shown_path(&path))
        })?;
        let mut result = Ok(());
        for step in self.steps.iter_mut().rev() {
            result = result.and(step.undo(folder.as_fd(), tools));
        }
        result
    }

    fn finish(&mut self, tools: &Tools<'_>) {
        let Ok(folder) = tools.open(self.folder) else {
            return;
        };
        for step in &self.steps {
            if let (Action::Replace(..) | Action::Remove(_), Some(old)) =
                (step.action, &step.temporary)
            {
                discard(&folder, old, AtFlags::empty());
            }
        }
    }
}

impl Step<'_> {
    fn install(&mut self, folder: BorrowedFd<'_>, tools: &Tools<'_>) -> Result<()> {
        let path = tools.path(self.path);
        let failed = |verb| move || format!("failed to {verb} {}", shown_path(&path));
        match (self.action, &self.temporary) {
            (Action::Add(_), Some(new)) => tools
                .moves
                .put(folder, new, self.name)
                .with_context(failed("write"))?,
            (Action::Replace(_, old), Some(new)) => {
                let kept = tools
                    .moves
                    .replace(folder, new, self.name, old, &tools.names)
                    .with_context(failed("write"))?;
                self.temporary = Some(kept);
            }
            (Action::Remove(old), _) => {
                let kept = tools
                    .moves
                    .take_out(folder, self.name, old, &tools.names)
                    .with_context(failed("remove"))?;
                self.temporary = Some(kept);
            }
            // Nothing was staged.
            (_, None) => return Ok(()),
        }
        self.is_installed = true;
        Ok(())
    }

    fn undo(&mut self, folder: BorrowedFd<'_>, tools: &Tools<'_>) -> Result<()> {
        let Some(temporary) = self.temporary.take() else {
            return Ok(());
        };
        let path = tools.path(self.path);
        let result = match (self.action, self.is_installed) {
            (Action::Add(_), true) => unlinkat(folder, self.name, AtFlags::empty()),
            (_, false) => unlinkat(folder, &temporary, AtFlags::empty()),
            // The new one goes with it.
            (Action::Replace(..), true) => renameat(folder, &temporary, folder, self.name),
            (Action::Remove(_), true) => {
                return tools
                    .moves
                    .put(folder, &temporary, self.name)
                    .with_context(|| not_restored(&path, &temporary));
            }
        };
        result.with_context(|| not_restored(&path, &temporary))
    }
}

fn not_restored(path: &Path, temporary: &OsStr) -> String {
    let beside = path.with_file_name(temporary);
    format!(
        "failed to restore {} from {}",
        shown_path(path),
        shown_path(&beside)
    )
}

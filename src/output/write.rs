//! Carries out a plan. Each changed file is staged beside its destination and then renamed.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use rayon::prelude::*;
use tempfile::{Builder, TempPath};

use super::compare::{Change, PREFIX, SUFFIX};
use super::directory::Plan;
use crate::show::shown_path;

impl Plan {
    /// Makes the changes. Fails if a file can't be written. If it can't even be staged, nothing has changed.
    pub fn write(&self) -> Result<()> {
        // All files are staged before the first rename, so that a full disk changes nothing.
        let staged: Result<Vec<(&Change, TempPath)>> = self
            .changes
            .par_iter()
            .filter_map(|change| change.after.as_ref().map(|text| (change, text)))
            .map(|(change, text)| Ok((change, stage(change, text)?)))
            .collect();
        staged?.into_par_iter().try_for_each(|(change, file)| {
            file.persist(&change.path).with_context(|| failed("write", &change.path))
        })?;
        for path in &self.readable_by_others {
            fs::set_permissions(path, Permissions::from_mode(0o600))
                .with_context(|| failed("close", path))?;
        }
        let gone =
            self.changes.iter().filter(|change| change.after.is_none()).map(|change| &change.path);
        for path in gone.chain(&self.temporaries) {
            fs::remove_file(path).with_context(|| failed("remove", path))?;
            if let Some(folder) = path.parent() {
                // Fails if the folder isn't empty, and then it has to stay.
                let _ = fs::remove_dir(folder);
            }
        }
        Ok(())
    }

    /// Returns the numbers of written and removed files.
    pub fn counts(&self) -> (usize, usize) {
        let written = self.changes.iter().filter(|change| change.after.is_some()).count();
        (written, self.changes.len() - written)
    }
}

fn stage(change: &Change, text: &str) -> Result<TempPath> {
    let failed = || failed("write", &change.path);
    let folder = change.path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder).with_context(failed)?;
    let mode = if change.holds_secret { 0o600 } else { 0o644 };
    // In the same folder, since a rename can't cross file systems.
    let mut file = Builder::new()
        .prefix(PREFIX)
        .suffix(SUFFIX)
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)
        .with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)?;
    Ok(file.into_temp_path())
}

fn failed(verb: &str, path: &Path) -> String {
    format!("failed to {verb} {}", shown_path(path))
}

/// Writes a new file. Never overwrites one. Fails if it exists or can't be written.
pub fn new_file(path: &Path, text: &str) -> Result<()> {
    let failed = || failed("write", path);
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder).with_context(failed)?;
    let mut file = fs::File::create_new(path).with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)
}

//! Manifests as a directory tree: `DIR/SIDE/CLUSTER/NN-kind-name.yaml`.
//!
//! A run holds a lock on DIR, surveys what is there, stages every new text beside its place, and
//! only then moves the texts in, in a way that can be undone until the last of them is in place.
//! So an error leaves the tree as it was, and a run that is killed leaves each file whole, old or
//! new. Only files that begin with [`HEADER`] are ever replaced or removed, and no symbolic link
//! below DIR is followed.

mod folder;
mod header;
mod kustomization;
mod plan;
mod root;
mod survey;
mod targets;
pub(super) mod temporary;
mod transaction;

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Progress;
use crate::render::Manifest;
use crate::side::Side;
use crate::text::shown_path;
pub use header::{HEADER, SECRET_HEADER, holds_secrets, is_generated};
pub use plan::{Plan, Planned, Stale, State};
use root::Root;
use survey::Survey;
pub use targets::refuse_plaintext_secrets;
use targets::targets;
use transaction::moves::Moves;

/// How a tree is written.
#[derive(Clone, Debug)]
pub struct Options {
    /// The sides that were rendered; the other one is left as it is.
    pub sides: &'static [Side],
    /// The clusters that the run is about, by name; all where there are none. The folders of others
    /// are left as they are, whatever is in them.
    pub clusters: Vec<String>,
    /// Remove the generated files of these sides and clusters that this run doesn't yield.
    pub prune: bool,
    /// Write `kustomization.yaml` files as well.
    pub kustomization: bool,
    /// Write secrets, too, that the values files don't hold in the clear themselves.
    pub plaintext_secrets: bool,
}

impl Options {
    /// Whether the run is about a cluster, by the name of its folder.
    fn is_about(&self, name: &OsStr) -> bool {
        self.clusters.is_empty() || self.clusters.iter().any(|cluster| name == cluster.as_str())
    }
}

/// What a run has written and left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that weren't there.
    pub added: usize,
    /// Files with another text, or with secrets and a mode that let others read them.
    pub changed: usize,
    /// Files that were left as they were.
    pub unchanged: usize,
    /// Generated files that this run doesn't yield, and has removed.
    pub removed: usize,
    /// Those that it has left, by their path below the root.
    pub stale: Vec<PathBuf>,
}

/// Writes the manifests below `root`, which is made where it is missing. Where another run writes
/// there, this one says so by `on_wait` and waits for it.
///
/// # Errors
/// Where something stands in the way or can't be written; the tree is then as it was.
pub fn write(
    root: &Path,
    manifests: &[Manifest],
    options: &Options,
    progress: &Progress,
    on_wait: &mut dyn FnMut(),
) -> Result<Summary> {
    refuse_plaintext_secrets(root, manifests, options)?;
    let mut write = || {
        let targets = targets(manifests, options)?;
        let locked = Root::lock(root, on_wait)?;
        let survey = Survey {
            root,
            options,
            // Without a lock, a temporary may belong to another run.
            sweeps: locked.is_locked(),
        };
        let result = survey
            .plan(Some(locked.fd()), targets)
            .and_then(|plan| transaction::run(&plan, locked.fd(), &Moves::default(), progress));
        match result {
            Ok(summary) => Ok(summary),
            Err(error) => {
                locked.unmake();
                Err(error)
            }
        }
    };
    write().with_context(|| format!("failed to write into {}", shown_path(root)))
}

/// What [`write()`] would do, without doing anything: it only reads.
///
/// # Errors
/// Where something stands in the way or can't be read.
pub fn plan<'a>(root: &Path, manifests: &'a [Manifest], options: &Options) -> Result<Plan<'a>> {
    let targets = targets(manifests, options)?;
    let survey = Survey {
        root,
        options,
        sweeps: false,
    };
    let opened = root::open(root)?;
    survey.plan(opened.as_ref().map(AsFd::as_fd), targets)
}

//! Puts a plan into effect, whole or not at all.
//!
//! Every text is staged first: one of a folder that is there beside its place, a wholly new folder
//! as a folder. Then everything is moved in, and what it replaces is kept under a temporary name.
//! Until the last move, all of them can be undone; only then is removed what was replaced.

mod gone;
pub mod moves;
mod whole;
mod within;

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};
use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;

use super::Summary;
use super::folder;
use super::plan::{Folder, Plan, Planned, State};
use super::temporary::Names;
use crate::output::Progress;
use crate::parallel::in_parallel_with;
use crate::side::Side;
use crate::text::shown_path;
use gone::Gone;
use moves::Moves;
use whole::Whole;
use within::Within;

/// Puts a plan into effect.
///
/// # Errors
/// Where something can't be written, moved or removed; everything is then as it was.
pub fn run(
    plan: &Plan<'_>,
    root: BorrowedFd<'_>,
    moves: &Moves,
    progress: &Progress,
) -> Result<Summary> {
    let mut sides = Sides::default();
    let result = sides.make(plan, root).and_then(|()| {
        let tools = Tools {
            plan,
            sides: &sides,
            moves,
            names: Names::default(),
            progress,
        };
        let mut stages = stages(plan);
        let result = stage_and_install(&tools, &mut stages);
        match result {
            Ok(()) => {
                finish(&tools, &mut stages);
                Ok(())
            }
            Err(error) => Err(undo(&tools, &mut stages, error)),
        }
    });
    match result {
        Ok(()) => {
            sides.remove_empty(plan, root);
            Ok(summary(plan))
        }
        Err(error) => {
            sides.unmake(root);
            Err(error)
        }
    }
}

/// What the jobs need of the run.
struct Tools<'t> {
    plan: &'t Plan<'t>,
    sides: &'t Sides,
    moves: &'t Moves,
    names: Names,
    progress: &'t Progress,
}

impl Tools<'_> {
    /// The folder of a side.
    fn side(&self, side: Side) -> io::Result<BorrowedFd<'_>> {
        let fd = self.sides.slot(side).as_ref();
        Ok(fd.ok_or(Errno::NOENT)?.as_fd())
    }

    /// Opens a folder of the plan.
    fn open(&self, folder: &Folder<'_>) -> io::Result<OwnedFd> {
        let name = folder.name.as_deref().unwrap_or(".".as_ref());
        folder::open(self.side(folder.side)?, name)
    }

    /// A path below the root, as the user knows it.
    fn path(&self, below: impl AsRef<std::path::Path>) -> PathBuf {
        self.plan.root.join(below)
    }
}

/// Work on one folder.
trait Job: Send {
    /// Writes what is new, where nobody looks for it.
    fn stage(&mut self, tools: &Tools<'_>) -> Result<()>;
    /// Moves it to its place, or out of it.
    fn install(&mut self, tools: &Tools<'_>) -> Result<()>;
    /// Restores what was there, however far the job has come.
    fn undo(&mut self, tools: &Tools<'_>) -> Result<()>;
    /// Removes what was replaced. What can't be removed is left to the next run, which sweeps.
    fn finish(&mut self, tools: &Tools<'_>);
}

/// The jobs, in three stages: clusters come before the list of them, and go after it, so that a run
/// that is killed leaves no list with a cluster that isn't there.
fn stages<'p>(plan: &'p Plan<'p>) -> [Vec<Box<dyn Job + 'p>>; 3] {
    let mut stages = [Vec::new(), Vec::new(), Vec::new()];
    let [clusters, sides, gone] = &mut stages;
    for folder in &plan.folders {
        let is_cluster = folder.name.is_some();
        if is_cluster && !folder.is_there {
            clusters.push(Box::new(Whole::new(folder)) as Box<dyn Job>);
            continue;
        }
        let is_all_ours = folder.files.is_empty() && !folder.has_others;
        if is_cluster && plan.prune && is_all_ours {
            if !folder.stale.is_empty() {
                gone.push(Box::new(Gone::new(folder)) as Box<dyn Job>);
            }
            continue;
        }
        let within = Within::new(folder, plan.prune);
        if let Some(within) = within {
            let stage = match (is_cluster, folder.files.is_empty()) {
                (true, false) => &mut *clusters,
                (true, true) => &mut *gone,
                (false, _) => &mut *sides,
            };
            stage.push(Box::new(within));
        }
    }
    stages
}

type Jobs<'p> = [Vec<Box<dyn Job + 'p>>; 3];

fn stage_and_install(tools: &Tools<'_>, stages: &mut Jobs<'_>) -> Result<()> {
    tools
        .progress
        .start("writing", stages.iter().map(Vec::len).sum());
    for jobs in stages.iter_mut() {
        each(jobs, |job| {
            tools.progress.step();
            job.stage(tools)
        })?;
    }
    for jobs in stages.iter_mut() {
        each(jobs, |job| job.install(tools))?;
    }
    Ok(())
}

/// Does the same with each job, or until one fails.
fn each<'p>(
    jobs: &mut [Box<dyn Job + 'p>],
    work: impl Fn(&mut (dyn Job + 'p)) -> Result<()> + Sync + Send,
) -> Result<()> {
    let has_failed = AtomicBool::new(false);
    let work = |(): &mut (), job: &mut Box<dyn Job + 'p>| {
        if has_failed.load(Ordering::Relaxed) {
            return Ok(());
        }
        work(job.as_mut()).inspect_err(|_| has_failed.store(true, Ordering::Relaxed))
    };
    let results = in_parallel_with(jobs.iter_mut().collect(), || (), work);
    results.into_iter().collect()
}

/// Undoes everything, and says so where that fails, too.
fn undo(tools: &Tools<'_>, stages: &mut Jobs<'_>, error: anyhow::Error) -> anyhow::Error {
    let mut problems = Vec::new();
    for job in stages.iter_mut().rev().flatten() {
        if let Err(problem) = job.undo(tools) {
            problems.push(format!("{problem:#}"));
        }
    }
    match problems.first() {
        None => error,
        Some(first) => error.context(match problems.len() - 1 {
            0 => first.clone(),
            more => format!("{first}; and {more} more"),
        }),
    }
}

fn finish(tools: &Tools<'_>, stages: &mut Jobs<'_>) {
    for jobs in stages.iter_mut() {
        let finished = each(jobs, |job| {
            job.finish(tools);
            Ok(())
        });
        drop(finished);
    }
}

fn summary(plan: &Plan<'_>) -> Summary {
    let count = |state: &State| plan.files().filter(|file| file.state == *state).count();
    let stale: Vec<PathBuf> = plan.stale().map(|stale| stale.path.clone()).collect();
    let (removed, stale) = match plan.prune {
        true => (stale.len(), Vec::new()),
        false => (0, stale),
    };
    Summary {
        added: count(&State::New),
        changed: count(&State::Changed),
        unchanged: count(&State::Unchanged),
        removed,
        stale,
    }
}

/// The folders of the sides, open.
#[derive(Default)]
struct Sides {
    compute: Option<OwnedFd>,
    control_plane: Option<OwnedFd>,
    made: Vec<Side>,
}

impl Sides {
    fn slot(&self, side: Side) -> &Option<OwnedFd> {
        match side {
            Side::Compute => &self.compute,
            Side::ControlPlane => &self.control_plane,
        }
    }

    /// Opens those that are there or needed, which are made.
    fn make(&mut self, plan: &Plan<'_>, root: BorrowedFd<'_>) -> Result<()> {
        for folder in plan.folders.iter().filter(|folder| folder.name.is_none()) {
            let side = folder.side;
            let path = plan.root.join(side.folder());
            let is_needed = plan
                .folders
                .iter()
                .any(|other| other.side == side && !other.files.is_empty());
            if !folder.is_there && !is_needed {
                continue;
            }
            if !folder.is_there {
                let mode = Mode::from_raw_mode(0o777);
                mkdirat(root, side.folder(), mode)
                    .with_context(|| format!("failed to make the folder {}", shown_path(&path)))?;
                self.made.push(side);
            }
            let fd = folder::open(root, side.folder().as_ref())
                .with_context(|| format!("failed to open the folder {}", shown_path(&path)))?;
            match side {
                Side::Compute => self.compute = Some(fd),
                Side::ControlPlane => self.control_plane = Some(fd),
            }
        }
        Ok(())
    }

    fn unmake(&self, root: BorrowedFd<'_>) {
        for side in &self.made {
            folder::discard(root, side.folder(), AtFlags::REMOVEDIR);
        }
    }

    /// Removes those that pruning has emptied.
    fn remove_empty(&self, plan: &Plan<'_>, root: BorrowedFd<'_>) {
        for side in Side::ALL {
            let of_side = || plan.folders.iter().filter(|folder| folder.side == side);
            let is_pruned = plan.prune && of_side().any(|folder| !folder.stale.is_empty());
            if is_pruned && of_side().all(|folder| folder.files.is_empty()) {
                // One with anything else in it stays.
                folder::discard(root, side.folder(), AtFlags::REMOVEDIR);
            }
        }
    }
}

/// Writes a file that isn't there. Where that fails, nothing is left of it.
fn write(parent: BorrowedFd<'_>, name: &std::ffi::OsStr, file: &Planned<'_>) -> Result<(), Errno> {
    use std::io::Write as _;

    // What the user's umask narrows further.
    let mode = Mode::from_raw_mode(if file.is_secret() { 0o600 } else { 0o666 });
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut new = std::fs::File::from(openat(parent, name, flags, mode)?);
    new.write_all(file.text().as_bytes()).map_err(|error| {
        folder::discard(parent, name, AtFlags::empty());
        Errno::from_io_error(&error).unwrap_or(Errno::IO)
    })
}

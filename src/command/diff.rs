//! `diff`: what a render into a directory would change.

use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{Outcome, Outside, fleet, tree};
use crate::cli::{ColorArg, DiffArgs};
use crate::output::Progress;
use crate::output::diff::{self, FileDiff, New, Old};
use crate::output::directory::{self, Plan, State, holds_secrets};
use crate::text::shown_path;

/// Shows what would change, and changes nothing.
///
/// # Errors
/// Where anything is wrong, as for `render`.
pub fn run(args: DiffArgs, outside: &mut Outside<'_>) -> Result<Outcome> {
    if args.quiet {
        outside.progress = Progress::new(false);
    }
    let sides = tree::sides(args.side);
    let options = tree::options(sides, args.inputs.sources.clusters.clone(), &args.tree);
    let Some(fleet) = fleet::render(args.inputs, sides, outside)? else {
        return Ok(Outcome::Wrong);
    };
    let manifests = fleet.manifests;
    let root = args.output_dir;
    tree::refuse_same_object(&manifests, false)?;
    directory::refuse_plaintext_secrets(&root, &manifests, &options)?;
    let plan = directory::plan(&root, &manifests, &options)
        .with_context(|| format!("failed to compare with {}", shown_path(&root)))?;
    let count = |state: State| plan.files().filter(|file| file.state == state).count();
    let (added, changed) = (count(State::New), count(State::Changed));
    let stale: Vec<PathBuf> = plan.stale().map(|stale| stale.path.clone()).collect();
    let removed = if options.prune { stale.len() } else { 0 };
    if !args.quiet {
        let colour = match args.color {
            ColorArg::Auto => outside.colours_output,
            ColorArg::Always => true,
            ColorArg::Never => false,
        };
        let text = text(&plan, options.prune, colour)
            .with_context(|| format!("failed to compare with {}", shown_path(&root)))?;
        let written = outside
            .out
            .write_all(&text)
            .and_then(|()| outside.out.flush());
        match written {
            // The reader has seen enough, as `head` does; the exit code still tells.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            written => written.context("failed to write to standard output")?,
        }
        if !options.prune
            && let Some(note) = tree::left(&root, &manifests, &stale)
        {
            outside.report.note(&note);
        }
        outside.report.line(&format!(
            "{}: {added} to add, {changed} to change, {removed} to remove, {} unchanged",
            shown_path(&root),
            count(State::Unchanged)
        ));
    }
    Ok(match added + changed + removed {
        0 => Outcome::Done,
        _ => Outcome::Differs,
    })
}

/// The diffs of all files, by their paths.
fn text(plan: &Plan<'_>, prune: bool, colour: bool) -> Result<Vec<u8>> {
    let mut diffs = Vec::new();
    for file in plan.files().filter(|file| file.state != State::Unchanged) {
        let new = file.text();
        let secrets = file.secrets();
        let old = match file.state {
            State::Changed => Some(plan.old(&file.path)?),
            State::New | State::Unchanged => None,
        };
        let mut text = Vec::new();
        let diff = FileDiff {
            path: &plan.root().join(&file.path),
            old: old.as_deref().map(of_bytes),
            new: Some(New {
                text: &new,
                secrets: &secrets,
                holds_secrets: file.is_secret(),
            }),
        };
        diff::write(&mut text, &diff, colour)?;
        diffs.push((&file.path, text));
    }
    for stale in plan.stale().filter(|_| prune) {
        let old = plan.old(&stale.path)?;
        let mut text = Vec::new();
        let diff = FileDiff {
            path: &plan.root().join(&stale.path),
            old: Some(of_bytes(&old)),
            new: None,
        };
        diff::write(&mut text, &diff, colour)?;
        diffs.push((&stale.path, text));
    }
    diffs.sort_by_key(|(path, _)| *path);
    Ok(diffs.into_iter().flat_map(|(_, text)| text).collect())
}

fn of_bytes(bytes: &[u8]) -> Old<'_> {
    Old {
        bytes,
        holds_secrets: holds_secrets(bytes),
    }
}

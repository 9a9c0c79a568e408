//! Prints a plan as a unified diff without secrets.

use rayon::prelude::*;
use similar::{ChangeTag, TextDiff};

use super::compare::Change;
use super::directory::Plan;
use super::mask::mask;
use crate::show::{count, safe};

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

/// Returns the diff of a plan, with ANSI colours.
pub fn unified(plan: &Plan) -> String {
    let texts: Vec<String> = plan.files.changes.par_iter().map(of_file).collect();
    texts.concat()
}

/// Returns a line for each file of a plan, and their sum: `PATH | +1 -1`.
pub fn stat(plan: &Plan) -> String {
    let counts: Vec<Option<(usize, usize)>> =
        plan.files.changes.par_iter().map(count_lines).collect();
    let mut text = String::new();
    let (mut added, mut removed) = (0, 0);
    for (change, counts) in plan.files.changes.iter().zip(counts) {
        let counts = counts.map(|(plus, minus)| {
            (added, removed) = (added + plus, removed + minus);
            format!("+{plus} -{minus}")
        });
        let path = safe(&change.path.to_string_lossy());
        text.push_str(&format!("{path} | {}\n", counts.as_deref().unwrap_or("(secret)")));
    }
    if !text.is_empty() {
        let files = count(plan.files.changes.len(), "file");
        text.push_str(&format!("{files}, +{added} -{removed}\n"));
    }
    text
}

fn count_lines(change: &Change) -> Option<(usize, usize)> {
    let (before, after) = masked(change)?;
    let diff = TextDiff::from_lines(&before, &after);
    let of = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    Some((of(ChangeTag::Insert), of(ChangeTag::Delete)))
}

fn masked(change: &Change) -> Option<(String, String)> {
    let before = change.before.as_deref().unwrap_or_default();
    let before = before.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    mask(&before, change.after.as_deref().unwrap_or_default(), &change.secrets)
}

fn of_file(change: &Change) -> String {
    let path = safe(&change.path.to_string_lossy());
    let nothing = "/dev/null".to_owned();
    let from = if change.before.is_some() { &path } else { &nothing };
    let to = if change.after.is_some() { &path } else { &nothing };
    let header = format!("{BOLD}--- {from}{RESET}\n{BOLD}+++ {to}{RESET}\n");
    match masked(change) {
        None => format!("{header}(it holds secrets, and differs)\n"),
        Some((before, after)) if before == after => format!("{header}(line ends differ)\n"),
        Some((before, after)) => header + &hunks(&before, &after),
    }
}

fn hunks(before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut text = String::new();
    for hunk in diff.unified_diff().iter_hunks() {
        text.push_str(&format!("{CYAN}{}{RESET}\n", hunk.header()));
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            text.push_str(&match change.tag() {
                ChangeTag::Delete => format!("{RED}-{line}{RESET}\n"),
                ChangeTag::Insert => format!("{GREEN}+{line}{RESET}\n"),
                ChangeTag::Equal => format!(" {line}\n"),
            });
        }
    }
    text
}

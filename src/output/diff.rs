//! Prints a plan as a unified diff without secrets.

use std::fmt::Write as _;

use rayon::prelude::*;
use similar::{ChangeTag, TextDiff};

use super::compare::Change;
use super::directory::Plan;
use super::mask::mask;

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

/// Returns the diff of a plan, with ANSI colours.
pub fn unified(plan: &Plan) -> String {
    let texts: Vec<String> = plan.changes.par_iter().map(of_file).collect();
    texts.concat()
}

fn of_file(change: &Change) -> String {
    let path = change.path.display().to_string();
    let nothing = "/dev/null".to_owned();
    let from = if change.before.is_some() { &path } else { &nothing };
    let to = if change.after.is_some() { &path } else { &nothing };
    let header = format!("{BOLD}--- {from}{RESET}\n{BOLD}+++ {to}{RESET}\n");
    let before = change.before.as_deref().unwrap_or_default();
    let before = before.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let after = change.after.as_deref().unwrap_or_default();
    match mask(&before, after, &change.secrets) {
        None => format!("{header}(it holds secrets, and differs)\n"),
        Some((before, after)) if before == after => format!("{header}(line ends differ)\n"),
        Some((before, after)) => header + &hunks(&before, &after),
    }
}

fn hunks(before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut text = String::new();
    for hunk in diff.unified_diff().iter_hunks() {
        // Writing to a string doesn't fail.
        let _ = writeln!(text, "{CYAN}{}{RESET}", hunk.header());
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            let _ = match change.tag() {
                ChangeTag::Equal => writeln!(text, " {line}"),
                ChangeTag::Delete => writeln!(text, "{RED}-{line}{RESET}"),
                ChangeTag::Insert => writeln!(text, "{GREEN}+{line}{RESET}"),
            };
        }
    }
    text
}

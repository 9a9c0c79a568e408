//! A plan as a unified diff without secrets.

use rayon::prelude::*;
use similar::TextDiff;

use super::compare::Change;
use super::directory::Plan;
use super::mask::mask;

/// What a plan would change, with ANSI colours.
pub fn unified(plan: &Plan) -> String {
    let texts: Vec<String> =
        plan.changes.par_iter().map(|change| coloured(&of_file(change))).collect();
    texts.concat()
}

fn coloured(diff: &str) -> String {
    let mut text = String::new();
    for line in diff.split_inclusive('\n') {
        let colour = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => "\x1b[1m",
            [b'+', ..] => "\x1b[32m",
            [b'-', ..] => "\x1b[31m",
            [b'@', ..] => "\x1b[36m",
            _ => {
                text.push_str(line);
                continue;
            }
        };
        text.push_str(&format!("{colour}{}\x1b[0m\n", line.trim_end_matches('\n')));
    }
    text
}

fn of_file(change: &Change) -> String {
    let path = change.path.display().to_string();
    let nothing = "/dev/null".to_owned();
    let from = if change.before.is_some() { &path } else { &nothing };
    let to = if change.after.is_some() { &path } else { &nothing };
    let before = change.before.as_deref().unwrap_or_default();
    let before = before.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let after = change.after.as_deref().unwrap_or_default();
    let masked = mask(&before).zip(mask(after)).filter(|_| !change.hides_secret);
    let Some((before, after)) = masked else {
        return format!("--- {from}\n+++ {to}\n(it holds secrets, and differs)\n");
    };
    let texts = (before.text(Some(&after), "before"), after.text(Some(&before), "after"));
    let diff = TextDiff::from_lines(&texts.0, &texts.1);
    match diff.unified_diff().header(from, to).to_string() {
        same if same.is_empty() => format!("--- {from}\n+++ {to}\n(line ends differ)\n"),
        text => text,
    }
}

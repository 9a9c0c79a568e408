//! The format of `diff -u`, with git's colours.

use std::collections::{BTreeSet, HashMap};
use std::fmt::{self, Write as _};
use std::io;
use std::path::Path;

use similar::{Algorithm, DiffOp, DiffTag};

use super::mask::{MASK, MaskedLine, content};
use crate::text::{holds_credential, write_escaped};

/// The lines that are shown around a change.
const CONTEXT: usize = 3;

/// The lines that are compared one by one; the time that takes may grow with the square. No
/// generated file comes near.
const MOST_COMPARED: usize = 5_000;

/// Both sides' lines; none where there is no such file.
pub struct Sides<'a> {
    /// The file as it is.
    pub old: Option<&'a [MaskedLine<'a>]>,
    /// The file as it would be.
    pub new: Option<&'a [MaskedLine<'a>]>,
}

/// Writes the diff.
///
/// # Errors
/// Where `out` can't be written to.
pub fn write(
    out: &mut dyn io::Write,
    path: &Path,
    sides: &Sides<'_>,
    colour: bool,
) -> io::Result<()> {
    let mut out = Painter { out, colour };
    let path = shown_path(path);
    let old = sides.old.unwrap_or_default();
    let new = sides.new.unwrap_or_default();
    if raw(old) == raw(new) {
        let change = match (sides.old, sides.new) {
            (None, None) => return Ok(()),
            (Some(_), Some(_)) => "the same content, another mode",
            (None, Some(_)) => "an empty file is added",
            (Some(_), None) => "an empty file is removed",
        };
        return out.line(BOLD, format_args!("# {path}: {change}"));
    }
    // A path with a space ends at a tab.
    let end = if path.contains(' ') { "\t" } else { "" };
    match sides.old {
        Some(_) => out.line(BOLD, format_args!("--- {path}{end}"))?,
        None => out.line(BOLD, format_args!("--- /dev/null"))?,
    }
    match sides.new {
        Some(_) => out.line(BOLD, format_args!("+++ {path}{end}"))?,
        None => out.line(BOLD, format_args!("+++ /dev/null"))?,
    }
    let changed = Changed::of(old, new);
    for hunk in similar::group_diff_ops(operations(old, new), CONTEXT) {
        out.line(CYAN, format_args!("{}", heading(&hunk)))?;
        for operation in hunk {
            let is_equal = operation.tag() == DiffTag::Equal;
            if !is_equal {
                for line in old.get(operation.old_range()).unwrap_or_default() {
                    out.text('-', line, changed.contains(line).then_some("before"))?;
                }
            }
            for line in new.get(operation.new_range()).unwrap_or_default() {
                if is_equal {
                    out.text(' ', line, None)?;
                } else {
                    out.text('+', line, changed.contains(line).then_some("after"))?;
                }
            }
        }
    }
    Ok(())
}

fn operations(old: &[MaskedLine<'_>], new: &[MaskedLine<'_>]) -> Vec<DiffOp> {
    if old.len() + new.len() > MOST_COMPARED {
        return vec![DiffOp::Replace {
            old_index: 0,
            old_len: old.len(),
            new_index: 0,
            new_len: new.len(),
        }];
    }
    similar::capture_diff_slices(Algorithm::Myers, &raw(old), &raw(new))
}

fn raw<'a>(lines: &[MaskedLine<'a>]) -> Vec<&'a [u8]> {
    lines.iter().map(|line| line.raw).collect()
}

/// `@@ -1,3 +1,4 @@`. A count of one is left out; nothing stands after the line before it.
fn heading(hunk: &[DiffOp]) -> String {
    let side = |begin: Option<usize>, end: Option<usize>| {
        let (begin, end) = (begin.unwrap_or_default(), end.unwrap_or_default());
        match end.saturating_sub(begin) {
            0 => format!("{begin},0"),
            1 => format!("{}", begin + 1),
            count => format!("{},{count}", begin + 1),
        }
    };
    let (first, last) = (hunk.first(), hunk.last());
    format!(
        "@@ -{} +{} @@",
        side(
            first.map(|operation| operation.old_range().start),
            last.map(|operation| operation.old_range().end)
        ),
        side(
            first.map(|operation| operation.new_range().start),
            last.map(|operation| operation.new_range().end)
        )
    )
}

/// Masked lines that look the same on both sides and are not: those of which one has to say that
/// they differ.
struct Changed<'a>(BTreeSet<&'a str>);

impl<'a> Changed<'a> {
    fn of(old: &'a [MaskedLine<'a>], new: &'a [MaskedLine<'a>]) -> Self {
        let masked = |lines: &'a [MaskedLine<'a>]| {
            let mut masked: HashMap<&str, BTreeSet<&[u8]>> = HashMap::new();
            for line in lines.iter().filter(|line| line.shown.contains(MASK)) {
                let contents = masked.entry(&line.shown).or_default();
                contents.insert(content(line.raw));
            }
            masked
        };
        let (old, new) = (masked(old), masked(new));
        let differs = |(shown, contents): (&&'a str, &BTreeSet<&[u8]>)| {
            let others = old.get(shown)?;
            (others != contents).then_some(*shown)
        };
        Self(new.iter().filter_map(differs).collect())
    }

    fn contains(&self, line: &MaskedLine<'_>) -> bool {
        self.0.contains(line.shown.as_str())
    }
}

const BOLD: &str = "\x1b[1m";
const CYAN: &str = "\x1b[36m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const RESET: &str = "\x1b[m";

struct Painter<'a> {
    out: &'a mut dyn io::Write,
    colour: bool,
}

impl Painter<'_> {
    fn line(&mut self, colour: &str, text: fmt::Arguments<'_>) -> io::Result<()> {
        if self.colour && !colour.is_empty() {
            writeln!(self.out, "{colour}{text}{RESET}")
        } else {
            writeln!(self.out, "{text}")
        }
    }

    fn text(&mut self, sign: char, line: &MaskedLine<'_>, side: Option<&str>) -> io::Result<()> {
        let colour = match sign {
            '-' => RED,
            '+' => GREEN,
            _ => "",
        };
        let text = shown_text(&line.shown, side);
        self.line(colour, format_args!("{sign}{text}"))?;
        if !line.raw.ends_with(b"\n") {
            self.line("", format_args!("\\ No newline at end of file"))?;
        }
        Ok(())
    }
}

/// A line as it is printed: masks in words, and nothing that could act on a terminal.
fn shown_text(shown: &str, side: Option<&str>) -> String {
    let mut text = String::with_capacity(shown.len());
    for character in shown.chars() {
        // Writing to a string doesn't fail.
        let _ = match (character, side) {
            (MASK, Some(side)) => write!(text, "*** ({side})"),
            (MASK, None) => text.write_str("***"),
            ('\t', _) => text.write_char('\t'),
            _ => write_escaped(&mut text, character),
        };
    }
    text
}

fn shown_path(path: &Path) -> String {
    let path = path.to_string_lossy();
    if holds_credential(&path) {
        return "***".to_owned();
    }
    let mut text = String::with_capacity(path.len());
    for character in path.chars() {
        // As above.
        let _ = write_escaped(&mut text, character);
    }
    text
}

//! How names and lists of the input are printed.

use std::path::Path;

/// The longest list that is printed in full.
const MOST_LISTED: usize = 20;
/// The longest name that is printed in full, in characters.
const LONGEST_NAME: usize = 100;

/// A name in backticks, safe to print.
pub fn shown(name: impl AsRef<str>) -> String {
    format!("`{}`", plain(name.as_ref()))
}

/// A path in backticks, safe to print.
pub fn shown_path(path: &Path) -> String {
    shown(path.to_string_lossy())
}

/// A name that is safe to print.
pub fn plain(name: &str) -> String {
    safe(name, LONGEST_NAME)
}

/// A text that is safe to print: shortened, and with characters escaped that act on a terminal.
pub fn safe(text: &str, most_characters: usize) -> String {
    let is_unsafe = |c: char| {
        let turns_around = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2066}'..='\u{2069}');
        c.is_control() || turns_around || matches!(c, '\u{2028}'..='\u{202e}')
    };
    let mut shown = String::new();
    for character in text.chars().take(most_characters) {
        match is_unsafe(character) {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    if text.chars().nth(most_characters).is_some() {
        shown.push('…');
    }
    shown
}

/// Names as a list, its end left out where it is long.
pub fn list<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    shorten(names.into_iter().map(shown).collect()).join(", ")
}

/// Leaves out the end of a long list.
pub fn shorten(mut items: Vec<String>) -> Vec<String> {
    let more = items.len().saturating_sub(MOST_LISTED);
    if more > 0 {
        items.truncate(MOST_LISTED);
        items.push(format!("and {} more", grouped(more)));
    }
    items
}

/// `1 file`, `1,200 files`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

fn grouped(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1000), number % 1000),
    }
}

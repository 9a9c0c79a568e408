//! Formats names, paths and numbers for messages, and text as YAML.

use std::path::Path;

use k8s_openapi::jiff::Timestamp;

const MOST_LISTED: usize = 20;
/// In characters. Names in Kubernetes have at most 253.
const LONGEST_NAME: usize = 300;

/// A name in backticks, shortened and safe to print.
pub fn shown(name: impl AsRef<str>) -> String {
    let name = name.as_ref();
    let mut shown = safe(&name.chars().take(LONGEST_NAME).collect::<String>());
    if name.chars().nth(LONGEST_NAME).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A path in backticks, safe to print.
pub fn shown_path(path: &Path) -> String {
    format!("`{}`", safe(&path.to_string_lossy()))
}

/// A URL in backticks, or `…` if it may have a password or token in it.
pub fn shown_url(url: &str) -> String {
    if url.contains(['@', '?', '#']) { "`…`".to_owned() } else { shown(url) }
}

/// Escapes characters that a terminal would act on. Names come from files that others may have written.
pub fn safe(text: &str) -> String {
    let escape = |c: char| if is_invisible(c) { c.escape_default().to_string() } else { c.into() };
    text.chars().map(escape).collect()
}

/// Whether YAML refuses a character unescaped, a parser ends the line at it, a terminal acts on it, or nobody sees it.
pub fn is_invisible(c: char) -> bool {
    let code = u32::from(c);
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fdd0}'..='\u{fdef}')
        || (0xe0000..=0xe0fff).contains(&code)
        || code & 0xfffe == 0xfffe
}

/// Returns a string as a double-quoted YAML scalar on one line, with JSON's escapes. Kubernetes reads YAML 1.1, where an
/// unquoted `no`, `0777`, `1_000` or `1e3` isn't a string.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(character),
            _ if is_invisible(character) => {
                let code = u32::from(character);
                out.push_str(&match code {
                    0..=0xffff => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                });
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

/// Names in backticks with commas between them; a long list is shortened.
pub fn list<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    shorten(names.into_iter().map(shown).collect()).join(", ")
}

/// Replaces the end of a long list with `and N more`.
pub fn shorten(mut items: Vec<String>) -> Vec<String> {
    let more = items.len().saturating_sub(MOST_LISTED);
    if more > 0 {
        items.truncate(MOST_LISTED);
        items.push(format!("and {more} more"));
    }
    items
}

/// `1 file`, `1200 files`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Formats a Unix time in UTC. X.509's "never", the last second of 9999, is some hours past jiff's maximum.
pub fn utc(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map_or_else(|_| "9999-12-31T23:59:59Z".to_owned(), |time| time.to_string())
}

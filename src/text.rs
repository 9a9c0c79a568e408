//! Text from input, made safe to show on a terminal.

use std::fmt::{self, Write as _};
use std::path::Path;

/// Shows text from input in backticks, with everything escaped that could move a terminal's
/// cursor, change its colour or reorder the line: control characters, bidirectional overrides,
/// invisible characters. A token or a PEM block that was put where a name belongs is shown as `***`.
pub fn shown(text: &str) -> impl fmt::Display + '_ {
    Shown(text)
}

/// Text from input for a place where backticks would be noise: escaped as by [`shown`].
pub fn bare(text: &str) -> String {
    if holds_credential(text) {
        return "***".to_owned();
    }
    let escaped = |character: char| match is_unsafe_to_show(character) {
        true => character.escape_unicode().to_string(),
        false => character.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// Shows a path as [`shown`] does; bytes that are no UTF-8 become U+FFFD. What can't be a path, as it
/// has a line break or a part that no file system takes, may be a file's content and is shown as
/// `***`.
pub fn shown_path(path: &Path) -> impl fmt::Display + use<> {
    let text = could_be_path(path).then(|| path.to_string_lossy().into_owned());
    fmt::from_fn(move |f| match &text {
        Some(text) => write!(f, "{}", Shown(text)),
        None => f.write_str("`***`"),
    })
}

/// Whether it has no line break, and no part that is longer than file systems take.
pub fn could_be_path(path: &Path) -> bool {
    let text = path.to_string_lossy();
    !text.contains('\n') && text.split('/').all(|part| part.len() <= 255)
}

/// Shows several texts, separated by commas.
pub fn shown_list<I>(texts: I) -> String
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    let shown: Vec<String> = texts
        .into_iter()
        .map(|text| Shown(text.as_ref()).to_string())
        .collect();
    shown.join(", ")
}

/// Lists the first ten of several things, and says how many more there are.
pub fn shown_first<I>(things: I) -> String
where
    I: ExactSizeIterator,
    I::Item: fmt::Display,
{
    const MOST: usize = 10;
    let more = things.len().saturating_sub(MOST);
    let first: Vec<String> = things.take(MOST).map(|thing| thing.to_string()).collect();
    match more {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if holds_credential(self.0) {
            return f.write_str("`***`");
        }
        f.write_char('`')?;
        for character in self.0.chars() {
            write_escaped(f, character)?;
        }
        f.write_char('`')
    }
}

/// Writes a character, escaped where it could act on a terminal.
pub fn write_escaped(out: &mut dyn fmt::Write, character: char) -> fmt::Result {
    if is_unsafe_to_show(character) {
        write!(out, "{}", character.escape_unicode())
    } else {
        out.write_char(character)
    }
}

/// Whether a text is plainly no name: it holds a JSON Web Token or a PEM block, as such or in base64.
pub fn holds_credential(text: &str) -> bool {
    // `-----BEGIN ` and `eyJhbGciOi` in base64.
    const ENCODED: [&str; 2] = ["LS0tLS1CRUdJTi", "ZXlKaGJHY2lPa"];
    text.contains("-----BEGIN ")
        || ENCODED.iter().any(|encoded| text.contains(encoded))
        || text.match_indices("eyJ").any(|(at, _)| {
            let after_header = text
                .get(at..)
                .unwrap_or_default()
                .trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
            after_header.starts_with(".eyJ")
        })
}

/// Whether a character could hide or reorder text: control characters, and some of Unicode's format
/// characters (UAX #9 explicit directions, zero-width characters, byte order mark, line separators).
pub fn is_unsafe_to_show(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{061c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_shown_as_it_is() {
        assert_eq!(shown("zürich-1").to_string(), "`zürich-1`");
    }

    #[test]
    fn long_lists_are_cut() {
        let list = |count: usize| shown_first((0..count).map(|number| number + 1));
        assert_eq!(list(1), "1");
        assert_eq!(list(10), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10");
        assert_eq!(list(12), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more");
    }

    #[test]
    fn credentials_are_not_shown() {
        for text in [
            "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
            "folder/eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
            "ZXlKaGJHY2lPaUpTVXpJMU5pSjkuZXlKemRXSWlPaUo0SW4wLmMybG4=",
            "-----BEGIN PRIVATE KEY-----\nhunter2",
            "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t",
        ] {
            assert_eq!(shown(text).to_string(), "`***`");
        }
        for text in ["eyJ", "eyJ.yaml", "begin", "LS0tLS1C"] {
            assert_eq!(shown(text).to_string(), format!("`{text}`"));
        }
    }

    #[test]
    fn control_and_bidirectional_characters_are_escaped() {
        assert_eq!(
            shown("a\u{1b}[31m\n\u{202e}b").to_string(),
            "`a\\u{1b}[31m\\u{a}\\u{202e}b`"
        );
    }
}

//! A line of YAML that says what it means by itself: no quote, bracket or block is open after it.
//!
//! This is a small part of YAML, and what the program's own templates consist of. Where every line
//! up to one is of this kind, that line stands where its indentation says.

/// Characters at which YAML 1.1 ends a line beside the newline.
const OTHER_BREAKS: [char; 4] = ['\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Nothing but spaces.
    Blank,
    /// A comment and nothing else.
    Comment,
    /// The beginning of a document.
    Separator,
    /// A key, with its value if that stands beside it.
    Entry {
        /// Indentation, and the `- ` of a list's item.
        before: &'a str,
        /// The key, with its quotes.
        key: &'a str,
        /// The value, with its quotes; may be empty.
        value: &'a str,
    },
    /// A list's item that is a scalar.
    Item {
        /// Indentation and `- `.
        before: &'a str,
        /// The scalar, with its quotes.
        value: &'a str,
    },
}

/// Reads a line without its newline; `None` where its meaning depends on others, or isn't simple.
pub fn read(line: &str) -> Option<Line<'_>> {
    let content = line.trim_start_matches(' ');
    if content.is_empty() {
        return Some(Line::Blank);
    }
    if line.contains(OTHER_BREAKS) {
        return None;
    }
    if content.starts_with('#') {
        return Some(Line::Comment);
    }
    if line == "---" {
        return Some(Line::Separator);
    }
    let item = content.strip_prefix("- ");
    let content = item.unwrap_or(content);
    let before = line.strip_suffix(content)?;
    if let Some((key, value)) = entry(content)
        && is_whole(value)
    {
        return Some(Line::Entry { before, key, value });
    }
    let is_item = item.is_some() && !content.is_empty() && is_whole(content);
    is_item.then_some(Line::Item {
        before,
        value: content,
    })
}

/// Splits `key: value`, or `key:` alone. The key is a plain word or in double quotes; the value may
/// be anything.
pub fn entry(content: &str) -> Option<(&str, &str)> {
    let key = match quoted(content) {
        Some(key) => key,
        None => content.get(..content.find(|character| !is_of_word(character))?)?,
    };
    let after = content.strip_prefix(key)?.strip_prefix(':')?;
    let value = match after.strip_prefix(' ') {
        Some(value) => value,
        None if after.is_empty() => after,
        None => return None,
    };
    (!key.is_empty() && !key.starts_with('-')).then_some((key, value))
}

/// A key or value without its quotes. Escapes stay as they are.
pub fn unquoted(scalar: &str) -> &str {
    let inner = scalar.strip_prefix('"');
    inner
        .and_then(|inner| inner.strip_suffix('"'))
        .unwrap_or(scalar)
}

/// Whether a value is nothing, empty brackets, one word, or text in double quotes.
fn is_whole(value: &str) -> bool {
    let is_of_value = |character: char| is_of_word(character) || "+=@".contains(character);
    match value.chars().next() {
        None => true,
        Some('"') => quoted(value) == Some(value),
        Some(first) => {
            matches!(value, "[]" | "{}")
                || (is_of_word(first) && first != '-' && value.chars().all(is_of_value))
        }
    }
}

fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_./-".contains(character)
}

/// The text in double quotes that another begins with, quotes included.
fn quoted(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?;
    let mut is_escaped = false;
    for (at, character) in inner.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return text.get(..at + 2),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_stand_alone_are_read() {
        let entry = |before, key, value| Some(Line::Entry { before, key, value });
        assert_eq!(read("kind: Secret"), entry("", "kind", "Secret"));
        assert_eq!(read("data:"), entry("", "data", ""));
        assert_eq!(
            read("  \"a \\\" b\": \"\""),
            entry("  ", "\"a \\\" b\"", "\"\"")
        );
        assert_eq!(read("  - name: x"), entry("  - ", "name", "x"));
        let item = Line::Item {
            before: "- ",
            value: "\"x\"",
        };
        assert_eq!(read("- \"x\""), Some(item));
        assert_eq!(read("  # x"), Some(Line::Comment));
        assert_eq!(read("---"), Some(Line::Separator));
        assert_eq!(read("  "), Some(Line::Blank));
    }

    #[test]
    fn lines_that_others_give_their_meaning_are_not() {
        for line in [
            "data: |",
            "data: >-",
            "data: {",
            "data: [a",
            "data: \"a",
            "data: 'a'",
            "data: &a",
            "data: *a",
            "data: !!binary",
            "? data",
            "word",
            "data : x",
            "data:x",
            "\tdata: x",
            "data:\tx",
            "data: x\r",
            "# x\rdata: y",
            "data: \"a\" # b",
            "data: a b",
            "data: # b",
            "}",
            "\"a\": \"b\",",
            "- - a",
            "-",
            "--- a",
            "data: -",
            "'data': x",
            "<<: x",
            "data: \"a\"b\"",
        ] {
            assert_eq!(read(line), None, "{line:?}");
        }
    }
}

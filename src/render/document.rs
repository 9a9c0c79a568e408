//! A document in the making: templates write placeholders where values go, and the values come in
//! once the document's structure has been read.
//!
//! A placeholder is a quoted string of a number between two U+FDD0, a code point that is no
//! character and that no input may hold. The document with placeholders shows what the template
//! wrote, whatever the values are: a value can't change it, a placeholder that isn't a whole scalar
//! betrays a template that glues text to a value, and a parser's error about it can't hold a value.

use std::ops::Range;

use anyhow::{Result, bail};

use super::scalar::Scalar;

/// The code point around a placeholder's number.
pub const MARK: char = '\u{fdd0}';

/// Writes the placeholder of a number.
pub fn placeholder(number: usize) -> String {
    format!("\"{MARK}{number}{MARK}\"")
}

/// What is wrong with a document's structure, and where in the text with placeholders.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// It can't be parsed; the line is counted from 1.
    Syntax {
        /// Line in the text with placeholders.
        line: Option<usize>,
    },
    /// A line begins as a directive or a document separator and goes on; the line is counted
    /// from 1.
    Marker {
        /// Line in the text with placeholders.
        line: usize,
    },
    /// It is several documents.
    SeveralDocuments,
    /// A placeholder is only a part of a scalar.
    PartOfScalar {
        /// Number of the placeholder.
        number: usize,
    },
    /// A mapping has a key twice that the template itself has written; the line is counted from 1.
    KeyTwice {
        /// Line in the text with placeholders on which the mapping begins.
        line: Option<usize>,
    },
    /// Two keys of one mapping have the same value.
    RepeatedKey,
}

/// Whether kubectl, which splits a stream by lines before it parses, would take a line for more than
/// YAML does. A separator alone, or with a comment, is fine.
pub fn is_marker(line: &str) -> bool {
    let after = line.strip_prefix("---").map(str::trim_start);
    line.starts_with('%')
        || line.starts_with("...")
        || after.is_some_and(|after| !after.is_empty() && !after.starts_with('#'))
}

/// Puts the values into the text: the finished document, and where in it each scalar stands, with
/// its quotes. Each value comes in once, in the order in which the template printed them.
///
/// # Errors
/// Where it doesn't, as where a template captures output and changes it, or holds [`MARK`] itself.
pub fn finish(text: &str, scalars: &[Scalar]) -> Result<(String, Vec<Range<usize>>)> {
    let mut finished = String::with_capacity(text.len() * 2);
    let mut spans = Vec::with_capacity(scalars.len());
    let mut pieces = text.split(MARK);
    finished.push_str(pieces.next().unwrap_or_default());
    for (number, scalar) in scalars.iter().enumerate() {
        let (Some(found), Some(after)) = (pieces.next(), pieces.next()) else {
            bail!(NOT_ARRIVED);
        };
        let (Some('"'), Some(after)) = (finished.pop(), after.strip_prefix('"')) else {
            bail!(NOT_ARRIVED);
        };
        if found.parse() != Ok(number) {
            bail!(NOT_ARRIVED);
        }
        let begin = finished.len();
        scalar.write(&mut finished);
        spans.push(begin..finished.len());
        finished.push_str(after);
    }
    if pieces.next().is_some() {
        bail!(NOT_ARRIVED);
    }
    Ok((finished, spans))
}

const NOT_ARRIVED: &str = "a value that the template printed has not arrived: output can't be captured, as by `{% set x %}…{% endset %}`, `{% filter %}` or a recursive loop; apply filters to values, and set variables by `{% set x = value %}`";

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Scalar {
        Scalar::String(text.to_owned())
    }

    #[test]
    fn values_come_in_whole() {
        let document = format!("a: {}\nb: [{}]\n", placeholder(0), placeholder(1));
        let scalars = [text("x: y"), Scalar::Integer(1)];
        let (finished, spans) = finish(&document, &scalars).unwrap();
        assert_eq!(finished, "a: \"x: y\"\nb: [1]\n");
        let stand: Vec<&str> = spans
            .into_iter()
            .map(|span| finished.get(span).unwrap())
            .collect();
        assert_eq!(stand, ["\"x: y\"", "1"]);
    }

    #[test]
    fn a_broken_placeholder_is_refused() {
        for document in [
            "a: \u{fdd0}",
            "a: \"\u{fdd0}9\u{fdd0}\"",
            "a: \u{fdd0}0\u{fdd0}",
            "a: b",
            "a: \"\u{fdd0}0\u{fdd0}\"\nb: \"\u{fdd0}0\u{fdd0}\"",
        ] {
            assert!(finish(document, &[text("x")]).is_err(), "{document}");
        }
    }
}

//! A document in the making: templates write placeholders where values go, and the values come in
//! once the document's structure has been read.
//!
//! A placeholder is a quoted string of a number between two U+FDD0, a code point that is no
//! character and that no input may hold. The document with placeholders shows what the template
//! wrote, whatever the values are: a value can't change it, a placeholder that isn't a whole scalar
//! betrays a template that glues text to a value, and a parser's error about it can't hold a value.

use std::ops::Range;

use anyhow::{Result, bail};
use serde_yaml::{Mapping, Value};

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
    /// Two keys of one mapping have the same value.
    RepeatedKey,
}

/// Reads the structure of a text with placeholders and puts the values in: the value that the
/// finished document has to have. `None` where the text holds no document.
///
/// # Errors
/// Where the structure isn't one document with whole scalars.
pub fn expected(text: &str, scalars: &[Scalar]) -> Result<Option<Value>, Fault> {
    if let Some(line) = text.lines().position(is_marker) {
        return Err(Fault::Marker { line: line + 1 });
    }
    let value = parse(text)?;
    value.map(|value| fill(value, scalars)).transpose()
}

/// The one document of a text; none where it holds none. Empty documents don't count.
///
/// # Errors
/// Where the text isn't YAML, or holds several documents.
pub fn parse(text: &str) -> Result<Option<Value>, Fault> {
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = <Value as serde::Deserialize>::deserialize(document).map_err(|error| {
            Fault::Syntax {
                line: error.location().map(|at| at.line()),
            }
        })?;
        if !value.is_null() {
            documents.push(value);
        }
    }
    match (documents.pop(), documents.pop()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Fault::SeveralDocuments),
    }
}

/// Whether kubectl, which splits a stream by lines before it parses, would take a line for more than
/// YAML does. A separator alone, or with a comment, is fine.
fn is_marker(line: &str) -> bool {
    let after = line.strip_prefix("---").map(str::trim_start);
    line.starts_with('%')
        || line.starts_with("...")
        || after.is_some_and(|after| !after.is_empty() && !after.starts_with('#'))
}

fn fill(value: Value, scalars: &[Scalar]) -> Result<Value, Fault> {
    match value {
        Value::String(text) => fill_string(text, scalars),
        Value::Sequence(items) => items
            .into_iter()
            .map(|item| fill(item, scalars))
            .collect::<Result<_, _>>()
            .map(Value::Sequence),
        Value::Mapping(mapping) => {
            let mut filled = Mapping::with_capacity(mapping.len());
            for (key, value) in mapping {
                let key = fill(key, scalars)?;
                if filled.insert(key, fill(value, scalars)?).is_some() {
                    return Err(Fault::RepeatedKey);
                }
            }
            Ok(Value::Mapping(filled))
        }
        Value::Tagged(mut tagged) => {
            tagged.value = fill(tagged.value, scalars)?;
            Ok(Value::Tagged(tagged))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value),
    }
}

fn fill_string(text: String, scalars: &[Scalar]) -> Result<Value, Fault> {
    let Some((before, rest)) = text.split_once(MARK) else {
        return Ok(Value::String(text));
    };
    let (number, after) = rest.split_once(MARK).unwrap_or((rest, ""));
    let number: usize = number.parse().unwrap_or(usize::MAX);
    match scalars.get(number) {
        Some(scalar) if before.is_empty() && after.is_empty() => Ok(scalar.value()),
        _ => Err(Fault::PartOfScalar { number }),
    }
}

/// Puts the values into the text: the finished document, and where in it each scalar stands, with
/// its quotes. Each value comes in once, in the order in which the template printed them.
///
/// # Errors
/// Where it doesn't, as where a template captures output and changes it, or holds [`MARK`] itself.
pub fn finish(text: &str, scalars: &[Scalar]) -> Result<(String, Vec<Range<usize>>)> {
    let mut finished = String::with_capacity(text.len() * 2);
    let mut spans = Vec::with_capacity(scalars.len());
    let mut rest = text;
    for (number, scalar) in scalars.iter().enumerate() {
        let Some((before, after)) = rest.split_once(&placeholder(number)) else {
            bail!(NOT_ARRIVED);
        };
        if before.contains(MARK) {
            bail!(NOT_ARRIVED);
        }
        finished.push_str(before);
        let begin = finished.len();
        scalar.write(&mut finished);
        spans.push(begin..finished.len());
        rest = after;
    }
    if rest.contains(MARK) {
        bail!(NOT_ARRIVED);
    }
    finished.push_str(rest);
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
        let value: Value = serde_yaml::from_str(&finished).unwrap();
        assert_eq!(expected(&document, &scalars), Ok(Some(value)));
    }

    #[test]
    fn text_glued_to_a_value_is_found() {
        for document in [
            format!("a: b-{}\n", placeholder(0)),
            format!("a: '{}'\n", placeholder(0)),
            format!("a: |\n  echo {}\n", placeholder(0)),
        ] {
            assert_eq!(
                expected(&document, &[text("x")]),
                Err(Fault::PartOfScalar { number: 0 }),
                "{document}"
            );
        }
    }

    #[test]
    fn quotes_around_a_value_are_a_syntax_error() {
        let document = format!("a: \"{}\"\n", placeholder(0));
        assert!(matches!(
            expected(&document, &[text("x")]),
            Err(Fault::Syntax { line: Some(1) })
        ));
    }

    #[test]
    fn lines_that_kubectl_splits_by_are_found() {
        for document in ["%YAML 1.1\n---\na: b", "--- {a: b}", "a: b\n...\n"] {
            assert!(
                matches!(expected(document, &[]), Err(Fault::Marker { .. })),
                "{document}"
            );
        }
        assert!(expected("--- # c\na: b\n---\n", &[]).is_ok());
    }

    #[test]
    fn a_key_that_a_value_repeats_is_found() {
        let document = format!("a: 1\n{}: 2\n", placeholder(0));
        assert_eq!(expected(&document, &[text("a")]), Err(Fault::RepeatedKey));
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

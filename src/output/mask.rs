//! Manifests without their secrets, for a diff.

use serde_yaml::Value;

use crate::secret::names_a_secret;

/// One file's text with its secret values taken out.
pub struct Masked<'a> {
    lines: Vec<Line<'a>>,
}

enum Line<'a> {
    Plain(&'a str),
    /// A data entry: all up to the value, and the value.
    Secret(&'a str, &'a str),
}

/// Takes the secret values out of a manifest: all data of a Secret, and those of a ConfigMap whose key
/// names a secret. None where a value isn't on one line, so that its end isn't known.
pub fn mask(text: &str) -> Option<Masked<'_>> {
    let document: Value = serde_yaml::from_str(text).ok()?;
    let is_secret = match document.get("kind").and_then(Value::as_str) {
        Some("Secret") => |_: &str| true,
        Some("ConfigMap") => names_a_secret,
        _ => |_: &str| false,
    };
    let sections = ["data", "stringData"];
    let entries = sections.iter().filter_map(|section| document.get(section)?.as_mapping());
    let secrets = entries
        .flat_map(|data| data.keys())
        .filter(|key| key.as_str().is_none_or(is_secret))
        .count();
    let mut in_data = false;
    let mut lines = Vec::new();
    let mut found = 0;
    for line in text.split_inclusive('\n') {
        if !line.starts_with([' ', '#', '\n', '\r']) {
            in_data = sections.iter().any(|section| line.trim_end() == format!("{section}:"));
        }
        lines.push(match entry(line).filter(|(key, _, _)| in_data && is_secret(key)) {
            Some((_, before, value)) => {
                found += 1;
                Line::Secret(before, value)
            }
            None => Line::Plain(line),
        });
    }
    (found == secrets).then_some(Masked { lines })
}

/// Splits `  key: "value"` into the key, all up to the value, and the value.
fn entry(line: &str) -> Option<(&str, &str, &str)> {
    let (key, value) = line.strip_prefix("  ")?.split_once(": ")?;
    let is_one_line =
        value.starts_with('"') && value.trim_end().len() > 1 && value.trim_end().ends_with('"');
    let before = line.get(..line.len() - value.len())?;
    is_one_line.then_some((key.trim_matches('"'), before, value.trim_end()))
}

impl Masked<'_> {
    /// The text, its values replaced by `***`; those that differ from another text's get a word as well.
    pub fn text(&self, other: Option<&Masked<'_>>, word: &str) -> String {
        let is_same = |before: &str, value: &str| {
            other.is_none_or(|other| {
                let mut secrets = other.lines.iter().filter_map(|line| match line {
                    Line::Secret(other, value) if *other == before => Some(*value),
                    _ => None,
                });
                secrets.next().is_none_or(|other| other == value)
            })
        };
        let mut text = String::new();
        for line in &self.lines {
            match line {
                Line::Plain(line) => text.push_str(line),
                Line::Secret(before, value) if is_same(before, value) => {
                    text.push_str(&format!("{before}***\n"))
                }
                Line::Secret(before, _) => text.push_str(&format!("{before}*** ({word})\n")),
            }
        }
        text
    }
}

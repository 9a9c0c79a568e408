//! Placeholders of printed values, and the values in their place, which Kubernetes reads back exactly.

use std::fmt;

use serde_yaml::Value;

use crate::show::quoted;

/// Marks placeholders. A Unicode noncharacter, so no sensible text contains it.
pub const MARK: char = '\u{fdd0}';

/// Returns the placeholder of the nth printed value, as YAML.
pub fn placeholder(number: usize) -> impl fmt::Display {
    fmt::from_fn(move |f| write!(f, "\"{MARK}{number}{MARK}\""))
}

/// Returns the number of a placeholder that was parsed as YAML, so has lost its quotes.
pub fn number(text: &str) -> Option<usize> {
    text.strip_prefix(MARK)?.strip_suffix(MARK)?.parse().ok()
}

/// Replaces the placeholders with their values.
pub fn fill_in(skeleton: &str, values: &[Value]) -> String {
    let mut text = String::with_capacity(2 * skeleton.len());
    let mut parts = skeleton.split("\"\u{fdd0}");
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (number, rest) = part.split_once(MARK).unwrap_or_default();
        match number.parse().ok().and_then(|number: usize| values.get(number)) {
            Some(Value::String(value)) => text.push_str(&quoted(value)),
            Some(Value::Number(value)) => text.push_str(&value.to_string()),
            Some(Value::Bool(value)) => text.push_str(&value.to_string()),
            _ => {}
        }
        text.push_str(rest.strip_prefix('"').unwrap_or(rest));
    }
    text
}

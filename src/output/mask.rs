//! Masks the secrets in both texts of a file, for a diff.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_yaml::Value;

use super::compare::is_marked;
use crate::input::yaml;
use crate::secret::Secrets;

const SECTIONS: [&str; 2] = ["data", "stringData"];

/// Masks the secrets of a run in both texts, and values that are secret by the object's kind or the variable's name. Marks
/// masked values that differ. Returns `None` if a secret may be where it can't be masked.
pub fn mask(before: &str, after: &str, secrets: &Secrets) -> Option<(String, String)> {
    // An earlier run's secrets are unknown, so in a marked file only lines that stay are public.
    let header = before.lines().take(2);
    let kept: Option<HashSet<&str>> =
        is_marked(before).then(|| after.lines().chain(header).collect());
    let before_entries = secret_entries(before, secrets, kept.as_ref())?;
    let after_entries = secret_entries(after, secrets, None)?;
    // The same value may also be in a comment or annotation, or in the other text.
    let values = before_entries.iter().chain(&after_entries).flat_map(|entry| entry.values.clone());
    let secrets = secrets.with(values);
    let before = lines(before, &before_entries, &secrets, kept.as_ref())?;
    let after = lines(after, &after_entries, &secrets, None)?;
    Some((masked(&before, &after, "before"), masked(&after, &before, "after")))
}

struct Entry {
    line: usize,
    /// The value, and decoded if it is base64 in `data`.
    values: Vec<String>,
}

/// Finds the secret entries: all of a Secret, and those of a ConfigMap that are secret by name or text, or not on a public
/// line. Without `public`, every line is. Returns `None` if a secret may be elsewhere, or if an entry isn't one line: its
/// end is then unknown.
fn secret_entries(
    text: &str,
    secrets: &Secrets,
    public: Option<&HashSet<&str>>,
) -> Option<Vec<Entry>> {
    let document: Value = serde_yaml::from_str(text).ok()?;
    let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default();
    let is_secret = |name: &str, value: &str| match kind {
        "Secret" => true,
        "ConfigMap" => secrets.are_in_entry(kind, name, value),
        _ => false,
    };
    let mut section = "";
    let (mut entries, mut on_a_line) = (Vec::new(), 0);
    for (number, line) in text.lines().enumerate() {
        if !line.starts_with([' ', '#']) && !line.is_empty() {
            section = line.trim_end().strip_suffix(':').unwrap_or_default();
        }
        let Some((name, value)) = entry(line).filter(|_| SECTIONS.contains(&section)) else {
            continue;
        };
        on_a_line += 1;
        if is_secret(name, &value) || kind == "ConfigMap" && !is_in(public, line) {
            let is_base64 = kind == "Secret" && section == "data";
            let decoded = if is_base64 { crate::secret::decoded(&value) } else { None };
            entries
                .push(Entry { line: number, values: [value].into_iter().chain(decoded).collect() });
        }
    }
    let all = SECTIONS.iter().filter_map(|section| document.get(section)?.as_mapping()).flatten();
    let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all: Vec<_> = all.map(|(name, value)| (text_of(name), text_of(value))).collect();
    let has_secret = is_marked(text) || all.iter().any(|(name, value)| is_secret(name, value));
    let annotations = document.get("metadata").and_then(|metadata| metadata.get("annotations"));
    // Client-side `kubectl apply` keeps a copy of the whole object, secrets included, in this annotation.
    let has_copy = annotations
        .is_some_and(|it| it.get("kubectl.kubernetes.io/last-applied-configuration").is_some());
    let is_known = on_a_line == all.len() && !has_copy && !entries.is_empty();
    (is_known || !has_secret).then_some(entries)
}

/// Reads `  key: "value"`.
fn entry(line: &str) -> Option<(&str, String)> {
    let (key, value) =
        line.strip_prefix("  ")?.split_once(": ").filter(|(key, _)| !key.starts_with(' '))?;
    let value = value.trim_end();
    let is_one_line = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
    let value = serde_yaml::from_str(value).ok().filter(|_| is_one_line)?;
    Some((key.trim_matches('"'), value))
}

/// The lines of a text, each with the value to mask, if any.
type Lines<'a> = Vec<(&'a str, Option<&'a str>)>;

/// Separates the values to mask. Returns `None` if a secret is in a key or a comment, which can't be masked.
fn lines<'a>(
    text: &'a str,
    entries: &[Entry],
    secrets: &Secrets,
    public: Option<&HashSet<&str>>,
) -> Option<Lines<'a>> {
    let separate = |(number, line): (usize, &'a str)| {
        let (start, value) = line.split_at(value_start(line));
        let parsed: Value = serde_yaml::from_str(value.trim_end()).unwrap_or_default();
        let is_secret = !is_in(public, line)
            || entries.iter().any(|entry| entry.line == number)
            || secrets.are_in(line)
            || yaml::texts(&parsed).into_iter().any(|text| secrets.are_in(text));
        if is_secret { (start, Some(value)) } else { (line, None) }
    };
    let lines: Lines<'_> = text.lines().enumerate().map(separate).collect();
    lines.iter().all(|(line, _)| !secrets.are_in(line)).then_some(lines)
}

/// Returns a text with its values masked. The other text shows which of them differ.
fn masked(lines: &Lines<'_>, other: &Lines<'_>, word: &str) -> String {
    // Several lines may begin alike: the n-th is compared with the n-th.
    let mut there: HashMap<&str, VecDeque<&str>> = HashMap::new();
    for (start, value) in other {
        there.entry(start).or_default().extend(value);
    }
    let mut text = String::new();
    for (start, value) in lines {
        text.push_str(start);
        if let Some(value) = value {
            text.push_str("***");
            let other = there.get_mut(start).and_then(VecDeque::pop_front);
            if other.is_some_and(|other| other != *value) {
                text.push_str(&format!(" ({word})"));
            }
        }
        text.push('\n');
    }
    text
}

fn is_in(public: Option<&HashSet<&str>>, line: &str) -> bool {
    public.is_none_or(|public| public.contains(line))
}

/// Returns the offset of a line's value, after its key or the `-` of a list. Text that isn't surely a key is part of the
/// value: a secret may have a colon in it.
fn value_start(line: &str) -> usize {
    let rest = line.trim_start_matches([' ', '-']);
    let indent = line.len() - rest.len();
    let Some((key, _)) = rest.split_once(": ") else { return indent };
    let bare = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
    let is_plain = bare.chars().all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c));
    if is_plain { indent + key.len() + 2 } else { indent }
}

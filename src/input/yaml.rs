//! Decodes and parses YAML, with errors that show no value of the input.

use serde::Deserialize as _;
use serde_yaml::Value;

use crate::diagnostic::Diagnostic;
use crate::show::{safe, shown};

/// Decodes a file's bytes: UTF-8, or UTF-16 as PowerShell writes it, with or without a byte order mark. Fails if it
/// is neither, or has control characters.
pub fn decode(bytes: Vec<u8>) -> Result<String, Diagnostic> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok());
        String::from_utf16(&units.map(unit).collect::<Vec<u16>>()).ok()
    };
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => String::from_utf8(bytes).ok(),
    };
    let text = text.ok_or_else(|| Diagnostic::error("the file is not text in UTF-8"))?;
    let is_control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    if let Some(position) = text.find(is_control) {
        let before = text.get(..position).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        return Err(Diagnostic::error("the file has a control character in it")
            .on_line(Some(line.to_string())));
    }
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Parses the documents of a text, empty ones left out. Fails if the text isn't YAML, or a document repeats a key or
/// has a merge key.
pub fn documents(text: &str) -> Result<Vec<Value>, Diagnostic> {
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = Value::deserialize(document).map_err(|error| {
            let mut explained = explain(&error, text, |_| false);
            explained.message = format!("not valid YAML: {}", explained.message);
            explained
        })?;
        // kubectl, serde_yaml and YAML's specification each merge differently.
        if has_merge_key(&value) {
            let error = Diagnostic::error("YAML merge keys (`<<`) are not supported");
            return Err(error.help("write the keys out"));
        }
        if !value.is_null() {
            documents.push(value);
        }
    }
    Ok(documents)
}

fn has_merge_key(value: &Value) -> bool {
    match value {
        Value::Mapping(mapping) => {
            mapping.contains_key("<<") || mapping.values().any(has_merge_key)
        }
        Value::Sequence(items) => items.iter().any(has_merge_key),
        _ => false,
    }
}

/// Explains a parser error with its key and line, without the value that serde's type errors show. `text` is empty for
/// merged documents, which have no lines. Below a key that `may_be_secret`, unknown and empty keys aren't shown: they
/// may be part of a misplaced secret.
pub fn explain(
    error: &serde_yaml::Error,
    text: &str,
    may_be_secret: fn(&str) -> bool,
) -> Diagnostic {
    let location = error.location().filter(|at| at.line() <= text.lines().count());
    let message = error.to_string();
    let is_path = |path: &str| {
        path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-[]/".contains(&byte))
    };
    let (key, message) = match message.split_once(": ") {
        Some((key, message)) if is_path(key) => (Some(key), message),
        _ => (None, message.as_str()),
    };
    let is_secret = key.is_some_and(may_be_secret);
    let mut key = key;
    let diagnostic = match type_error(message) {
        Some((found, expected)) => {
            if found == "nothing" && is_secret {
                key = key.and_then(|key| key.rsplit_once('.')).map(|(parent, _)| parent);
            }
            let error = Diagnostic::error(format!("expected {expected}, found {found}"));
            let is_number = matches!(found, "a number" | "a boolean");
            // Quote the number as written: parsed, `1.10` would be 1.1.
            let at = location.as_ref().filter(|_| is_number && expected == "text" && !is_secret);
            match at.and_then(|at| scalar(text, at.index())) {
                Some(scalar) => error.help(format!("put it in quotes: `\"{scalar}\"`")),
                None if expected.starts_with("text") && (is_number || found == "a YAML tag") => {
                    error.help("put it in quotes")
                }
                None => error,
            }
        }
        None => about_key(without_line(message), is_secret),
    };
    let diagnostic = match key {
        Some(key) => diagnostic.at_key(format!("`{key}`")),
        None => diagnostic,
    };
    diagnostic.on_line(location.map(|at| format!("{}:{}", at.line(), at.column())))
}

/// Explains an error that isn't about a type, with YAML's terms instead of serde's.
fn about_key(message: &str, is_secret: bool) -> Diagnostic {
    if let Some(key) = message.strip_prefix("duplicate entry with key ") {
        let message = format!("duplicate key {}", shown(key.trim_matches('"')));
        return Diagnostic::error(message).help("remove one of the two");
    }
    let unknown = message.strip_prefix("unknown field ").filter(|_| is_secret);
    if let Some((_, expected)) = unknown.and_then(|unknown| unknown.split_once("`, ")) {
        return Diagnostic::error(format!("unknown key, {expected}"));
    }
    let message = message.replacen("unknown field", "unknown key", 1);
    let message = message.replacen("missing field", "missing key", 1);
    Diagnostic::error(safe(&message.replacen("unknown variant", "unknown value", 1)))
}

fn without_line(message: &str) -> &str {
    message.split_once(" at line ").map_or(message, |(message, _)| message)
}

/// Returns the found and the expected type, if the error is about a type.
fn type_error(message: &str) -> Option<(&'static str, &str)> {
    let (_, rest) =
        message.split_once("invalid type: ").or_else(|| message.split_once("invalid value: "))?;
    let (found, expected) = rest.rsplit_once(", expected ")?;
    let expected = match without_line(expected) {
        "u16" => "a whole number up to 65535",
        "a sequence" => "a list",
        "a map" => "a mapping",
        words if words.starts_with("a YAML tag") => "one of the words that README lists",
        expected => expected,
    };
    let kinds = [
        ("unit", "nothing"),
        ("map", "a mapping"),
        ("sequence", "a list"),
        ("integer", "a number"),
        ("floating point", "a number"),
        ("boolean", "a boolean"),
        ("enum", "a YAML tag"),
    ];
    let kind = kinds.iter().find(|(kind, _)| found.starts_with(kind));
    Some((kind.map_or("text", |(_, name)| name), expected))
}

fn scalar(text: &str, start: usize) -> Option<&str> {
    let rest = text.get(start..)?;
    let end = rest.find([',', ']', '}', '#', ' ', '\r', '\n']).unwrap_or(rest.len());
    rest.get(..end).map(|scalar| scalar.trim_end_matches(':')).filter(|scalar| !scalar.is_empty())
}

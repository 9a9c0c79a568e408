//! Decodes and parses YAML, with errors that show no value of the input.

use serde::Deserialize as _;
use serde_yaml::Value;

use crate::diagnostic::Diagnostic;
use crate::show::{safe, shown};

/// Decodes a file's bytes: UTF-8, or UTF-16 with a byte order mark, as PowerShell writes it. Fails if it is
/// neither, or has control characters.
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

/// Returns the texts of a document, its keys among them.
pub fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Sequence(items) => items.iter().flat_map(texts).collect(),
        Value::Mapping(mapping) => {
            mapping.iter().flat_map(|(key, value)| [key, value]).flat_map(texts).collect()
        }
        Value::Tagged(tagged) => texts(&tagged.value),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
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
    let message = error.to_string();
    let place = place_of(error, &message, text);
    // A path ends where serde's or our own message begins. A key in it may have any characters.
    let begins = ["unknown ", "invalid ", "missing ", "duplicate ", "expected "];
    let ends = begins.iter().filter_map(|begin| message.find(&format!(": {begin}")));
    let (mut key, message) = match ends.min().map(|end| message.split_at(end)) {
        Some((key, rest)) => (Some(key), rest.trim_start_matches(": ")),
        None => (None, message.as_str()),
    };
    let is_secret = key.is_some_and(may_be_secret);
    let diagnostic = match type_error(message) {
        Some((found, expected)) => {
            if found == "nothing" && is_secret {
                key = key.and_then(|key| key.rsplit_once('.')).map(|(parent, _)| parent);
            }
            let help = match found {
                "a number" | "a boolean" => Some("put it in quotes"),
                "a YAML tag" => Some("put it in quotes; if it is `!vault`, decrypt it first"),
                _ => None,
            };
            let help = help.filter(|_| expected.starts_with("text"));
            let problem = Diagnostic::error(format!("expected {expected}, found {found}"));
            help.into_iter().fold(problem, Diagnostic::help)
        }
        None if message.contains("while scanning a quoted scalar") => {
            Diagnostic::error("a quote is never closed").help("close it")
        }
        None => about_key(without_line(message), is_secret, text, error),
    };
    let key = key.map(|key| format!("`{key}`"));
    key.into_iter().fold(diagnostic, Diagnostic::at_key).on_line(place)
}

/// Whether a type error is about a null.
pub fn is_about_null(error: &serde_yaml::Error) -> bool {
    type_error(&error.to_string()).is_some_and(|(found, _)| found == "nothing")
}

/// Returns the line and column of an error. That of a quote which is never closed is where it opens, not the end of the
/// text.
fn place_of(error: &serde_yaml::Error, message: &str, text: &str) -> Option<String> {
    let opened = message.split_once("while scanning a quoted scalar at line ");
    let opened = opened.and_then(|(_, place)| place.split_once(" column "));
    if let Some((line, column)) = opened {
        return Some(format!("{line}:{column}"));
    }
    // A document that was merged has no text.
    let at = error.location().filter(|_| !text.is_empty())?;
    Some(format!("{}:{}", at.line().min(text.lines().count()), at.column()))
}

/// Explains an error that isn't about a type, with YAML's terms instead of serde's.
fn about_key(message: &str, is_secret: bool, text: &str, error: &serde_yaml::Error) -> Diagnostic {
    if let Some(key) = message.strip_prefix("duplicate entry with key ") {
        let key = key.trim_matches('"');
        let message = format!("duplicate key {}", shown(key));
        return Diagnostic::error(message).help(match lines_of(key, text, error) {
            Some((first, second)) => format!("remove line {first} or line {second}"),
            None => "remove one of the two".to_owned(),
        });
    }
    let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once("`, "));
    if let Some((key, expected)) = unknown {
        let known = expected.split('`').skip(1).step_by(2);
        return match nearest(key, known).first().filter(|_| !is_secret) {
            Some(near) => Diagnostic::error(format!("unknown key {}", shown(key)))
                .help(format!("did you mean `{near}`?")),
            None if is_secret => Diagnostic::error(format!("unknown key, {expected}")),
            None => Diagnostic::error(format!("unknown key {}, {expected}", shown(key))),
        };
    }
    let message = message.replacen("missing field", "missing key", 1);
    match message.strip_prefix("unknown variant ") {
        None => Diagnostic::error(safe(&message)),
        Some(rest) => Diagnostic::error(safe(&format!("unknown value {rest}")))
            .help("write one of these; an optional key may be left out"),
    }
}

/// Returns those of the known names that are similar, the nearest first, at most three.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = |name: &str| name.to_ascii_lowercase();
    let scored = known.map(|known| (strsim::jaro_winkler(&lower(name), &lower(known)), known));
    let mut near: Vec<(f64, &str)> = scored.filter(|(score, _)| *score > 0.9).collect();
    near.sort_by(|left, right| right.0.total_cmp(&left.0));
    near.into_iter().take(3).map(|(_, known)| known).collect()
}

/// Returns the lines of a repeated key, if both are written in the block style. The parser knows only where the mapping is.
fn lines_of(key: &str, text: &str, error: &serde_yaml::Error) -> Option<(usize, usize)> {
    let mapping = error.location()?;
    let is_key = |line: &str| {
        let indented = line.trim_start();
        line.len() - indented.len() + 1 == mapping.column()
            && indented.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'))
    };
    let lines = text.lines().enumerate().skip(mapping.line().saturating_sub(1));
    let mut found = lines.filter(|(_, line)| is_key(line)).map(|(index, _)| index + 1);
    Some((found.next()?, found.next()?))
}

fn without_line(message: &str) -> &str {
    let message = message.split_once(", while ").map_or(message, |(message, _)| message);
    // A text of the input may have the words in it, too.
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
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
        words if words.starts_with("a YAML tag") => "one of the words that `explain` lists",
        "field identifier" => "the name of a key",
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

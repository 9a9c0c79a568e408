//! YAML as values and as types, with errors that show no value of the input.

use serde::Deserialize as _;
use serde_yaml::Value;

use crate::diagnostic::Diagnostic;
use crate::show::safe;

/// The longest message of the parser that is printed in full, in characters: it may name a key.
const LONGEST_MESSAGE: usize = 400;

/// Decodes a file's bytes: UTF-8, or UTF-16 as PowerShell writes it, with or without a byte order mark.
///
/// # Errors
/// Where it is neither, or has control characters.
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
        return Err(Diagnostic::error("the file has a control character in it").on_line(Some(line)));
    }
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Parses the documents of a text, empty ones left out.
///
/// # Errors
/// Where the text isn't YAML, or a document repeats a key or has a merge key.
pub fn documents(text: &str) -> Result<Vec<Value>, Diagnostic> {
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = Value::deserialize(document).map_err(|error| {
            let mut error = explain(&error);
            error.message = format!("not valid YAML: {}", error.message);
            error
        })?;
        if has_merge_key(&value) {
            return Err(Diagnostic::error("YAML merge keys (`<<`) are not supported"));
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

/// An error of the parser with its line, and without the value that serde's type errors show.
pub fn explain(error: &serde_yaml::Error) -> Diagnostic {
    let mut message = error.to_string();
    if let Some(location) = error.location() {
        let suffix = format!(" at line {} column {}", location.line(), location.column());
        if let Some(start) = message.find(&suffix) {
            message.truncate(start);
        }
    }
    for kind in ["invalid type: ", "invalid value: "] {
        if let Some((path, rest)) = message.split_once(kind)
            && let Some((found, expected)) = rest.rsplit_once(", expected ")
        {
            let end = found.find([' ', '`', '"']).unwrap_or(found.len());
            let found = match found.get(..end).unwrap_or_default() {
                "unit" => "nothing",
                "map" => "a mapping",
                "sequence" => "a list",
                "integer" | "floating" => "a number",
                "boolean" => "a boolean",
                _ => "text",
            };
            message = format!("{path}expected {expected}, found {found}");
            break;
        }
    }
    let line = error.location().map(|location| location.line());
    Diagnostic::error(safe(&message, LONGEST_MESSAGE)).on_line(line)
}

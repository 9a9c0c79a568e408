//! A value as a YAML scalar that Kubernetes' parser reads back exactly.
//!
//! Kubernetes reads YAML 1.1 with Go's parser, where `no`, `0777`, `1_000`, `12:30:45` and `1e3`
//! are no strings. Strings are therefore always written in double quotes, with JSON's escapes.

use serde_yaml::Value;

use crate::text::is_unsafe_to_show;

/// A value that a template printed.
#[derive(Clone, PartialEq)]
pub enum Scalar {
    /// A string.
    String(String),
    /// A whole number.
    Integer(i64),
    /// A boolean.
    Boolean(bool),
}

impl Scalar {
    /// The scalar as it stands in a manifest.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::String(text) => write_string(text, out),
            Self::Integer(number) => out.push_str(&number.to_string()),
            Self::Boolean(value) => out.push_str(&value.to_string()),
        }
    }

    /// The value that a parser has to make of it.
    pub fn value(&self) -> Value {
        match self {
            Self::String(text) => Value::String(text.clone()),
            Self::Integer(number) => Value::Number((*number).into()),
            Self::Boolean(value) => Value::Bool(*value),
        }
    }
}

/// A string as it stands in a manifest.
pub fn quoted(text: &str) -> String {
    let mut out = String::new();
    write_string(text, &mut out);
    out
}

/// Whether a text stands for itself between double quotes.
pub fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}

fn write_string(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    // Most texts are, and some are long.
    if is_plain(text) {
        out.push_str(text);
        out.push('"');
        return;
    }
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Control characters would end the line or be refused; the invisible ones would be
            // read back, but nobody who reviews the manifest would see them.
            _ if is_unsafe_to_show(character) || is_not_printable(character) => {
                write_escape(character, out);
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// Characters that YAML doesn't allow unescaped beside control characters (YAML 1.1, section 4.1.1).
fn is_not_printable(character: char) -> bool {
    matches!(character, '\u{fdd0}'..='\u{fdef}') || (u32::from(character) & 0xfffe) == 0xfffe
}

fn write_escape(character: char, out: &mut String) {
    let code = u32::from(character);
    out.push_str(&if code <= 0xffff {
        format!("\\u{code:04X}")
    } else {
        format!("\\U{code:08X}")
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(scalar: &Scalar) -> String {
        let mut out = String::new();
        scalar.write(&mut out);
        out
    }

    #[test]
    fn strings_that_look_like_something_else_are_quoted() {
        for text in [
            "no", "0777", "1_000", "12:30:45", "1e3", "~", "", "- a", "a: b", "#",
        ] {
            assert_eq!(
                written(&Scalar::String(text.to_owned())),
                format!("\"{text}\"")
            );
        }
    }

    #[test]
    fn characters_that_end_a_line_or_hide_are_escaped() {
        assert_eq!(
            written(&Scalar::String(
                "\"\\\n\u{0}\u{85}\u{2028}\u{feff}\u{202e}\u{e0041}".to_owned()
            )),
            r#""\"\\\n\u0000\u0085\u2028\uFEFF\u202E\U000E0041""#
        );
    }

    proptest! {
        #[test]
        fn every_string_comes_back(text in any::<String>()) {
            let scalar = Scalar::String(text);
            let parsed: Value = serde_yaml::from_str(&written(&scalar)).unwrap();
            prop_assert!(parsed == scalar.value());
        }

        #[test]
        fn every_string_is_one_line(text in any::<String>()) {
            let written = written(&Scalar::String(text));
            let breaks = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
            prop_assert!(!written.contains(breaks));
        }
    }
}

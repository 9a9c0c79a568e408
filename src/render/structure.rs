//! The structure of a document: what a text with placeholders says, and whether a finished text says
//! the same with the values in place.
//!
//! Clusters that need the same keys have the same structure, so it is parsed once for all of them, by
//! two parsers: what they disagree about is refused. A value of plain ASCII between double quotes is
//! itself to every parser, so a text with no other values says what its structure says. Every other
//! text is parsed again in full; and in tests all of them are.

use std::borrow::Cow;
use std::cmp::Ordering;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use serde_yaml::{Mapping, Value};

use super::document::{Fault, MARK, is_marker};
use super::scalar::{self, Scalar};

/// What a text with placeholders says.
pub struct Structure {
    /// The document with placeholders.
    value: Value,
    /// What a parser meets on its way through the text.
    events: Vec<Met>,
    /// The keys of each mapping that has a value among them.
    keys: Vec<Vec<Key>>,
}

/// What a parser meets.
enum Met {
    /// What the template itself wrote.
    Fixed(Event<'static>),
    /// A value, by its number, with the anchor and tag before it.
    Value(usize, usize, Option<Cow<'static, Tag>>),
}

/// A key of a mapping.
enum Key {
    Fixed(Value),
    /// A value, by its number.
    Value(usize),
}

impl Structure {
    /// Reads a text with placeholders for the given number of values. `None` where the text holds no
    /// document; empty ones don't count.
    ///
    /// # Errors
    /// Where it isn't one document with whole scalars.
    pub fn read(text: &str, values: usize) -> Result<Option<Self>, Fault> {
        if let Some(line) = text.lines().position(is_marker) {
            return Err(Fault::Marker { line: line + 1 });
        }
        let mut found = None;
        for document in serde_yaml::Deserializer::from_str(text) {
            let value = <Value as serde::Deserialize>::deserialize(document)
                .map_err(|error| fault(&error))?;
            if value.is_null() {
                continue;
            }
            if found.is_some() {
                return Err(Fault::SeveralDocuments);
            }
            check_whole(&value, values)?;
            found = Some(value);
        }
        let Some(value) = found else {
            return Ok(None);
        };
        let events: Result<Vec<Met>, ScanError> = Parser::new_from_str(text)
            .map(|event| event.map(|(event, _)| met(event)))
            .collect();
        let events = events.map_err(|error| Fault::Syntax {
            line: Some(error.marker().line()),
        })?;
        let mut keys = Vec::new();
        collect_keys(&value, &mut keys);
        Ok(Some(Self {
            value,
            events,
            keys,
        }))
    }

    /// Refuses values that are used as keys and make two keys of one mapping the same.
    ///
    /// # Errors
    /// Where they do.
    pub fn check_keys(&self, scalars: &[Scalar]) -> Result<(), Fault> {
        for keys in &self.keys {
            let mut keys: Vec<Cow<'_, Value>> = keys
                .iter()
                .filter_map(|key| match key {
                    Key::Fixed(key) => Some(Cow::Borrowed(key)),
                    Key::Value(number) => Some(Cow::Owned(scalars.get(*number)?.value())),
                })
                .collect();
            keys.sort_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal));
            if keys.windows(2).any(|pair| pair.first() == pair.last()) {
                return Err(Fault::RepeatedKey);
            }
        }
        Ok(())
    }

    /// Whether a finished text says what was meant: this structure with the values in place.
    pub fn is_said_by(&self, text: &str, scalars: &[Scalar]) -> bool {
        (self.is_beyond_doubt(scalars) && !cfg!(debug_assertions))
            || self.is_read_from(text, scalars)
    }

    /// Whether no parser can take any of the values for anything else. A key has to be short
    /// besides: YAML's parsers look for the `:` after it no further than 1024 characters.
    fn is_beyond_doubt(&self, scalars: &[Scalar]) -> bool {
        const SHORT: usize = 256;
        let is_plain =
            |scalar: &Scalar| matches!(scalar, Scalar::String(text) if scalar::is_plain(text));
        let is_short = |key: &Key| match key {
            Key::Fixed(_) => true,
            Key::Value(number) => {
                matches!(scalars.get(*number), Some(Scalar::String(text)) if text.len() <= SHORT)
            }
        };
        scalars.iter().all(is_plain) && self.keys.iter().flatten().all(is_short)
    }

    fn is_read_from(&self, text: &str, scalars: &[Scalar]) -> bool {
        let mut expected = self.events.iter();
        for found in Parser::new_from_str(text) {
            match (found, expected.next()) {
                (Ok((found, _)), Some(expected)) if is_meant(&found, expected, scalars) => {}
                _ => return false,
            }
        }
        expected.next().is_none()
    }

    /// What the object says about itself, once the values are in place.
    pub fn head(&self, scalars: &[Scalar]) -> Head {
        let root = self.value.as_mapping();
        let metadata = root.and_then(|root| get(root, "metadata", scalars));
        let metadata = metadata.and_then(Value::as_mapping);
        let field = |mapping: Option<&Mapping>, key| {
            let value = mapping.and_then(|mapping| get(mapping, key, scalars));
            Field::of(value, scalars)
        };
        Head {
            is_mapping: root.is_some(),
            api_version: field(root, "apiVersion"),
            kind: field(root, "kind"),
            name: field(metadata, "name"),
            namespace: field(metadata, "namespace"),
        }
    }
}

/// What a parser meets, outliving its text.
fn met(event: Event<'_>) -> Met {
    let tag = |tag: Option<Cow<'_, Tag>>| tag.map(|tag| Cow::Owned(tag.into_owned()));
    Met::Fixed(match event {
        Event::Scalar(text, style, anchor, of_type) => {
            if let Some(Ok(number)) = number(&text) {
                return Met::Value(number, anchor, tag(of_type));
            }
            Event::Scalar(Cow::Owned(text.into_owned()), style, anchor, tag(of_type))
        }
        Event::SequenceStart(anchor, of_type) => Event::SequenceStart(anchor, tag(of_type)),
        Event::MappingStart(anchor, of_type) => Event::MappingStart(anchor, tag(of_type)),
        Event::Nothing => Event::Nothing,
        Event::StreamStart => Event::StreamStart,
        Event::StreamEnd => Event::StreamEnd,
        Event::DocumentStart(is_explicit) => Event::DocumentStart(is_explicit),
        Event::DocumentEnd => Event::DocumentEnd,
        Event::Alias(anchor) => Event::Alias(anchor),
        Event::SequenceEnd => Event::SequenceEnd,
        Event::MappingEnd => Event::MappingEnd,
    })
}

/// Whether an event of a finished text is the expected one, with the value in its place.
fn is_meant(found: &Event<'_>, expected: &Met, scalars: &[Scalar]) -> bool {
    let (number, anchor, tag) = match expected {
        Met::Fixed(expected) => return found == expected,
        Met::Value(number, anchor, tag) => (number, anchor, tag),
    };
    let Event::Scalar(text, style, found_anchor, found_tag) = found else {
        return false;
    };
    let is_scalar = match scalars.get(*number) {
        Some(Scalar::String(meant)) => *style == ScalarStyle::DoubleQuoted && text == meant,
        Some(Scalar::Integer(meant)) => *style == ScalarStyle::Plain && *text == meant.to_string(),
        Some(Scalar::Boolean(meant)) => *style == ScalarStyle::Plain && *text == meant.to_string(),
        None => false,
    };
    is_scalar && found_anchor == anchor && found_tag == tag
}

/// What an object says about itself.
pub struct Head {
    /// Whether it is a mapping at all.
    pub is_mapping: bool,
    /// `apiVersion`
    pub api_version: Field,
    /// `kind`
    pub kind: Field,
    /// `metadata.name`
    pub name: Field,
    /// `metadata.namespace`
    pub namespace: Field,
}

/// A field that is to be a string.
pub enum Field {
    /// It isn't there.
    Missing,
    /// It is.
    Text(String),
    /// It isn't a string.
    Other,
}

impl Field {
    fn of(value: Option<&Value>, scalars: &[Scalar]) -> Self {
        let Some(value) = value else {
            return Self::Missing;
        };
        match (value, scalar(value, scalars)) {
            (_, Some(Scalar::String(text))) | (Value::String(text), None) => {
                Self::Text(text.clone())
            }
            _ => Self::Other,
        }
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Missing | Self::Other => None,
        }
    }
}

/// The number of the placeholder that a text is or holds; `Err` where it is more than that.
fn number(text: &str) -> Option<Result<usize, usize>> {
    let (before, rest) = text.split_once(MARK)?;
    let (number, after) = rest.split_once(MARK).unwrap_or((rest, ""));
    let number = number.parse().unwrap_or(usize::MAX);
    Some(if before.is_empty() && after.is_empty() {
        Ok(number)
    } else {
        Err(number)
    })
}

/// The value that goes in a placeholder's place.
fn scalar<'a>(value: &Value, scalars: &'a [Scalar]) -> Option<&'a Scalar> {
    // Not `as_str`, which looks behind a tag.
    let Value::String(text) = value else {
        return None;
    };
    scalars.get(number(text)?.ok()?)
}

fn get<'a>(mapping: &'a Mapping, wanted: &str, scalars: &[Scalar]) -> Option<&'a Value> {
    mapping
        .get(wanted)
        .or_else(|| {
            let is_wanted = |key: &Value| {
                matches!(scalar(key, scalars), Some(Scalar::String(key)) if key == wanted)
            };
            mapping
                .iter()
                .find_map(|(key, value)| is_wanted(key).then_some(value))
        })
}

fn check_whole(value: &Value, values: usize) -> Result<(), Fault> {
    match value {
        Value::String(text) => match number(text) {
            Some(Ok(number)) if number < values => Ok(()),
            Some(Ok(number) | Err(number)) => Err(Fault::PartOfScalar { number }),
            None => Ok(()),
        },
        Value::Sequence(items) => items.iter().try_for_each(|item| check_whole(item, values)),
        Value::Mapping(mapping) => mapping.iter().try_for_each(|(key, value)| {
            check_whole(key, values)?;
            check_whole(value, values)
        }),
        Value::Tagged(tagged) => check_whole(&tagged.value, values),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// Collects the keys of mappings that have a value among them. Without one the parser has compared
/// them already.
fn collect_keys(value: &Value, collected: &mut Vec<Vec<Key>>) {
    match value {
        Value::Sequence(items) => items.iter().for_each(|item| collect_keys(item, collected)),
        Value::Mapping(mapping) => {
            let key = |key: &Value| match key {
                Value::String(text) => match number(text) {
                    Some(Ok(number)) => Key::Value(number),
                    _ => Key::Fixed(key.clone()),
                },
                _ => Key::Fixed(key.clone()),
            };
            let keys: Vec<Key> = mapping.keys().map(key).collect();
            if keys.iter().any(|key| matches!(key, Key::Value(_))) {
                collected.push(keys);
            }
            for (key, value) in mapping {
                collect_keys(key, collected);
                collect_keys(value, collected);
            }
        }
        Value::Tagged(tagged) => collect_keys(&tagged.value, collected),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn fault(error: &serde_yaml::Error) -> Fault {
    let line = error.location().map(|at| at.line());
    match error.to_string().contains("duplicate entry") {
        true => Fault::KeyTwice { line },
        false => Fault::Syntax { line },
    }
}

#[cfg(test)]
mod tests;

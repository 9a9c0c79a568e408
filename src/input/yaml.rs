//! YAML documents as plain values, and typed values out of them with errors that are safe to print.
//!
//! `serde_yaml`'s own type errors quote the value they are about, which may be a key or a token
//! in the wrong place. [`typed`] therefore reads values through a deserializer of its own, whose
//! errors hold the path of keys and the kind of what was found, never the value.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Unexpected, Visitor};
use serde_yaml::{Mapping, Value};

use super::locate::Documents;
use super::mistake::{Mistake, Step};
use super::tree::{Budget, Keep, Tree};
use super::words::{is_like_a_secret, is_plain};
use crate::text::{shown, shown_list};

/// Parses a text into its documents, merge keys (`<<`) applied; empty documents are left out.
///
/// # Errors
/// Where a document isn't YAML, repeats a key, or expands too far.
pub fn documents(text: &str) -> anyhow::Result<Vec<Document>> {
    let budget = Budget::for_text(text)?;
    let mut documents = Vec::new();
    for (position, document) in serde_yaml::Deserializer::from_str(text).enumerate() {
        let mut value = Tree::new(&budget, Keep::All)
            .deserialize(document)
            .map_err(|error| anyhow::Error::msg(explain(&error)))?;
        value
            .apply_merge()
            .map_err(|_| wrong_merge(text, position))?;
        if !value.is_null() {
            documents.push(Document { position, value });
        }
    }
    Ok(documents)
}

fn wrong_merge(text: &str, position: usize) -> anyhow::Error {
    let at = match Documents::of(text).line(text, position, &[]) {
        Some(line) => format!("line {line}: in the document that begins here "),
        None => String::new(),
    };
    anyhow::anyhow!("{at}a merge key `<<` has something other than a mapping")
}

/// One document of a text.
pub struct Document {
    /// Its position in the text, counted from 0, empty documents included.
    pub position: usize,
    /// What it holds.
    pub value: Value,
}

/// What a `serde_yaml` error says, without any text of the input other than a repeated key.
pub fn explain(error: &serde_yaml::Error) -> String {
    let message = error.to_string();
    let reason = if let Some(key) = duplicate_key(&message) {
        let name = match is_plain(key) && !is_like_a_secret(key) {
            true => format!("the key {}", shown(key)),
            false => "a key".to_owned(),
        };
        format!("the mapping that begins here has {name} twice")
    } else if let Some(problem) = syntax_problem(&message) {
        format!("it is not valid YAML: {problem}")
    } else if message.contains("limit exceeded") {
        "it is nested or repeated too deeply".to_owned()
    } else {
        "it is not valid YAML".to_owned()
    };
    match error.location() {
        Some(at) => format!("line {}, column {}: {reason}", at.line(), at.column()),
        None => reason,
    }
}

/// The parser's own words about a syntax error, all of which are fixed text.
fn syntax_problem(message: &str) -> Option<&str> {
    const BEGINNINGS: [&str; 7] = [
        "did not find",
        "could not find",
        "found ",
        "mapping values are not allowed",
        "mapping keys are not allowed",
        "block ",
        "control characters",
    ];
    let (problem, _) = message.split_once(" at ")?;
    BEGINNINGS
        .iter()
        .any(|beginning| problem.starts_with(beginning))
        .then_some(problem)
}

fn duplicate_key(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("duplicate entry with key \"")?;
    rest.rsplit_once('"').map(|(key, _)| key)
}

/// Reads a typed value out of a document.
///
/// # Errors
/// Where the document doesn't fit the type.
pub fn typed<T: DeserializeOwned>(document: &Value) -> Result<T, Mistake> {
    T::deserialize(Node(document))
}

/// A deserializer over a parsed document.
struct Node<'de>(&'de Value);

impl<'de> de::Deserializer<'de> for Node<'de> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (None, Some(value), _) => visitor.visit_i64(value),
                (None, None, value) => visitor.visit_f64(value.unwrap_or(f64::NAN)),
            },
            Value::String(value) => visitor.visit_borrowed_str(value),
            Value::Sequence(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Value::Mapping(mapping) => visitor.visit_map(Pairs {
                rest: mapping.iter(),
                current: None,
            }),
            Value::Tagged(_) => Err(Mistake::new("a YAML tag can't be used here".to_owned())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::String(word) => visitor.visit_enum(word.as_str().into_deserializer()),
            _ => Err(Mistake::new(format!(
                "expected one of {}",
                shown_list(variants)
            ))),
        }
    }

    // A list is no struct, although serde would take one for its fields in order.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::Sequence(_) => Err(de::Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'de>(std::iter::Enumerate<std::slice::Iter<'de, Value>>);

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mistake> {
        let Some((position, item)) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(Node(item))
            .map(Some)
            .map_err(|mistake| mistake.inside(Step::Item(position)))
    }
}

struct Pairs<'de> {
    rest: serde_yaml::mapping::Iter<'de>,
    current: Option<(&'de str, &'de Value)>,
}

impl<'de> de::MapAccess<'de> for Pairs<'de> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mistake> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        let Value::String(key) = key else {
            return Err(Mistake::new(
                "a key is not a string; put it in quotes".to_owned(),
            ));
        };
        self.current = Some((key, value));
        // An unknown key is found here, so the key itself belongs to the path.
        seed.deserialize(BorrowedStrDeserializer::new(key))
            .map(Some)
            .map_err(|mistake: Mistake| mistake.inside(Step::Key(key.clone())))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let Some((key, value)) = self.current.take() else {
            return Err(Mistake::new(
                "a value was asked for before its key".to_owned(),
            ));
        };
        seed.deserialize(Node(value))
            .map_err(|mistake| mistake.inside(Step::Key(key.to_owned())))
    }
}

/// The key of a mapping that differs from `wanted` in upper and lower case or in separators only.
pub fn miscased<'a>(mapping: &'a Mapping, wanted: &str) -> Option<&'a str> {
    let plain = |key: &str| -> String {
        key.chars()
            .filter(|character| character.is_ascii_alphanumeric())
            .map(|character| character.to_ascii_lowercase())
            .collect()
    };
    mapping
        .keys()
        .filter_map(Value::as_str)
        .find(|key| *key != wanted && plain(key) == plain(wanted))
}

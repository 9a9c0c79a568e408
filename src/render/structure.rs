//! The structure of a document: what a text with placeholders says, and whether a finished text says
//! the same with the values in place.
//!
//! Clusters that need the same keys have the same structure, so it is read once for all of them.
//! Every finished text is read in full.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, VariantAccess, Visitor};
use serde_yaml::{Mapping, Number, Value};

use super::document::{Fault, MARK, is_marker};
use super::scalar::Scalar;

/// What a text with placeholders says.
pub struct Structure {
    /// The document with placeholders.
    value: Value,
    /// Which of the text's documents it is; the others are empty.
    position: usize,
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
        let mut structure = None;
        for (position, document) in serde_yaml::Deserializer::from_str(text).enumerate() {
            let value = <Value as serde::Deserialize>::deserialize(document).map_err(|error| {
                Fault::Syntax {
                    line: error.location().map(|at| at.line()),
                }
            })?;
            if value.is_null() {
                continue;
            }
            if structure.is_some() {
                return Err(Fault::SeveralDocuments);
            }
            check_whole(&value, values)?;
            structure = Some(Self { value, position });
        }
        Ok(structure)
    }

    /// Refuses values that are used as keys and make two keys of one mapping the same.
    ///
    /// # Errors
    /// Where they do.
    pub fn check_keys(&self, scalars: &[Scalar]) -> Result<(), Fault> {
        check_keys(&self.value, scalars)
    }

    /// Whether a finished text says what was meant: this structure with the values in place.
    pub fn is_said_by(&self, text: &str, scalars: &[Scalar]) -> bool {
        let documents = serde_yaml::Deserializer::from_str(text).enumerate();
        let mut found = false;
        for (position, document) in documents {
            let expected = if position == self.position {
                found = true;
                &self.value
            } else {
                &Value::Null
            };
            if (Same { expected, scalars }).deserialize(document).is_err() {
                return false;
            }
        }
        found
    }

    /// What the object says about itself, once the values are in place.
    pub fn head(&self, scalars: &[Scalar]) -> Head {
        let root = self.value.as_mapping();
        let metadata = root.and_then(|root| get(root, "metadata", scalars));
        let metadata = metadata.and_then(Value::as_mapping);
        let field = |mapping: Option<&Mapping>, key| {
            Field::of(
                mapping.and_then(|mapping| get(mapping, key, scalars)),
                scalars,
            )
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

fn check_keys(value: &Value, scalars: &[Scalar]) -> Result<(), Fault> {
    match value {
        Value::Sequence(items) => items.iter().try_for_each(|item| check_keys(item, scalars)),
        Value::Mapping(mapping) => {
            // Without a value among them the parser has compared them already.
            if mapping.keys().any(|key| scalar(key, scalars).is_some()) {
                let mut keys: Vec<Value> = mapping
                    .keys()
                    .map(|key| scalar(key, scalars).map_or_else(|| key.clone(), Scalar::value))
                    .collect();
                keys.sort_by(|one, other| {
                    one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal)
                });
                if keys.windows(2).any(|pair| pair.first() == pair.last()) {
                    return Err(Fault::RepeatedKey);
                }
            }
            mapping.iter().try_for_each(|(key, value)| {
                check_keys(key, scalars)?;
                check_keys(value, scalars)
            })
        }
        Value::Tagged(tagged) => check_keys(&tagged.value, scalars),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Reads a value, and fails where it isn't the expected one with its scalars in place.
#[derive(Clone, Copy)]
struct Same<'a> {
    expected: &'a Value,
    scalars: &'a [Scalar],
}

impl<'a> Same<'a> {
    fn with(self, expected: &'a Value) -> Self {
        Self { expected, ..self }
    }
}

fn same<E: de::Error>(is_same: bool) -> Result<(), E> {
    match is_same {
        true => Ok(()),
        false => Err(E::custom("another value")),
    }
}

impl<'de> DeserializeSeed<'de> for Same<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Same<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value that was meant")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        same(*self.expected == Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        same(*self.expected == Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        same(match scalar(self.expected, self.scalars) {
            Some(scalar) => *scalar == Scalar::Boolean(value),
            None => *self.expected == Value::Bool(value),
        })
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        same(match scalar(self.expected, self.scalars) {
            Some(scalar) => i64::try_from(value).map(Scalar::Integer).as_ref() == Ok(scalar),
            None => *self.expected == Value::Number(value.into()),
        })
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        same(match scalar(self.expected, self.scalars) {
            Some(scalar) => *scalar == Scalar::Integer(value),
            None => *self.expected == Value::Number(value.into()),
        })
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        same(*self.expected == Value::Number(Number::from(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        same(match scalar(self.expected, self.scalars) {
            Some(scalar) => matches!(scalar, Scalar::String(text) if text == value),
            None => matches!(self.expected, Value::String(text) if text == value),
        })
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Value::Sequence(expected) = self.expected else {
            return same(false);
        };
        for expected in expected {
            let item = items.next_element_seed(self.with(expected))?;
            same(item.is_some())?;
        }
        same(items.next_element::<de::IgnoredAny>()?.is_none())
    }

    // A mapping's keys come in the order in which they are written, which is that of the structure.
    fn visit_map<A: de::MapAccess<'de>>(self, mut pairs: A) -> Result<(), A::Error> {
        let Value::Mapping(expected) = self.expected else {
            return same(false);
        };
        for (key, value) in expected {
            let found = pairs.next_key_seed(self.with(key))?;
            same(found.is_some())?;
            pairs.next_value_seed(self.with(value))?;
        }
        same(pairs.next_key::<de::IgnoredAny>()?.is_none())
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        let Value::Tagged(expected) = self.expected else {
            return same(false);
        };
        let (tag, content): (String, _) = tagged.variant()?;
        same(expected.tag == tag.as_str())?;
        content.newtype_variant_seed(self.with(&expected.value))
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::{finish, placeholder};
    use super::*;

    fn text(text: &str) -> Scalar {
        Scalar::String(text.to_owned())
    }

    fn read(text: &str, values: usize) -> Result<(), Fault> {
        Structure::read(text, values).map(|_| ())
    }

    #[test]
    fn a_finished_text_says_what_its_structure_means() {
        let document = format!(
            "# c\n---\na: {}\n{}: [{}, 1, ~, 2.5, x, {{b: {}}}]\nc: !t {}\nd: -1\n",
            placeholder(0),
            placeholder(1),
            placeholder(2),
            placeholder(3),
            placeholder(4),
        );
        let scalars = [
            text("x: y"),
            text("key"),
            Scalar::Integer(1),
            Scalar::Boolean(true),
            text("\n"),
        ];
        let structure = Structure::read(&document, scalars.len()).unwrap().unwrap();
        let (finished, _) = finish(&document, &scalars).unwrap();
        assert!(structure.is_said_by(&finished, &scalars));
        for (from, to) in [
            ("x: y", "x: z"),
            ("\"key\"", "\"keys\""),
            ("[1, 1", "[1, 2"),
            ("[1, 1", "[1, 1, 1"),
            ("[1,", "[\"1\","),
            (", ~", ", ''"),
            ("2.5", "2.51"),
            ("true", "false"),
            ("true", "\"true\""),
            ("!t ", ""),
            ("!t", "!u"),
            ("d: -1", "d: 1"),
            ("d: -1\n", ""),
            ("d: -1\n", "d: -1\ne: 1\n"),
            ("d: -1\n", "d: -1\n---\na: 1\n"),
            ("d: -1\n", "d: -1\n---\n-\n"),
        ] {
            let other = finished.replacen(from, to, 1);
            assert_ne!(other, finished, "{from}");
            assert!(!structure.is_said_by(&other, &scalars), "{other}");
        }
        assert!(!structure.is_said_by("", &scalars));
    }

    #[test]
    fn text_glued_to_a_value_is_found() {
        for document in [
            format!("a: b-{}\n", placeholder(0)),
            format!("a: '{}'\n", placeholder(0)),
            format!("a: |\n  echo {}\n", placeholder(0)),
            format!("a: !t b-{}\n", placeholder(0)),
            format!("[[b-{}]]\n", placeholder(0)),
        ] {
            let part = Err(Fault::PartOfScalar { number: 0 });
            assert_eq!(read(&document, 1), part, "{document}");
        }
    }

    #[test]
    fn quotes_around_a_value_are_a_syntax_error() {
        let document = format!("a: \"{}\"\n", placeholder(0));
        assert!(matches!(
            read(&document, 1),
            Err(Fault::Syntax { line: Some(1) })
        ));
    }

    #[test]
    fn lines_that_kubectl_splits_by_are_found() {
        for document in ["%YAML 1.1\n---\na: b", "--- {a: b}", "a: b\n...\n"] {
            assert!(
                matches!(read(document, 0), Err(Fault::Marker { .. })),
                "{document}"
            );
        }
        assert_eq!(read("--- # c\na: b\n---\n", 0), Ok(()));
        assert_eq!(read("a: b\n---\nc: d\n", 0), Err(Fault::SeveralDocuments));
        assert!(Structure::read("# nothing\n---\n", 0).unwrap().is_none());
    }

    #[test]
    fn a_key_that_a_value_repeats_is_found() {
        let repeats = |document: &str, scalars: &[Scalar]| {
            let structure = Structure::read(document, scalars.len()).unwrap().unwrap();
            structure.check_keys(scalars).is_err()
        };
        let document = format!(
            "x: [{{a: 1, {}: 2, {}: 3}}]\n",
            placeholder(0),
            placeholder(1)
        );
        assert!(repeats(&document, &[text("a"), text("b")]));
        assert!(repeats(&document, &[text("b"), text("b")]));
        assert!(!repeats(&document, &[text("b"), text("c")]));
        let integers = [Scalar::Integer(1), Scalar::Integer(1)];
        assert!(repeats(&document, &integers));
    }
}

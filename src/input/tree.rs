//! YAML text as plain values, within bounds.
//!
//! An alias stands for everything that its anchor holds, so a small text can mean gigabytes; and
//! the parser takes time by the square of the nesting. A tree is therefore built value by value,
//! aliases counted as what they stand for, and deep nesting is refused before parsing. What isn't
//! needed of it, such as a kubeconfig's users, isn't kept.

use std::cell::Cell;
use std::fmt;

use anyhow::{Result, bail};
use serde::de::{self, DeserializeSeed, Deserializer, VariantAccess, Visitor};
use serde_yaml::value::{Tag, TaggedValue};
use serde_yaml::{Mapping, Value};

/// The most values that a text may stand for.
const VALUES: usize = 1_000_000;
/// The bytes of text that every text may stand for, beside four times its own.
const BYTES: usize = 1024 * 1024;
/// The deepest nesting of brackets and braces; `serde_yaml` itself stops at 128 levels, but only
/// after it has read them all.
const NESTING: usize = 1_000;

/// How much more a text may stand for.
pub struct Budget {
    values: Cell<usize>,
    bytes: Cell<usize>,
}

impl Budget {
    /// A whole budget, for a text that isn't nested too deeply.
    ///
    /// # Errors
    /// Where the text is.
    pub fn for_text(text: &str) -> Result<Self> {
        let mut depth: usize = 0;
        for byte in text.bytes() {
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > NESTING {
                bail!("it is nested or repeated too deeply");
            }
        }
        Ok(Self {
            values: Cell::new(VALUES),
            // Aliases are for short texts; all else stands for itself.
            bytes: Cell::new(text.len() * 4 + BYTES),
        })
    }

    /// Counts one value.
    ///
    /// # Errors
    /// Where the budget is used up.
    pub fn spend_value<E: de::Error>(&self) -> Result<(), E> {
        spend(&self.values, 1)
    }

    /// Counts the bytes of a text that is kept.
    ///
    /// # Errors
    /// Where the budget is used up.
    pub fn spend_bytes<E: de::Error>(&self, bytes: usize) -> Result<(), E> {
        spend(&self.bytes, bytes)
    }
}

fn spend<E: de::Error>(budget: &Cell<usize>, amount: usize) -> Result<(), E> {
    match budget.get().checked_sub(amount) {
        Some(rest) => {
            budget.set(rest);
            Ok(())
        }
        None => Err(E::custom("repetition limit exceeded")),
    }
}

/// What is kept of a text.
#[derive(Clone, Copy)]
pub enum Keep {
    /// Everything.
    All,
    /// Of the mapping at the root, the values of keys that this accepts; of the others, [`Keep::Names`].
    Keys(fn(&str) -> bool),
    /// The shape, and what stands under a key `name`.
    Names,
}

/// Builds a value; a key that stands twice in a mapping is an error.
#[derive(Clone, Copy)]
pub struct Tree<'a> {
    budget: &'a Budget,
    keep: Keep,
}

impl<'a> Tree<'a> {
    /// A tree within a budget.
    pub fn new(budget: &'a Budget, keep: Keep) -> Self {
        Self { budget, keep }
    }

    fn keeping(self, keep: Keep) -> Self {
        Self { keep, ..self }
    }

    /// What is kept of a value below a key.
    fn below(self, key: &Value) -> Self {
        let key = key.as_str();
        match self.keep {
            Keep::All => self,
            Keep::Keys(is_kept) if key.is_some_and(is_kept) => self.keeping(Keep::All),
            Keep::Names if key == Some("name") => self.keeping(Keep::All),
            Keep::Keys(_) | Keep::Names => self.keeping(Keep::Names),
        }
    }

    fn scalar(self, value: impl Into<Value>) -> Value {
        match self.keep {
            Keep::All | Keep::Keys(_) => value.into(),
            Keep::Names => Value::Null,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.budget.spend_value()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    // A text without any document.
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(self.scalar(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(self.scalar(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(self.scalar(value))
    }

    // Nothing here takes a number of this size, so it needn't be exact.
    fn visit_u128<E>(self, _: u128) -> Result<Value, E> {
        Ok(self.scalar(f64::MAX))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Value, E> {
        Ok(self.scalar(f64::MIN))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(self.scalar(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        if !matches!(self.keep, Keep::Names) {
            self.budget.spend_bytes(value.len())?;
        }
        Ok(self.scalar(value))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut sequence = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            sequence.push(item);
        }
        Ok(Value::Sequence(sequence))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut pairs: A) -> Result<Value, A::Error> {
        let mut mapping = Mapping::new();
        while let Some(key) = pairs.next_key_seed(self.keeping(Keep::All))? {
            if mapping.contains_key(&key) {
                return Err(duplicate(&key));
            }
            let value = pairs.next_value_seed(self.below(&key))?;
            mapping.insert(key, value);
        }
        Ok(Value::Mapping(mapping))
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let (tag, content): (String, _) = tagged.variant()?;
        let value = content.newtype_variant_seed(self)?;
        Ok(Value::Tagged(Box::new(TaggedValue {
            tag: Tag::new(tag),
            value,
        })))
    }
}

/// The error about a key that stands twice, in the words that [`super::yaml::explain`] knows.
fn duplicate<E: de::Error>(key: &Value) -> E {
    let key = match key {
        Value::String(key) => key.clone(),
        Value::Number(key) => key.to_string(),
        Value::Bool(key) => key.to_string(),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => String::new(),
    };
    E::custom(format_args!("duplicate entry with key {key:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Value> {
        let budget = Budget::for_text(text)?;
        Ok(Tree::new(&budget, Keep::All).deserialize(serde_yaml::Deserializer::from_str(text))?)
    }

    #[test]
    fn a_tree_is_what_serde_yaml_makes() {
        for text in [
            "a: [1, -2, 3.5, true, ~, x, !t y]\nb: {c: 'd'}\n1: e",
            "a: &a {b: c}\nd: *a",
            "",
            "# nothing",
            "x",
        ] {
            let expected: Value = serde_yaml::from_str(text).unwrap();
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn only_what_is_needed_is_kept() {
        let text = "a: [b]\nc: [{name: d, token: e, f: {g: h}}]";
        let budget = Budget::for_text(text).unwrap();
        let tree = Tree::new(&budget, Keep::Keys(|key| key == "a"));
        let found = tree.deserialize(serde_yaml::Deserializer::from_str(text));
        let kept = "a: [b]\nc: [{name: d, token: ~, f: {g: ~}}]";
        assert_eq!(found.unwrap(), parse(kept).unwrap());
    }

    #[test]
    fn aliases_count_as_what_they_stand_for() {
        let list = |item: &str| vec![item; 1500].join(", ");
        let text = format!("a: &a [{}]\nb: [{}]", list("1"), list("*a"));
        assert!(parse(&text).is_err());
        let long = "x".repeat(1_000_000);
        assert!(parse(&format!("a: &a {long}\nb: [{}]", list("*a"))).is_err());
        assert!(parse(&format!("a: &a {long}\nb: [*a, *a]")).is_ok());
    }

    #[test]
    fn deep_nesting_and_repeated_keys_are_refused() {
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse("a: 1\na: 2").is_err());
        assert!(parse("- {a: 1, a: 2}").is_err());
    }
}

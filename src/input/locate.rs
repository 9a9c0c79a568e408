//! The line of a place in a YAML text, for error messages.
//!
//! Parsed documents carry no positions, so the text is read a second time, down one path, once
//! there is something to complain about.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, IgnoredAny, Visitor};
use serde_yaml::Value;

use super::yaml::Step;

/// The line, counted from 1, of the value at `path` in the first document that has it; `None` where the text has no such place of its own, as behind a merge key.
pub fn line(text: &str, path: &[Step]) -> Option<usize> {
    serde_yaml::Deserializer::from_str(text).find_map(|document| {
        let found = Cell::new(false);
        let walk = Walk {
            path,
            found: &found,
        };
        let error = walk.deserialize(document).err()?;
        let location = error.location().filter(|_| found.get())?;
        Some(location.line())
    })
}

/// Walks down the path and stops there with an error, to which the parser adds the position.
struct Walk<'a> {
    path: &'a [Step],
    found: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Walk<'_> {
    fn arrive<E: de::Error>(&self) -> Result<(), E> {
        if self.path.is_empty() {
            self.found.set(true);
            return Err(E::custom("here"));
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.arrive()
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        self.arrive()
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        self.arrive()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        self.arrive()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        self.arrive()
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        self.arrive()
    }

    // A value with a tag.
    fn visit_enum<A: de::EnumAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        self.arrive()
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.arrive()?;
        let Some((Step::Item(wanted), path)) = self.path.split_first() else {
            return Ok(());
        };
        for _ in 0..*wanted {
            items.next_element::<IgnoredAny>()?;
        }
        let found = self.found;
        items.next_element_seed(Walk { path, found })?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut pairs: A) -> Result<(), A::Error> {
        self.arrive()?;
        let Some((Step::Key(wanted), path)) = self.path.split_first() else {
            return Ok(());
        };
        while let Some(key) = pairs.next_key::<Value>()? {
            if key.as_str() == Some(wanted) {
                let found = self.found;
                pairs.next_value_seed(Walk { path, found })?;
            } else {
                pairs.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_a_line() {
        let text = "a: 1\nb:\n  c: x\n  d:\n    - 1\n    - 2\n";
        let key = |key: &str| Step::Key(key.to_owned());
        assert_eq!(line(text, &[key("a")]), Some(1));
        assert_eq!(line(text, &[key("b"), key("c")]), Some(3));
        assert_eq!(line(text, &[key("b"), key("d"), Step::Item(1)]), Some(6));
        assert_eq!(line(text, &[key("z")]), None);
    }
}

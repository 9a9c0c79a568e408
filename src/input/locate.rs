//! The line of a place in a YAML text, for error messages.
//!
//! Parsed documents carry no positions, so the text is read a second time, down one path, once
//! there is something to complain about.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;

use serde::de::{self, DeserializeSeed, IgnoredAny, Visitor};
use serde_yaml::Value;

use super::mistake::Step;

/// Where the documents of a text stand: the lines before each, and its bytes.
pub struct Documents(Vec<(usize, Range<usize>)>);

impl Documents {
    /// Splits a text where YAML does: a line that begins with `---` begins a document wherever it
    /// stands, quotes and block scalars included.
    pub fn of(text: &str) -> Self {
        let mut documents = Vec::new();
        let (mut begin, mut begin_line, mut has_content) = (0, 0, false);
        let mut offset = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            if is_separator(line) {
                if has_content {
                    documents.push((begin_line, begin..offset));
                    (begin, begin_line) = (offset, number);
                }
                has_content = true;
            } else {
                has_content |= !is_blank(line);
            }
            offset += line.len();
        }
        documents.push((begin_line, begin..text.len()));
        Self(documents)
    }

    /// The line, counted from 1, of the value at `path` in a document, which is given by its
    /// position, counted from 0; `None` where the document has no such place of its own, as behind
    /// a merge key.
    pub fn line(&self, text: &str, document: usize, path: &[Step]) -> Option<usize> {
        let (before, bytes) = self.0.get(document)?;
        let text = text.get(bytes.clone())?;
        let deserializer = serde_yaml::Deserializer::from_str(text).next()?;
        let found = Cell::new(false);
        let walk = Walk {
            path,
            found: &found,
        };
        let error = walk.deserialize(deserializer).err()?;
        let location = error.location().filter(|_| found.get())?;
        Some(before + location.line())
    }
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Whether a line before a separator doesn't make a document: nothing, a comment or a directive.
fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with(['#', '%'])
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
        let line = |path: &[Step]| Documents::of(text).line(text, 0, path);
        assert_eq!(line(&[key("a")]), Some(1));
        assert_eq!(line(&[key("b"), key("c")]), Some(3));
        assert_eq!(line(&[key("b"), key("d"), Step::Item(1)]), Some(6));
        assert_eq!(line(&[key("z")]), None);
    }

    #[test]
    fn documents_are_counted_as_the_parser_does() {
        for (text, lines) in [
            ("a: 1\n---\na: 2\n", vec![1, 3]),
            ("# c\n---\na: 1\n--- # d\na: 2\n", vec![3, 5]),
            (
                "%YAML 1.1\n---\na: 1\n---\n# empty\n---\na: 3\n",
                vec![3, 0, 7],
            ),
            ("---\na: |\n  x\n---\na: ---\n---x: 1\n", vec![2, 5]),
        ] {
            let path = [Step::Key("a".to_owned())];
            let documents = Documents::of(text);
            for (position, expected) in lines.into_iter().enumerate() {
                let expected = Some(expected).filter(|line| *line > 0);
                assert_eq!(documents.line(text, position, &path), expected, "{text:?}");
            }
            let count = serde_yaml::Deserializer::from_str(text).count();
            assert_eq!(documents.0.len(), count, "{text:?}");
        }
    }
}

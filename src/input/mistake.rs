//! What is wrong with a value in a document: its place and the kind of what was found, never the
//! value, which may be a key or a token in the wrong place.

use std::fmt;

use serde::de::{self, Unexpected};

use super::words::{is_shown_as_key, runs_on, unknown, unknown_and_hidden};
use crate::text::shown;

/// A value that doesn't fit its place: where, and why; never the value itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    /// From the innermost step out; [`Mistake::path`] turns it round.
    steps: Vec<Step>,
    reason: String,
    about: About,
}

/// What a mistake is about.
#[derive(Debug, PartialEq, Eq)]
enum About {
    /// The value at its place.
    Value,
    /// The key that is the innermost step.
    Key,
    /// The same, where that may be a secret in the wrong place.
    HiddenKey,
    /// A key that the value at its place doesn't have.
    Missing(&'static str),
}

/// One step of a path into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a mapping, by key.
    Key(String),
    /// Into a list, by position.
    Item(usize),
}

impl Step {
    /// The key, where the step is into a mapping.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Item(_) => None,
        }
    }
}

impl Mistake {
    /// The path of the place, from the document's root.
    pub fn path(&self) -> Vec<Step> {
        self.steps.iter().rev().cloned().collect()
    }

    /// Whether it may be there only because the value at another place, given by its keys, has been
    /// taken out.
    pub fn may_follow_from_lack_of(&self, taken: &[String]) -> bool {
        let path = self.path();
        let is_above = path.len() < taken.len()
            && path
                .iter()
                .zip(taken)
                .all(|(step, key)| step.key() == Some(key));
        is_above
            && match self.about {
                About::Value => true,
                About::Key | About::HiddenKey => false,
                About::Missing(key) => taken.get(path.len()).is_some_and(|taken| taken == key),
            }
    }

    /// Whether it is about a value, and not about a key that isn't known.
    pub fn is_about_value(&self) -> bool {
        !matches!(self.about, About::Key | About::HiddenKey)
    }

    /// Whether it is about what stands at its place, and not about what is missing there.
    pub fn is_about_what_is_there(&self) -> bool {
        !matches!(self.about, About::Missing(_))
    }

    /// The mistake, seen from one step further out.
    pub fn inside(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// A mistake at the value that is being read.
    pub fn new(reason: String) -> Self {
        Self {
            steps: Vec::new(),
            reason,
            about: About::Value,
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = usize::from(self.about == About::HiddenKey);
        let mut path = String::new();
        for step in self.steps.iter().skip(hidden).rev() {
            match step {
                Step::Key(key) if path.is_empty() => path.push_str(key),
                Step::Key(key) => {
                    path.push('.');
                    path.push_str(key);
                }
                Step::Item(position) => path.push_str(&format!("[{position}]")),
            }
        }
        if path.is_empty() {
            return f.write_str(&self.reason);
        }
        write!(f, "{}: {}", shown(&path), self.reason)
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::new(reason.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let hint = match found {
            Unexpected::Unsigned(_)
            | Unexpected::Signed(_)
            | Unexpected::Float(_)
            | Unexpected::Bool(_)
                if expected.to_string().contains("a string") =>
            {
                "; put it in quotes"
            }
            _ => "",
        };
        Self::new(format!(
            "expected {}, found {}{hint}",
            plain(expected),
            kind(found)
        ))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!(
            "expected {}, found {} that is not",
            plain(expected),
            kind(found)
        ))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        if is_shown_as_key(field, known) {
            return Self {
                about: About::Key,
                ..Self::new(unknown("key", field, known))
            };
        }
        let run_on = known.iter().find(|key| runs_on(field, key));
        let reason = match run_on {
            Some(key) => format!("the key {} needs a `:` and a space after it", shown(key)),
            None => unknown_and_hidden("key", known),
        };
        Self {
            about: About::HiddenKey,
            ..Self::new(reason)
        }
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::new(unknown("value", variant, known))
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            about: About::Missing(field),
            ..Self::new(format!("the key {} is missing", shown(field)))
        }
    }
}

/// What serde expects, in the words of someone who writes YAML rather than Rust.
fn plain(expected: &dyn de::Expected) -> String {
    let expected = expected.to_string();
    match expected.as_str() {
        "i32" => "a whole number that fits into 32 bits".to_owned(),
        "a map" => "a mapping".to_owned(),
        "a sequence" => "a list".to_owned(),
        _ if expected.starts_with("struct ") => "a mapping".to_owned(),
        _ => expected,
    }
}

fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Str(_) | Unexpected::Char(_) | Unexpected::Bytes(_) => "a string",
        Unexpected::Unit | Unexpected::Option => "nothing",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a mapping",
        _ => "something else",
    }
}

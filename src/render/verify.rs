//! Checks that a rendered document is exactly one object and that each value is a whole scalar in it.
//!
//! The text is parsed with placeholders, so no value can change its structure, and clusters that differ only in values
//! share one parse. Without that, a fleet takes twice as long.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_yaml::Value;

use super::Identity;
use super::scalar::{MARK, number};
use crate::diagnostic::Diagnostic;
use crate::input::yaml;
use crate::secret::Secrets;
use crate::show::shown;

/// An error, and the number of the value that caused it, if known.
pub type Fault = (Diagnostic, Option<usize>);

/// The parsed texts of a run.
#[derive(Default)]
pub struct Structures(Mutex<HashMap<String, Arc<Value>>>);

impl Structures {
    /// Parses a text with placeholders. An empty one is null. Fails if it isn't YAML, or a value touches other text.
    pub fn read(&self, skeleton: &str, values: usize) -> Result<Arc<Value>, Fault> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(structure) = known().get(skeleton) {
            return Ok(Arc::clone(structure));
        }
        let structure = Arc::new(parse(skeleton, values)?);
        known().insert(skeleton.to_owned(), Arc::clone(&structure));
        Ok(structure)
    }
}

fn parse(skeleton: &str, values: usize) -> Result<Value, Fault> {
    if let Some(number) = touching(skeleton) {
        return Err(touches(number));
    }
    let help = "write one object, its values without quotes: `key: {{ value }}`";
    let mut documents =
        yaml::documents(skeleton).map_err(|error| (error.on_line(None).help(help), None))?;
    if documents.len() > 1 {
        return Err((Diagnostic::error("renders several documents").help(help), None));
    }
    let structure = documents.pop().unwrap_or_default();
    let whole: HashSet<usize> = yaml::texts(&structure).into_iter().filter_map(number).collect();
    match (0..values).find(|number| !whole.contains(number)) {
        Some(number) => Err(touches(number)),
        None => Ok(structure),
    }
}

/// Returns the number of a placeholder that touches text or another placeholder.
fn touching(skeleton: &str) -> Option<usize> {
    let open = format!("\"{MARK}");
    skeleton.match_indices(&open).find_map(|(start, _)| {
        let (before, rest) = skeleton.split_at(start);
        let (number, after) = rest.get(open.len()..)?.split_once(MARK)?;
        let begins = before.is_empty() || before.ends_with([' ', '\n', '[', '{', ',']);
        let after = after.strip_prefix('"')?;
        let ends = after.is_empty() || after.starts_with([' ', '\n', '\r', ']', '}', ',', ':']);
        if begins && ends { None } else { number.parse().ok() }
    })
}

fn touches(number: usize) -> Fault {
    let error = Diagnostic::error("a value touches other text, or is in a comment")
        .help(r#"put the text into the expression: `{{ "x-" ~ name }}`"#)
        .help("write a comment as `{# … #}`");
    (error, Some(number))
}

/// Returns the text of a key, unless it was printed: it may then be a secret.
fn literal(key: &Value) -> Option<&str> {
    key.as_str().filter(|text| number(text).is_none())
}

/// A rendered document of one cluster.
pub struct Document<'a> {
    /// Parsed YAML with placeholders.
    pub structure: &'a Value,
    /// The values, indexed by placeholder number.
    pub values: &'a [Value],
}

impl Document<'_> {
    /// Returns the identity of the object. Fails if it isn't an object, or has a value that isn't text where
    /// Kubernetes takes only text.
    pub fn identify(&self) -> Result<Identity, Diagnostic> {
        let metadata = self.structure.get("metadata");
        let of_metadata = |key: &str| metadata.and_then(|metadata| metadata.get(key));
        let text = |value: Option<&Value>| value.and_then(|value| self.text(value).ok());
        let kind = text(self.structure.get("kind"));
        let name = text(of_metadata("name"));
        let version = text(self.structure.get("apiVersion"));
        let (Some(kind), Some(name), Some(_)) = (kind, name, version) else {
            return Err(Diagnostic::error(
                "renders no object: `apiVersion`, `kind` or `metadata.name` is missing or not text",
            ));
        };
        // They become part of a file name.
        if format!("{kind}{name}").contains(['/', '\0']) {
            return Err(Diagnostic::error("`kind` or `metadata.name` is not a name"));
        }
        let data =
            |key| self.structure.get(key).filter(|_| kind == "ConfigMap" || kind == "Secret");
        for (place, mapping) in [
            ("metadata.labels", of_metadata("labels")),
            ("metadata.annotations", of_metadata("annotations")),
            ("data", data("data")),
            ("stringData", data("stringData")),
        ] {
            self.check_text(place, mapping)?;
        }
        self.check_keys(self.structure)?;
        let namespace = text(of_metadata("namespace"));
        Ok(Identity { kind, name, namespace })
    }

    fn check_text(&self, place: &str, mapping: Option<&Value>) -> Result<(), Diagnostic> {
        for (key, value) in mapping.and_then(Value::as_mapping).into_iter().flatten() {
            if self.text(value).is_err() {
                let key = format!("{place}.{}", literal(key).unwrap_or("…"));
                let message = format!("{} is not text", shown(key));
                return Err(Diagnostic::error(message).help("put it in quotes"));
            }
        }
        Ok(())
    }

    /// Refuses a duplicate key. The YAML parser can't see it if the key is a placeholder.
    fn check_keys(&self, value: &Value) -> Result<(), Diagnostic> {
        match value {
            Value::Mapping(mapping) => {
                let is_printed = |key: &Value| key.as_str().and_then(number).is_some();
                let has_printed = mapping.keys().any(is_printed);
                let mut seen = HashMap::new();
                for key in mapping.keys().filter(|_| has_printed) {
                    let text = self.text(key).unwrap_or_else(|scalar| scalar);
                    if let Some(other) = seen.insert(text, key) {
                        let name = literal(key).or(literal(other)).unwrap_or("…");
                        let message = format!("the key {} appears twice", shown(name));
                        return Err(Diagnostic::error(message).help("remove one of the two"));
                    }
                }
                mapping.values().try_for_each(|value| self.check_keys(value))
            }
            Value::Sequence(items) => items.iter().try_for_each(|item| self.check_keys(item)),
            _ => Ok(()),
        }
    }

    /// Returns the text of a scalar, or as an error the text that a scalar of another type would have in quotes.
    fn text(&self, value: &Value) -> Result<String, String> {
        let printed = value.as_str().and_then(number).and_then(|number| self.values.get(number));
        match printed.unwrap_or(value) {
            Value::String(text) => Ok(text.clone()),
            Value::Bool(value) => Err(value.to_string()),
            Value::Number(number) if !number.is_f64() => Err(number.to_string()),
            _ => Err("…".to_owned()),
        }
    }

    /// Whether a printed value or an entry of `data` holds a secret.
    pub fn holds_secret(&self, kind: &str, secrets: &Secrets) -> bool {
        let sections = ["data", "stringData"].map(|section| self.structure.get(section));
        let entries = sections.into_iter().flatten().filter_map(Value::as_mapping).flatten();
        let is_secret_entry = |(name, value): (&Value, &Value)| {
            let (Ok(name), Ok(value)) = (self.text(name), self.text(value)) else {
                return false;
            };
            secrets.are_in_entry(kind, &name, &value)
        };
        let in_text = |value: &Value| value.as_str().is_some_and(|text| secrets.are_in(text));
        entries.into_iter().any(is_secret_entry) || self.values.iter().any(in_text)
    }
}

//! One kubeconfig document: what of it is read, and what is passed over.
//!
//! Of the document only the contexts, the clusters and the words about it are kept. Of its users
//! only the names are read, to find repeated ones: they hold credentials that this program has no
//! business with.

use std::collections::HashSet;

use anyhow::{Result, bail};
use serde::de::DeserializeSeed;
use serde_yaml::{Mapping, Value};

use crate::input::tree::{Budget, Keep, Tree};
use crate::input::yaml;
use crate::text::shown;

/// The keys that are read; a merge key may hold any of them.
const READ: [&str; 6] = [
    "apiVersion",
    "kind",
    "current-context",
    "contexts",
    "clusters",
    "<<",
];

/// What one kubeconfig says, as far as it is read.
#[derive(Default)]
pub struct Document {
    /// `current-context`, where it isn't empty.
    pub current_context: Option<String>,
    /// The named contexts, in order.
    pub contexts: Vec<(String, Mapping)>,
    /// The named clusters, in order.
    pub clusters: Vec<(String, Mapping)>,
}

/// Parses a kubeconfig. An empty one is allowed, as in a list of several.
///
/// # Errors
/// Where it isn't one YAML or JSON document, repeats a key or a name, or is of another kind.
pub fn parse(text: &str) -> Result<Document> {
    let budget = Budget::for_text(text)?;
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let tree = Tree::new(&budget, Keep::Keys(is_read));
        match tree.deserialize(document) {
            Ok(Value::Null) => {}
            Ok(Value::Mapping(mapping)) => documents.push(mapping),
            Ok(_) => bail!("it is YAML, but not a mapping: it is no kubeconfig"),
            Err(error) => bail!("{}", yaml::explain(&error)),
        }
    }
    if documents.len() > 1 {
        bail!("it holds several YAML documents; a kubeconfig is one");
    }
    match documents.pop() {
        Some(mapping) => read(mapping),
        None => Ok(Document::default()),
    }
}

fn read(mapping: Mapping) -> Result<Document> {
    let mut value = Value::Mapping(mapping);
    if value.apply_merge().is_err() {
        bail!("a merge key `<<` has something other than a mapping");
    }
    let Value::Mapping(mapping) = value else {
        return Ok(Document::default());
    };
    if let Some(Value::Sequence(users)) = mapping.get("users") {
        let names: Vec<String> = users
            .iter()
            .filter_map(|user| text(user.get("name")))
            .collect();
        refuse_repeated("users", names.iter())?;
    }
    expect_word(&mapping, "kind", "Config")?;
    expect_word(&mapping, "apiVersion", "v1")?;
    Ok(Document {
        current_context: text(mapping.get("current-context")).filter(|name| !name.is_empty()),
        contexts: named(&mapping, "contexts", "context")?,
        clusters: named(&mapping, "clusters", "cluster")?,
    })
}

fn expect_word(mapping: &Mapping, key: &str, expected: &str) -> Result<()> {
    match mapping.get(key) {
        None | Some(Value::Null) => Ok(()),
        Some(value) => match text(Some(value)) {
            Some(found) if found == expected || found.is_empty() => Ok(()),
            Some(found) => bail!(
                "its {key} is {}, and a kubeconfig's is {}: this is another kind of file",
                shown(&found),
                shown(expected)
            ),
            None => bail!("its {key} is not a string: it is no kubeconfig"),
        },
    }
}

/// The entries of a list such as `clusters: [{name: …, cluster: {…}}]`. Those without a name or
/// without a mapping can't be chosen, so they are passed over.
fn named(root: &Mapping, list: &str, inner: &str) -> Result<Vec<(String, Mapping)>> {
    let items = match root.get(list) {
        Some(Value::Sequence(items)) => items,
        Some(Value::Null) => return Ok(Vec::new()),
        Some(_) => bail!("its {} is not a list", shown(list)),
        None => match yaml::miscased(root, list) {
            Some(key) => bail!(
                "it has a key {} where {} is expected: the case matters",
                shown(key),
                shown(list)
            ),
            None => return Ok(Vec::new()),
        },
    };
    let mut entries = Vec::new();
    for item in items {
        let Some(name) = text(item.get("name")) else {
            continue;
        };
        let body = match item.get(inner) {
            Some(Value::Mapping(body)) => body.clone(),
            _ => Mapping::new(),
        };
        entries.push((name, body));
    }
    refuse_repeated(list, entries.iter().map(|(name, _)| name))?;
    Ok(entries)
}

fn refuse_repeated<'a>(list: &str, names: impl Iterator<Item = &'a String>) -> Result<()> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            bail!("its {} has the name {} twice", shown(list), shown(name));
        }
    }
    Ok(())
}

/// A scalar as text. Names may look like numbers, and are then read as kubectl reads them, `1e3` as
/// `1000`.
pub fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(match number.as_f64() {
            Some(float) if number.is_f64() => float.to_string(),
            _ => number.to_string(),
        }),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    }
}

/// Whether a key is read, or is meant to be one that is.
fn is_read(key: &str) -> bool {
    READ.iter().any(|read| read.eq_ignore_ascii_case(key))
}

//! One kubeconfig document: what of it is read, and what is passed over.
//!
//! Of the document only the contexts, the clusters and the words about it are kept. Its users are
//! walked over to find repeated keys and are never modelled, since they hold credentials that this
//! program has no business with.

use std::collections::HashSet;
use std::fmt;

use anyhow::{Result, bail};
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, Visitor};
use serde_yaml::{Mapping, Value};

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
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        match Root::deserialize(document) {
            Ok(Root::Empty) => {}
            Ok(Root::Mapping(mapping, users)) => documents.push((mapping, users)),
            Ok(Root::Other) => bail!("it is YAML, but not a mapping: it is no kubeconfig"),
            Err(error) => bail!("{}", yaml::explain(&error)),
        }
    }
    if documents.len() > 1 {
        bail!("it holds several YAML documents; a kubeconfig is one");
    }
    match documents.pop() {
        Some((mapping, users)) => {
            refuse_repeated("users", users.iter())?;
            read(mapping)
        }
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

/// A document's root: its mapping with only the keys in [`READ`], and the names of its users.
enum Root {
    Empty,
    Mapping(Mapping, Vec<String>),
    Other,
}

impl<'de> Deserialize<'de> for Root {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RootVisitor;

        impl<'de> Visitor<'de> for RootVisitor {
            type Value = Root;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a kubeconfig")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut pairs: A) -> Result<Root, A::Error> {
                let mut kept = Mapping::new();
                let mut users = Vec::new();
                let mut seen = Seen::default();
                while let Some(key) = pairs.next_key::<Value>()? {
                    seen.add(&key)?;
                    if key.as_str().is_some_and(is_read) {
                        kept.insert(key, pairs.next_value()?);
                        continue;
                    }
                    let skimmed: Skim = pairs.next_value()?;
                    if key.as_str() == Some("users") {
                        users = skimmed.names;
                    }
                }
                Ok(Root::Mapping(kept, users))
            }

            fn visit_unit<E>(self) -> Result<Root, E> {
                Ok(Root::Empty)
            }

            // A text without any document, comments or not.
            fn visit_none<E>(self) -> Result<Root, E> {
                Ok(Root::Empty)
            }

            fn visit_enum<A: de::EnumAccess<'de>>(self, tagged: A) -> Result<Root, A::Error> {
                let (IgnoredAny, content) = tagged.variant()?;
                de::VariantAccess::newtype_variant::<IgnoredAny>(content)?;
                Ok(Root::Other)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Root, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Root::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Root, E> {
                Ok(Root::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Root, E> {
                Ok(Root::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Root, E> {
                Ok(Root::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Root, E> {
                Ok(Root::Other)
            }

            fn visit_str<E>(self, _: &str) -> Result<Root, E> {
                Ok(Root::Other)
            }
        }

        deserializer.deserialize_any(RootVisitor)
    }
}

/// Whether a key is read, or is meant to be one that is.
fn is_read(key: &str) -> bool {
    READ.iter().any(|read| read.eq_ignore_ascii_case(key))
}

/// The keys of one mapping so far.
#[derive(Default)]
struct Seen(HashSet<Value>);

impl Seen {
    fn add<E: de::Error>(&mut self, key: &Value) -> Result<(), E> {
        if self.0.insert(key.clone()) {
            return Ok(());
        }
        let key = text(Some(key)).unwrap_or_default();
        // The form in which `serde_yaml` itself says it, so that there is one to recognise.
        Err(E::custom(format_args!("duplicate entry with key {key:?}")))
    }
}

/// Walks over a value and finds repeated keys on the way. Nothing is kept but a mapping's `name`,
/// and the names of a list's mappings.
#[derive(Default)]
struct Skim {
    name: Option<String>,
    names: Vec<String>,
}

impl<'de> Deserialize<'de> for Skim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self::default())
    }
}

impl<'de> Visitor<'de> for Skim {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: de::MapAccess<'de>>(mut self, mut pairs: A) -> Result<Self, A::Error> {
        let mut seen = Seen::default();
        while let Some(key) = pairs.next_key::<Value>()? {
            seen.add(&key)?;
            if key.as_str() == Some("name") {
                let name: Value = pairs.next_value()?;
                self.name = text(Some(&name));
            } else {
                pairs.next_value::<Skim>()?;
            }
        }
        Ok(self)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(mut self, mut items: A) -> Result<Self, A::Error> {
        while let Some(item) = items.next_element::<Skim>()? {
            self.names.extend(item.name);
        }
        Ok(self)
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, tagged: A) -> Result<Self, A::Error> {
        let (IgnoredAny, content) = tagged.variant()?;
        de::VariantAccess::newtype_variant(content)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
}

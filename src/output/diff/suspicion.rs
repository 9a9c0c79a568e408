//! What a text of Kubernetes objects looks like: whether it may hold secrets.

use serde_yaml::Value;

use crate::registration::storage::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use crate::text::holds_credential;

/// What is suspicious about a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Suspicion {
    /// It isn't a row of objects, each with a kind, that every parser reads in the same way.
    pub is_unreadable: bool,
    /// An object in it is a Secret.
    pub has_secret_object: bool,
    /// It holds the storage's keys by their names, a token or a PEM block.
    pub has_credential: bool,
}

impl Suspicion {
    /// Examines a text.
    pub fn of(text: &str) -> Self {
        let mut suspicion = Self {
            is_unreadable: has_tag(text),
            has_secret_object: mentions_secret_object(text),
            has_credential: holds_credential(text),
        };
        let mut has_object = false;
        // The External Secrets Operator's objects name the keys that it is to fetch.
        let mut only_fetches = true;
        for document in serde_yaml::Deserializer::from_str(text) {
            match <Value as serde::Deserialize>::deserialize(document) {
                Ok(Value::Null) => {}
                Ok(value) => {
                    has_object = true;
                    suspicion.is_unreadable |= value.get("kind").and_then(Value::as_str).is_none();
                    only_fetches &= is_fetching(&value);
                    suspicion.examine(&value);
                }
                Err(_) => {
                    suspicion.is_unreadable = true;
                    break;
                }
            }
        }
        suspicion.is_unreadable |= !has_object;
        only_fetches &= !suspicion.is_unreadable;
        suspicion.has_credential |= names_key(text) && !only_fetches;
        suspicion
    }

    /// Whether there is nothing suspicious.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn examine(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.has_credential |= holds_credential(text),
            Value::Sequence(items) => items.iter().for_each(|item| self.examine(item)),
            Value::Mapping(mapping) => {
                for (key, value) in mapping {
                    self.has_secret_object |= key.as_str().is_some_and(|key| {
                        (key.eq_ignore_ascii_case("kind") && is_secret_kind(value))
                            || key.eq_ignore_ascii_case("stringData")
                    });
                    let is_named = key.as_str().is_some_and(names_key);
                    self.has_credential |= is_named && !is_reference(value);
                    self.examine(key);
                    self.examine(value);
                }
            }
            Value::Tagged(_) => self.is_unreadable = true,
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Whether a tag says how a value is to be read, as `!!binary`, which this parser passes over.
fn has_tag(text: &str) -> bool {
    ["!!", "!<"].iter().any(|tag| {
        text.match_indices(tag).any(|(at, _)| {
            let before = text.get(..at).unwrap_or_default().chars().next_back();
            before.is_none_or(|before| before.is_whitespace() || "[{,".contains(before))
        })
    })
}

/// Whether a text names one of the storage's keys.
pub fn names_key(text: &str) -> bool {
    [ACCESS_KEY_ID, SECRET_ACCESS_KEY]
        .iter()
        .any(|key| text.contains(key))
}

/// Whether an object is one by which the External Secrets Operator fetches or pushes a secret.
fn is_fetching(object: &Value) -> bool {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    text("apiVersion").is_some_and(|version| version.starts_with("external-secrets.io/"))
        && matches!(text("kind"), Some("ExternalSecret" | "PushSecret"))
}

/// Whether a value is `{{ .NAME }}`, which the operator replaces by what it fetched.
fn is_reference(value: &Value) -> bool {
    let inner = value
        .as_str()
        .and_then(|text| text.strip_prefix("{{ .")?.strip_suffix(" }}"));
    inner.is_some_and(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    })
}

fn is_secret_kind(kind: &Value) -> bool {
    kind.as_str().is_none_or(|kind| {
        let kind = kind.trim();
        kind.eq_ignore_ascii_case("Secret") || kind.eq_ignore_ascii_case("SecretList")
    })
}

/// Whether an object of kind Secret is written anywhere, as in a comment or in another's text.
fn mentions_secret_object(text: &str) -> bool {
    text.lines().any(|line| {
        let squeezed: String = line
            .chars()
            .filter(|character| !character.is_whitespace() && !"\"'\\".contains(*character))
            .collect();
        squeezed.match_indices("kind:Secret").any(|(at, found)| {
            let after = squeezed.get(at + found.len()..).unwrap_or_default();
            !after.starts_with(|next: char| next.is_ascii_alphanumeric())
                || after.starts_with("List")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_objects_are_not_suspicious() {
        for text in [
            "# x\napiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    b\n",
            "kind: ExternalSecret\nspec:\n  secretStoreRef: {kind: SecretStore}\n",
            "---\nkind: A\n---\nkind: B\n",
            "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec:\n  data:\n    - secretKey: AWS_ACCESS_KEY_ID\n  template:\n    AWS_ACCESS_KEY_ID: '{{ .AWS_ACCESS_KEY_ID }}'\n",
        ] {
            assert!(Suspicion::of(text).is_none(), "{text}");
        }
    }

    #[test]
    fn secrets_are_found_however_they_are_written() {
        for text in [
            "kind: Secret\n",
            "{\"kind\": \"Secret\", \"data\": {}}",
            "kind: \"\\u0053ecret\"\n",
            "kind: List\nitems:\n  - kind: Secret\n",
            "kind: A\n---\n? kind\n: Secret\n",
            "kind: A\nb: &s Secret\nc: {kind: *s}\n",
            "kind: A\nstringData: {}\n",
            "kind: A\nb: |\n  kind: Secret\n",
            "kind: A\n# kind: Secret\n",
        ] {
            assert!(Suspicion::of(text).has_secret_object, "{text}");
        }
    }

    #[test]
    fn credentials_are_found() {
        for text in [
            "kind: A\nAWS_SECRET_ACCESS_KEY: x\n",
            "kind: A\n\"AWS\\x5fACCESS_KEY_ID\": x\n",
            "kind: A\n# AWS_ACCESS_KEY_ID\n",
            "kind: A\nb: AWS_ACCESS_KEY_ID\n",
            "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec:\n  AWS_ACCESS_KEY_ID: x\n",
            "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec:\n  AWS_ACCESS_KEY_ID: '{{ .a }}x }}'\n",
            "kind: A\nb: >-\n  -----BEGIN\n  PRIVATE KEY-----\n",
        ] {
            assert!(Suspicion::of(text).has_credential, "{text}");
        }
    }

    #[test]
    fn what_parsers_read_differently_is_unreadable() {
        for text in [
            "",
            "# x\n",
            "a: b\n",
            "- a\n",
            "kind: [\n",
            "kind: A\nkind: B\n",
            "kind: !!binary U2VjcmV0\n",
            "kind: A\nb: !c d\n",
            "kind: A\n---\nb\n",
        ] {
            let suspicion = Suspicion::of(text);
            assert!(
                suspicion.is_unreadable || suspicion.has_secret_object,
                "{text}"
            );
        }
    }
}

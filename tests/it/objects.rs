//! What a run has rendered, as objects.

use serde::Deserialize as _;
use serde_yaml::Value;

/// The documents of a stream, in order.
#[track_caller]
pub fn documents(stream: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(stream)
        .map(|document| Value::deserialize(document).unwrap())
        .collect()
}

/// The documents of a stream, each as the value that JSON has for it.
#[track_caller]
pub fn json_documents(stream: &str) -> Vec<serde_json::Value> {
    serde_yaml::Deserializer::from_str(stream)
        .map(|document| serde_json::Value::deserialize(document).unwrap())
        .collect()
}

/// The object of a kind and a name, of which there is one.
#[track_caller]
pub fn object(stream: &str, kind: &str, name: &str) -> Value {
    let mut found = documents(stream);
    found.retain(|object| identity(object) == format!("{kind}/{name}"));
    assert_eq!(found.len(), 1, "objects {kind}/{name} in:\n{stream}");
    found.remove(0)
}

/// `KIND/NAME` of each object, in order.
#[track_caller]
pub fn identities(stream: &str) -> Vec<String> {
    documents(stream).iter().map(identity).collect()
}

fn identity(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!(
        "{}/{}",
        text(&object["kind"]),
        text(&object["metadata"]["name"])
    )
}

/// A value, written as YAML.
pub fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

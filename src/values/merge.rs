//! Merging values over defaults.

use serde_yaml::Value;

/// Merges `over` into `base`: mappings key by key, everything else replaced. A null removes the key from `base`.
/// `parent` is the key that both are at.
pub fn merge(parent: &str, base: &mut Value, over: Value) {
    let (base, over) = match (base, over) {
        (Value::Mapping(base), Value::Mapping(over)) => (base, over),
        (base, over) => {
            *base = over;
            return;
        }
    };
    for (key, value) in over {
        let name = key.as_str().unwrap_or_default();
        // `property: null` is a value: the store has no properties.
        let is_property = parent == "externalSecrets" && name == "property";
        match base.get_mut(&key) {
            Some(_) if value.is_null() && !is_property => {
                base.shift_remove(&key);
            }
            Some(existing) if is_one_value(parent, name, existing, &value) => *existing = value,
            Some(existing) => merge(name, existing, value),
            // A null that removes nothing stays, so that an empty variable is an error.
            None => {
                base.insert(key, value);
            }
        }
    }
}

/// Whether one form of a value replaces another: `{file: …}` isn't merged with `{env: …}`, nor a key with `workloadIdentity`.
fn is_one_value(parent: &str, name: &str, base: &Value, over: &Value) -> bool {
    let form = |value: &Value| {
        let forms = ["externalSecret", "workloadIdentity", "existingSecret"];
        forms.into_iter().find(|form| value.get(form).is_some())
    };
    parent == "extraEnv"
        || ["token", "accessKeyId", "secretAccessKey"].contains(&name)
        || name == "credentials" && form(base) != form(over)
}

//! Merging values over defaults.

use serde_yaml::Value;

/// Merges `over` into `base`: mappings key by key, everything else replaced. A null takes what `base` has away.
pub fn merge(base: &mut Value, over: Value) {
    merge_below("", base, over);
}

fn merge_below(parent: &str, base: &mut Value, over: Value) {
    let (base, over) = match (base, over) {
        (Value::Mapping(base), Value::Mapping(over)) => (base, over),
        (base, over) => {
            *base = over;
            return;
        }
    };
    for (key, value) in over {
        let name = key.as_str().unwrap_or_default();
        // There a null is a value: the store has no properties.
        let is_property = parent == "externalSecrets" && name == "property";
        match base.get_mut(&key) {
            Some(_) if value.is_null() && !is_property => {
                base.shift_remove(&key);
            }
            // A variable is one value, in whichever form: one `{env: …}` isn't merged with another `{file: …}`.
            Some(existing) if parent == "extraEnv" => *existing = value,
            Some(existing) => merge_below(name, existing, value),
            // As a key that was left empty, it is an error of its own.
            None => {
                base.insert(key, value);
            }
        }
    }
}

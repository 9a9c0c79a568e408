//! Values merged with defaults, as plain YAML trees.

use serde_yaml::{Mapping, Value};

use super::mistake::Step;

/// The one key whose `null` is a value of its own: the store has no properties.
const NULL_IS_A_VALUE: &[&str] = &["externalSecrets", "property"];

/// Merges values over defaults: mappings key by key, at any depth; everything else, lists included,
/// is replaced; `null` takes a default away.
pub fn merge(defaults: &Value, values: &Value) -> Value {
    merge_at(&mut Vec::new(), defaults, values)
}

fn merge_at<'a>(path: &mut Vec<&'a str>, defaults: &Value, values: &'a Value) -> Value {
    let (Value::Mapping(defaults), Value::Mapping(values)) = (defaults, values) else {
        return values.clone();
    };
    let mut merged = defaults.clone();
    for (key, value) in values {
        path.push(key.as_str().unwrap_or_default());
        let under = defaults.get(key);
        match under {
            Some(_) if value.is_null() && path != NULL_IS_A_VALUE => {
                merged.shift_remove(key);
            }
            Some(under) => {
                merged.insert(key.clone(), merge_at(path, under, value));
            }
            None => {
                merged.insert(key.clone(), value.clone());
            }
        }
        path.pop();
    }
    Value::Mapping(merged)
}

/// The value that keys lead to, through mappings.
fn at<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().try_fold(value, |value, key| value.get(*key))
}

/// Whether keys lead to a value.
pub fn has(value: &Value, keys: &[&str]) -> bool {
    at(value, keys).is_some()
}

/// Whether keys lead to a mapping.
pub fn is_mapping_in(value: &Value, keys: &[&str]) -> bool {
    at(value, keys).is_some_and(Value::is_mapping)
}

/// Takes out what stands at a path; the whole list, where the path leads into one, so that the
/// positions of the others stay. Says whether there was anything.
pub fn remove(value: &mut Value, path: &[Step]) -> bool {
    let keys: Vec<&str> = path.iter().map_while(Step::key).collect();
    let Some((last, before)) = keys.split_last() else {
        return false;
    };
    let parent = before
        .iter()
        .try_fold(value, |value, key| value.get_mut(*key));
    parent
        .and_then(Value::as_mapping_mut)
        .and_then(|parent: &mut Mapping| parent.shift_remove(*last))
        .is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(text: &str) -> Value {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn mappings_merge_and_all_else_is_replaced() {
        let defaults = "a: {b: 1, c: {d: 2, e: 3}}\nf: [1, 2]\ng: x";
        let values = "a: {c: {d: 4}, h: 5}\nf: [3]\ni: y";
        let merged = "a: {b: 1, c: {d: 4, e: 3}, h: 5}\nf: [3]\ng: x\ni: y";
        assert_eq!(merge(&yaml(defaults), &yaml(values)), yaml(merged));
    }

    #[test]
    fn null_takes_a_default_away_and_nothing_else() {
        let defaults = "a: {b: 1, c: 2}\nd: 3";
        let merged = merge(&yaml(defaults), &yaml("a: {b: null, e: null}\nd: ~"));
        assert_eq!(merged, yaml("a: {c: 2, e: null}"));
        let property = "externalSecrets: {property: null}";
        let defaults = yaml("externalSecrets: {property: token, keyPrefix: x}");
        assert_eq!(
            merge(&defaults, &yaml(property)),
            yaml("externalSecrets: {property: null, keyPrefix: x}")
        );
    }

    #[test]
    fn a_mapping_replaces_a_word_and_a_word_a_mapping() {
        assert_eq!(merge(&yaml("a: b"), &yaml("a: {c: d}")), yaml("a: {c: d}"));
        assert_eq!(merge(&yaml("a: {c: d}"), &yaml("a: b")), yaml("a: b"));
    }

    #[test]
    fn a_place_is_taken_out() {
        let key = |key: &str| Step::Key(key.to_owned());
        let mut value = yaml("a: {b: 1, c: [{d: 2}]}");
        assert!(!remove(&mut value, &[]));
        assert!(!remove(&mut value, &[key("x")]));
        assert!(remove(
            &mut value,
            &[key("a"), key("c"), Step::Item(0), key("d")]
        ));
        assert_eq!(value, yaml("a: {b: 1}"));
    }
}

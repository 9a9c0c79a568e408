//! The rendered objects contain everything that the manual procedure applied.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{SIDES, fixture, fixture_path, identity, objects, run};

#[test]
fn the_objects_of_the_procedure_are_rendered() {
    for side in SIDES {
        let stream = run(&mut fixture(&["render", "--side", side], "seed"));
        let rendered = objects(stream.succeeds());
        let by_hand = fs::read_to_string(fixture_path(&format!("seed/{side}.yaml"))).unwrap();
        let by_hand = objects(&by_hand);
        assert_eq!(rendered.len(), by_hand.len(), "{side}");
        for object in by_hand.into_iter().map(as_stored) {
            let name = identity(&object);
            let of_name = |rendered: &&Value| identity(rendered) == name;
            let rendered = rendered.iter().find(of_name).unwrap_or_else(|| panic!("no {name}"));
            assert_within(&object, rendered, &name);
        }
    }
}

/// A Secret's `stringData` in base64, as the API server stores it.
fn as_stored(mut object: Value) -> Value {
    if let Some(Value::Object(texts)) = object.as_object_mut().unwrap().remove("stringData") {
        for (key, text) in texts {
            object["data"][key] = json!(STANDARD.encode(text.as_str().unwrap()));
        }
    }
    object
}

/// Compares values; a mapping in `whole` may have more keys.
fn assert_within(part: &Value, whole: &Value, path: &str) {
    match part {
        Value::Object(fields) => {
            for (key, field) in fields {
                assert_within(field, &whole[key], &format!("{path}: {key}"));
            }
        }
        _ => assert_eq!(part, whole, "{path}"),
    }
}

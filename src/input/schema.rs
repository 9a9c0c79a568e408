//! The JSON Schemas of values files, from the types that read one.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Map, Value, json};

use super::values::Values;

/// The JSON Schema (draft 2020-12) of a values file that stands by itself. `codes` are those that `allow`
/// takes.
pub fn of_values(codes: &[&str]) -> Value {
    let generator = SchemaSettings::draft2020_12()
        .with_transform(RecursiveTransform(tidy))
        .into_generator();
    let mut schema = generator.into_root_schema_for::<Values>();
    schema.insert("title".to_owned(), json!("values file of ma-register"));
    let mut schema = schema.to_value();
    if let Some(allow) = schema.pointer_mut("/properties/allow/items") {
        *allow = json!({"type": "string", "enum": codes});
    }
    schema
}

/// The JSON Schema of the two that are merged in a fleet, defaults and a cluster's values: each may leave
/// to the other what it likes, and `null` takes a default away.
pub fn of_fleet(codes: &[&str]) -> Value {
    let mut schema = of_values(codes);
    // A list isn't merged, so what is in it is whole.
    let mut whole = Vec::new();
    collect_items(&schema, &mut whole);
    if let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        for (name, definition) in definitions {
            if !whole.contains(&format!("#/$defs/{name}")) {
                loosen(definition);
            }
        }
    }
    // No default has the name, so there is none to take away.
    let name = schema.pointer("/properties/name").cloned();
    if let Some(root) = schema.as_object_mut() {
        root.remove("required");
        loosen_properties(root);
    }
    if let Some((slot, name)) = schema.pointer_mut("/properties/name").zip(name) {
        *slot = name;
    }
    schema
}

/// Undoes the line breaks of doc comments, and describes the only key of a form as the form.
fn tidy(schema: &mut Schema) {
    let Some(Value::String(description)) = schema.get_mut("description") else {
        return;
    };
    *description = description.replace('\n', " ");
    let description = description.clone();
    if let Some(Value::Object(properties)) = schema.get_mut("properties")
        && properties.len() == 1
    {
        for property in properties.values_mut().filter_map(Value::as_object_mut) {
            let of_form = || json!(description);
            property.entry("description").or_insert_with(of_form);
        }
    }
}

/// The definitions that lists are made of.
fn collect_items(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(keys) => {
            let items = keys.get("items").and_then(|items| items.get("$ref"));
            found.extend(items.and_then(Value::as_str).map(str::to_owned));
            keys.values().for_each(|value| collect_items(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_items(value, found)),
        _ => {}
    }
}

fn loosen(schema: &mut Value) {
    let Some(keys) = schema.as_object_mut() else {
        return;
    };
    keys.remove("required");
    loosen_properties(keys);
    for forms in ["anyOf", "oneOf"] {
        if let Some(forms) = keys.get_mut(forms).and_then(Value::as_array_mut) {
            forms.iter_mut().for_each(loosen);
            allow_other_forms_as_null(forms);
        }
    }
}

fn loosen_properties(keys: &mut Map<String, Value>) {
    let properties = keys.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        loosen(property);
        let of_any_name = property.get_mut("additionalProperties");
        if let Some(of_any_name @ Value::Object(_)) = of_any_name {
            allow_null(of_any_name);
        }
        allow_null(property);
    }
}

/// One form over another in the defaults takes the other's keys away.
fn allow_other_forms_as_null(forms: &mut [Value]) {
    let properties = |form: &Value| form.get("properties").and_then(Value::as_object).cloned();
    let keys: Vec<String> = forms
        .iter()
        .filter_map(properties)
        .flat_map(|properties| properties.into_iter().map(|(key, _)| key))
        .collect();
    for form in forms {
        if let Some(properties) = form.get_mut("properties").and_then(Value::as_object_mut) {
            for key in &keys {
                let null = || json!({"type": "null"});
                properties.entry(key.clone()).or_insert_with(null);
            }
        }
    }
}

fn allow_null(schema: &mut Value) {
    let nothing = json!({"type": "null"});
    let is_null = |value: &Value| *value == nothing || *value == json!("null");
    let allows = |key| {
        let list = schema.get(key).and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(is_null))
    };
    if allows("type") || allows("anyOf") {
        return;
    }
    let mut whole = schema.take();
    let description = whole
        .as_object_mut()
        .and_then(|keys| keys.remove("description"));
    *schema = json!({"anyOf": [whole, nothing]});
    if let Some(description) = description {
        schema["description"] = description;
    }
}

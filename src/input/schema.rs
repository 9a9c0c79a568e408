//! The JSON Schema of a values file, from the types that read one.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Value, json};

use super::values::Values;

/// The JSON Schema (draft 2020-12) of one cluster's values. `codes` are those that `allow` takes.
pub fn of_values(codes: &[&str]) -> Value {
    let generator = SchemaSettings::draft2020_12()
        .with_transform(RecursiveTransform(join_lines))
        .into_generator();
    let mut schema = generator.into_root_schema_for::<Values>();
    schema.insert("title".to_owned(), json!("values file of ma-register"));
    let mut schema = schema.to_value();
    if let Some(allow) = schema.pointer_mut("/properties/allow/items") {
        *allow = json!({"type": "string", "enum": codes});
    }
    schema
}

/// Undoes the line breaks of doc comments.
fn join_lines(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
}

//! `schema`: prints the JSON Schema of the values file.

use super::Outcome;
use crate::values::Values;

/// Returns the schema, for editors and CI.
pub fn run() -> anyhow::Result<Outcome> {
    let schema = schemars::schema_for!(Values);
    Ok(format!("{}\n", serde_json::to_string_pretty(&schema)?).into())
}

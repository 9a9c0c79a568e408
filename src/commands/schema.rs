//! `schema`: prints the JSON Schema of the values file.

use super::Outcome;
use crate::values::Values;

/// Returns the schema, for editors and CI.
pub fn run() -> anyhow::Result<Outcome> {
    Ok(format!("{}\n", serde_json::to_string_pretty(&schemars::schema_for!(Values))?).into())
}

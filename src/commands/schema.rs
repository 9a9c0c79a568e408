//! `schema`: the JSON Schema of the values file.

use super::{Outcome, failure};
use crate::diagnostic::Diagnostic;
use crate::values::Values;

/// Prints the schema.
pub fn run() -> Result<Outcome, Vec<Diagnostic>> {
    let schema = schemars::schema_for!(Values);
    let text = serde_json::to_string_pretty(&schema).map_err(|error| failure(error.into()))?;
    Ok(format!("{text}\n").into())
}

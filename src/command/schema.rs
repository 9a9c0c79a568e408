//! `schema`: the JSON Schema of values files, for editors.

use anyhow::{Context as _, Result};

use super::{Outcome, Outside};
use crate::cli::SchemaArgs;
use crate::input::schema;
use crate::registration::finding::Code;

/// Writes the schema.
///
/// # Errors
/// Where standard output can't be written.
pub fn run(args: &SchemaArgs, outside: &mut Outside<'_>) -> Result<Outcome> {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let schema = match args.fleet {
        true => schema::of_fleet(&codes),
        false => schema::of_values(&codes),
    };
    writeln!(outside.out, "{schema:#}")
        .and_then(|()| outside.out.flush())
        .context("failed to write to standard output")?;
    Ok(Outcome::Done)
}

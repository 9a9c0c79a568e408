//! `completions`: a script by which a shell completes the program's arguments.

use anyhow::{Context as _, Result};

use super::{Outcome, Outside};
use crate::cli::{CompletionsArgs, completion};

/// Writes the script for a shell.
///
/// # Errors
/// Where standard output can't be written.
pub fn run(args: &CompletionsArgs, outside: &mut Outside<'_>) -> Result<Outcome> {
    completion::write_script(args.shell, outside.out)
        .and_then(|()| outside.out.flush())
        .context("failed to write to standard output")?;
    Ok(Outcome::Done)
}

//! `completions`: a script by which a shell completes the program's arguments.

use anyhow::{Context as _, Result};
use clap::CommandFactory as _;

use super::{Outcome, Outside};
use crate::cli::{Cli, CompletionsArgs};

/// Writes the script for a shell.
///
/// # Errors
/// Where standard output can't be written.
pub fn run(args: &CompletionsArgs, outside: &mut Outside<'_>) -> Result<Outcome> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    // The generator panics where its writer fails, and this one doesn't.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    let script = mended(&String::from_utf8_lossy(&script));
    outside
        .out
        .write_all(script.as_bytes())
        .and_then(|()| outside.out.flush())
        .context("failed to write to standard output")?;
    Ok(Outcome::Done)
}

/// The generator for bash spells a program's name in two ways where it has a `-`, so that nothing
/// after a command would be completed.
fn mended(script: &str) -> String {
    script.replace("ma__subcmd__register", "ma__register")
}

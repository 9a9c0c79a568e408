//! The commands: which steps each of them joins, and what it prints.

mod render;

use std::io::Write;
use std::time::SystemTime;

use anyhow::Result;

use crate::cli::{Cli, Command};
use crate::output::Report;

/// What the outside gives to a command.
pub struct Outside<'a> {
    /// Standard output, for data.
    pub out: &'a mut dyn Write,
    /// Standard error, for everything else.
    pub report: Report<'a>,
    /// The time of the run, which decides about warnings only.
    pub now: SystemTime,
}

/// Runs a command.
///
/// # Errors
/// Where anything is wrong; then nothing has been written, apart from messages.
pub fn run(cli: Cli, outside: &mut Outside<'_>) -> Result<()> {
    match cli.command {
        Command::Render(args) => render::run(args, outside),
    }
}

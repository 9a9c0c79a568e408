//! The commands: which steps each of them joins, and what it prints.

mod completions;
mod diff;
mod fleet;
mod init;
mod inspect;
mod man;
mod render;
mod runbook;
mod schema;
mod teller;
mod templates;
mod tree;

use std::io::Write;
use std::time::SystemTime;

use anyhow::Result;

use crate::cli::{Cli, Command};
use crate::output::{Progress, Report};

/// What the outside gives to a command.
pub struct Outside<'a> {
    /// Standard output, for data.
    pub out: &'a mut dyn Write,
    /// Standard error, for everything else.
    pub report: Report<'a>,
    /// Whether data may be coloured: it goes to a terminal, and nothing says otherwise.
    pub colours_output: bool,
    /// Columns of the terminal that data goes to, if it does.
    pub width: Option<u16>,
    /// How far a long run has got.
    pub progress: Progress,
    /// The time of the run, which decides about warnings only.
    pub now: SystemTime,
}

/// How a command has ended, where it has told everything itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What was asked for is done.
    Done,
    /// There are differences, and that was the question.
    Differs,
    /// Something is wrong, which has been reported; nothing has been written but, by `inspect`, what
    /// could be told all the same.
    Wrong,
}

/// Runs a command.
///
/// # Errors
/// Where anything is wrong that has not been reported; then nothing has been written, apart from
/// messages.
pub fn run(cli: Cli, outside: &mut Outside<'_>) -> Result<Outcome> {
    match cli.command {
        Command::Init(args) => init::run(args, outside),
        Command::Inspect(args) => inspect::run(args, outside),
        Command::Render(args) => render::run(args, outside),
        Command::Diff(args) => diff::run(args, outside),
        Command::Runbook(args) => runbook::run(args, outside),
        Command::Schema(args) => schema::run(&args, outside),
        Command::Templates(args) => templates::run(&args, outside),
        Command::Completions(args) => completions::run(&args, outside),
        Command::Man(args) => man::run(&args, outside),
    }
}

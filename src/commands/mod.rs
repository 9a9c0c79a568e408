//! The commands: which steps each joins, and what it prints.

mod clusters;
mod diff;
mod init;
mod inspect;
mod render;
mod runbook;
mod schema;
mod templates;

use clap::CommandFactory as _;

use crate::cli::{Cli, ColorArg, Command};
use crate::diagnostic::Diagnostic;

/// What a command has to say.
#[derive(Default)]
pub struct Outcome {
    /// For standard output.
    pub stdout: String,
    /// For standard error.
    pub diagnostics: Vec<Diagnostic>,
    /// A last line for standard error.
    pub summary: Option<String>,
    /// The exit code.
    pub code: u8,
    /// When standard output is coloured; none where it has no colours.
    pub color: Option<ColorArg>,
}

impl From<String> for Outcome {
    fn from(stdout: String) -> Self {
        Self { stdout, ..Self::default() }
    }
}

/// Runs a command.
///
/// # Errors
/// Everything that is wrong, and what else there is to say.
pub fn run(cli: Cli) -> Result<Outcome, Vec<Diagnostic>> {
    match cli.command {
        Command::Init(args) => init::run(&args).map_err(|error| vec![error]),
        Command::Inspect(args) => inspect::run(&args),
        Command::Render(args) => render::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Runbook(command) => runbook::run(&command),
        Command::Schema => schema::run(),
        Command::Templates { dir } => templates::run(&dir).map_err(|error| vec![error]),
        Command::Completions { shell } => Ok(completions(shell)),
    }
}

fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ma-register", &mut script);
    String::from_utf8_lossy(&script).into_owned().into()
}

/// An error for a command's list of them.
fn failure(error: anyhow::Error) -> Vec<Diagnostic> {
    vec![error.into()]
}

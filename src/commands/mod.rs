//! The commands: each joins the steps of the other modules and decides what is printed.

mod clusters;
mod diff;
mod explain;
mod init;
mod inspect;
mod render;
mod runbook;
mod templates;

use clap::CommandFactory as _;

use crate::cli::{Cli, Command};
use crate::diagnostic::Diagnostics;
use crate::values::Values;

/// The result of a command.
#[derive(Default)]
pub struct Outcome {
    pub stdout: String,
    pub diagnostics: Diagnostics,
    pub summary: Option<String>,
    pub code: u8,
    /// `--color`; `None` if the output never has colours.
    pub color: Option<clap::ColorChoice>,
}

impl From<String> for Outcome {
    fn from(stdout: String) -> Self {
        Self { stdout, ..Self::default() }
    }
}

/// Runs a command. Fails with all diagnostics, if any is an error.
pub fn run(cli: Cli) -> Result<Outcome, Diagnostics> {
    Ok(match cli.command {
        Command::Init(args) => init::run(&args)?,
        Command::Inspect(args) => inspect::run(&args)?,
        Command::Render(args) => render::run(&args)?,
        Command::Diff(args) => diff::run(&args)?,
        Command::Runbook(command) => runbook::run(&command)?,
        Command::Explain { name } => explain::run(name.as_deref())?,
        Command::Schema => schema()?,
        Command::Templates { dir } => templates::run(&dir)?,
        Command::Completions { shell } => completions(shell),
    })
}

fn schema() -> anyhow::Result<Outcome> {
    Ok((serde_json::to_string_pretty(&schemars::schema_for!(Values))? + "\n").into())
}

fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ma-register", &mut script);
    // Bash would complete nothing after a subcommand, as the name has a hyphen: github.com/clap-rs/clap/issues/6421.
    let script = String::from_utf8_lossy(&script);
    script.replace("ma__subcmd__register", "ma__register").into()
}

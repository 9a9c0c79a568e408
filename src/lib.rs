//! Renders the Kubernetes manifests that register a compute cluster with a Michelangelo control plane.
//!
//! Inputs are read into values and a kubeconfig, resolved to a registration, rendered to manifests, and
//! emitted as a stream, a directory or a diff. Each module uses only those after it: `commands`, `cli`,
//! `runbook`, `output`, `render`, `registration`, `kubeconfig`, `values`, `input`, `secret`, `diagnostic`, `show`.

mod cli;
mod commands;
mod diagnostic;
mod input;
mod kubeconfig;
mod output;
mod registration;
mod render;
mod runbook;
mod secret;
mod show;
mod values;

use std::io::{self, Write as _};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::Parser as _;

use cli::{Cli, ColorArg};
use commands::Outcome;

/// Runs the program with the arguments of the process.
pub fn run() -> ExitCode {
    let outcome = commands::run(Cli::parse());
    let outcome = outcome.unwrap_or_else(|diagnostics| Outcome {
        diagnostics,
        code: 2,
        ..Outcome::default()
    });
    // What can't be said to whoever listens on standard error doesn't change what was done.
    let _ = print_diagnostics(&outcome);
    match print_output(&outcome) {
        // Whoever reads has enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: failed to write to standard output: {error}");
            ExitCode::from(2)
        }
        Ok(()) => ExitCode::from(outcome.code),
    }
}

fn print_diagnostics(outcome: &Outcome) -> io::Result<()> {
    let mut stderr = anstream::stderr().lock();
    diagnostic::print(&mut stderr, &outcome.diagnostics)?;
    match &outcome.summary {
        Some(summary) => writeln!(stderr, "{summary}"),
        None => Ok(()),
    }
}

fn print_output(outcome: &Outcome) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let choice = match outcome.color {
        None => return stdout.write_all(outcome.stdout.as_bytes()),
        Some(ColorArg::Auto) => AutoStream::choice(&stdout),
        Some(ColorArg::Always) => ColorChoice::AlwaysAnsi,
        Some(ColorArg::Never) => ColorChoice::Never,
    };
    AutoStream::new(stdout, choice).write_all(outcome.stdout.as_bytes())
}

//! Renders the Kubernetes manifests that register a compute cluster with a Michelangelo control plane.
//!
//! Values and kubeconfigs are read; `sources` decides where each thing comes from; these inputs are resolved to a
//! registration, which is rendered and emitted as a stream, a directory, a diff or a runbook. Each module uses only those
//! after it: commands, cli, runbook, output, render, registration, sources, kubeconfig, values, input, secret, diagnostic,
//! findings, show.

mod cli;
mod commands;
mod diagnostic;
mod findings;
mod input;
mod kubeconfig;
mod output;
mod registration;
mod render;
mod runbook;
mod secret;
mod show;
mod sources;
mod values;

use std::io::{self, Write as _};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::Parser as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use cli::Cli;
use commands::Outcome;

/// A run makes many small allocations on several threads, for which glibc's allocator takes a quarter longer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let outcome = commands::run(Cli::try_parse().unwrap_or_else(|error| with_hint(error).exit()));
    let outcome = outcome.unwrap_or_else(|diagnostics| Outcome {
        diagnostics,
        code: 2,
        ..Outcome::default()
    });
    // A failed write to standard error doesn't change the exit code.
    let _ = print_diagnostics(&outcome);
    match print_output(&outcome) {
        // The reader closed the pipe, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(outcome.code),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: failed to write to standard output: {error}");
            ExitCode::from(2)
        }
        Ok(()) => ExitCode::from(outcome.code),
    }
}

/// Adds a tip for values that are passed without `-f`, as other tools take them.
fn with_hint(mut error: clap::Error) -> clap::Error {
    let text = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let (argument, usage) = (text(ContextKind::InvalidArg), text(ContextKind::Usage));
    let takes_values = usage.contains("--values") && !argument.starts_with('-');
    if error.kind() == ErrorKind::UnknownArgument && takes_values {
        let hint = vec![format!("values are passed with `-f {argument}`").into()];
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(hint));
    }
    error
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
        Some(clap::ColorChoice::Auto) => AutoStream::choice(&stdout),
        Some(clap::ColorChoice::Always) => ColorChoice::AlwaysAnsi,
        Some(clap::ColorChoice::Never) => ColorChoice::Never,
    };
    AutoStream::new(stdout, choice).write_all(outcome.stdout.as_bytes())
}

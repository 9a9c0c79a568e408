//! The program: parse the arguments, run the command, report the error, give the exit code.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::SystemTime;

use anstream::{AutoStream, ColorChoice};
use ma_register::cli::called_as::CalledAs;
use ma_register::cli::completion;
use ma_register::command::{self, Outcome, Outside};
use ma_register::output::{Progress, Report};

/// `diff` found differences.
const DIFFERS: u8 = 1;
/// Anything wrong, as for diff(1) and grep(1).
const WRONG: u8 = 2;

fn main() -> ExitCode {
    completion::answer_shell();
    let arguments: Vec<OsString> = env::args_os().collect();
    let called_as = CalledAs::of(&arguments);
    let mut out = io::stdout().lock();
    if called_as == CalledAs::PluginCompletion {
        return match completion::answer_kubectl(&arguments, &mut out) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(WRONG),
        };
    }
    let cli = match called_as.parse(&arguments) {
        Ok(cli) => cli,
        Err(error) => return told(&error),
    };
    // Colour on a terminal only, where `NO_COLOR` and the like don't say otherwise.
    let mut err = match io::stderr().is_terminal() {
        true => AutoStream::auto(io::stderr()),
        false => AutoStream::never(io::stderr()),
    };
    let mut outside = Outside {
        out: &mut out,
        report: Report::new(&mut err, width_of(io::stderr())),
        colours_output: io::stdout().is_terminal()
            && AutoStream::choice(&io::stdout()) != ColorChoice::Never,
        width: width_of(io::stdout()),
        progress: Progress::new(io::stderr().is_terminal()),
        now: SystemTime::now(),
    };
    match command::run(cli, &mut outside) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Differs) => ExitCode::from(DIFFERS),
        Ok(Outcome::Wrong) => ExitCode::from(WRONG),
        // The reader has seen enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            outside.report.error(&error);
            ExitCode::from(WRONG)
        }
    }
}

/// Tells of arguments that are wrong, or the help that they ask for.
fn told(error: &clap::Error) -> ExitCode {
    let written = error.print().and_then(|()| io::stdout().flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(WRONG),
        _ if error.use_stderr() => ExitCode::from(WRONG),
        _ => ExitCode::SUCCESS,
    }
}

/// The columns of a terminal.
fn width_of(stream: impl AsFd) -> Option<u16> {
    terminal_size::terminal_size_of(stream).map(|(width, _)| width.0)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

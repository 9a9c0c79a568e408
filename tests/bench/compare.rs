//! What the benchmarks share: whole processes, timed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};

/// Runs a command to its end, which has to be a good one.
pub fn time(command: &mut Command) -> Result<Duration> {
    let start = Instant::now();
    let status = command.status()?;
    let elapsed = start.elapsed();
    ensure!(status.success(), "{:?} failed", command.get_program());
    Ok(elapsed)
}

pub fn median(mut times: Vec<Duration>) -> Result<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied().context("no runs")
}

/// The most memory that any process so far has taken, `cat` and `cp` included, in KiB.
pub fn peak_of_children() -> Result<f64> {
    Ok(getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss() as f64)
}

pub fn copy(from: &Path, to: &Path) -> Command {
    program("cp", &[Path::new("-r"), from, to])
}

pub fn program(name: &str, arguments: &[&Path]) -> Command {
    let mut command = Command::new(name);
    command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[expect(clippy::print_stdout, reason = "a benchmark's result is for reading")]
pub fn show(line: String) {
    println!("{line}");
}

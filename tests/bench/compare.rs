//! What the benchmarks share: whole processes, timed in turns, so that what else the machine does falls on
//! both; and bars.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};

/// What was measured beside its bar; whether any bar was missed.
#[derive(Default)]
pub struct Report {
    is_missed: bool,
}

impl Report {
    #[expect(clippy::print_stdout, reason = "a benchmark's result is for reading")]
    pub fn add(&mut self, what: &str, measured: f64, bar: f64, unit: &str) {
        let verdict = if measured > bar { ": MISSED" } else { "" };
        self.is_missed |= measured > bar;
        println!("{what}: {measured:.2} {unit} (bar: {bar} {unit}){verdict}");
    }

    /// Ends the benchmark: an error where a bar was missed.
    pub fn finish(self) -> Result<()> {
        ensure!(!self.is_missed, "a bar was missed");
        Ok(())
    }
}

/// Runs a command to its end, which has to be a good one.
pub fn time(command: &mut Command) -> Result<Duration> {
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let elapsed = start.elapsed();
    ensure!(status.success(), "{command:?} failed");
    Ok(elapsed)
}

pub fn median(mut times: Vec<Duration>) -> Result<f64> {
    times.sort_unstable();
    Ok(times.get(times.len() / 2).context("no runs")?.as_secs_f64())
}

/// The most memory that any process so far has taken, in KiB; those that we are compared with take less.
pub fn peak_memory() -> Result<f64> {
    Ok(getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss() as f64)
}

pub fn render(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ma-register"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("render").args(arguments);
    command
}

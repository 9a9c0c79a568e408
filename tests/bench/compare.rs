//! Times whole processes and compares them with bars. Benchmarks time the two sides in turns, so that other load on the
//! machine slows both.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};

/// Prints each measurement and remembers whether a bar was missed.
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

    /// Fails if a bar was missed.
    pub fn finish(self) -> Result<()> {
        ensure!(!self.is_missed, "a bar was missed");
        Ok(())
    }
}

/// Runs a command, which has to succeed.
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

/// The peak memory of any child process so far, in KiB. `cp` and `cat` take less than the program.
pub fn peak_memory() -> Result<f64> {
    Ok(getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss() as f64)
}

pub fn render(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ma-register"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("render").args(arguments);
    command
}

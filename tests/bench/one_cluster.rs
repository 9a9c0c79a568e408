//! One cluster, as whole processes: a stream beside `cat` of the same output, and directories
//! beside `cp -r` of the same tree. Runs alternate, so that what else the machine does falls on
//! both; each line gives the medians, their ratio and the bar.

#![expect(
    clippy::disallowed_types,
    reason = "the program runs no other program; its benchmark does"
)]

mod compare;

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use compare::{copy, median, peak_of_children, program, show, time};

const RUNS: usize = 300;
/// The most that a run may cost, in runs of what it is compared with.
const TIME_BAR: f64 = 4.0;
/// The most memory that a run may take.
const MEMORY_BAR_KIB: f64 = 16.0 * 1024.0;

fn main() -> Result<()> {
    // `cargo test --benches` passes this, and means only to see that it runs.
    let runs = if std::env::args().any(|argument| argument == "--test") {
        1
    } else {
        RUNS
    };
    let scratch = tempfile::tempdir()?;
    let scratch = scratch.path();
    stream(scratch, runs)?;
    fresh_directory(scratch, runs)?;
    unchanged_directory(scratch, runs)?;
    let peak = peak_of_children()?;
    show(format!("peak memory: {peak} KiB (bar: {MEMORY_BAR_KIB})"));
    Ok(())
}

fn stream(scratch: &Path, runs: usize) -> Result<()> {
    let output = render(&["--side", "both"])
        .stdout(Stdio::piped())
        .output()?;
    ensure!(output.status.success(), "render failed");
    let file = scratch.join("stream.yaml");
    std::fs::write(&file, output.stdout)?;
    compare(
        "stream, and cat of it",
        runs,
        |_| render(&["--side", "both"]),
        |_| program("cat", &[&file]),
    )
}

fn fresh_directory(scratch: &Path, runs: usize) -> Result<()> {
    let tree = scratch.join("tree");
    time(&mut render_into(&tree))?;
    compare(
        "directory, and cp -r of it",
        runs,
        |run| render_into(&scratch.join(format!("fresh-{run}"))),
        |run| copy(&tree, &scratch.join(format!("copy-{run}"))),
    )
}

fn unchanged_directory(scratch: &Path, runs: usize) -> Result<()> {
    let tree = scratch.join("tree");
    compare(
        "directory without a change, and cp -r of it",
        runs,
        |_| render_into(&tree),
        |run| copy(&tree, &scratch.join(format!("unchanged-{run}"))),
    )
}

fn compare(
    name: &str,
    runs: usize,
    ours: impl Fn(usize) -> Command,
    theirs: impl Fn(usize) -> Command,
) -> Result<()> {
    let mut times = (Vec::new(), Vec::new());
    for run in 0..runs {
        times.0.push(time(&mut ours(run))?);
        times.1.push(time(&mut theirs(run))?);
    }
    let (ours, theirs) = (median(times.0)?, median(times.1)?);
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    show(format!(
        "{name}: {ours:.2?}, {theirs:.2?}: {ratio:.2} times (bar: {TIME_BAR})"
    ));
    Ok(())
}

fn render(arguments: &[&str]) -> Command {
    let mut command = program(env!("CARGO_BIN_EXE_ma-register"), &[]);
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["render", "-f", "fixtures/values/seed.yaml"])
        .args(["--token-file", "fixtures/tokens/long-lived.token"])
        .args(arguments);
    command
}

fn render_into(directory: &Path) -> Command {
    let mut command = render(&["--plaintext-secrets", "--output-dir"]);
    command.arg(directory);
    command
}

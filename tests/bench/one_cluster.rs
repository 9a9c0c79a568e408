//! Renders one cluster as a stream, compared with `cat` of the same bytes.

mod compare;

use std::process::Command;

use anyhow::{Result, ensure};
use compare::{Report, median, peak_memory, render, time};

const RUNS: usize = 300;
const SEED: [&str; 6] = [
    "-f",
    "fixtures/values/seed.yaml",
    "--token-file",
    "fixtures/tokens/long-lived.token",
    "--side",
    "both",
];

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("stream.yaml");
    let output = render(&SEED).output()?;
    ensure!(output.status.success(), "render failed");
    std::fs::write(&file, output.stdout)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(time(&mut render(&SEED))?);
        theirs.push(time(Command::new("cat").arg(&file))?);
    }
    let mut report = Report::default();
    report.add("a stream, in `cat` of it", median(ours)? / median(theirs)?, 3.0, "times");
    report.add("peak memory", peak_memory()? / 1024.0, 12.0, "MiB");
    report.finish()
}

//! Fleets, as whole processes: a fresh tree and one without a change, beside `cp -r` of the same
//! tree. Runs alternate, so that what else the machine does falls on both; each line gives the
//! medians, their ratio and the bar. The files are below the build directory, on its disk.

#![expect(
    clippy::disallowed_types,
    reason = "the program runs no other program; its benchmark does"
)]

mod compare;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use compare::{copy, median, peak_of_children, program, show, time};

/// The most that writing a fresh tree may cost, in runs of `cp -r` of it.
const FRESH_BAR: f64 = 1.5;
/// The most that a run without a change may cost, in the same.
const UNCHANGED_BAR: f64 = 0.7;
/// The most memory at the peak, for each cluster of a large fleet.
const MEMORY_BAR_KIB: f64 = 30.0;

fn main() -> Result<()> {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let fleets: &[(usize, usize)] = if is_test {
        &[(5, 1)]
    } else {
        &[(100, 31), (1_000, 9), (10_000, 3)]
    };
    let mut costs = Vec::new();
    for (clusters, runs) in fleets {
        costs.push((*clusters, fleet(*clusters, *runs)?));
    }
    if let [.., (_, one), (_, other)] = costs.as_slice() {
        show(format!(
            "a cluster of the largest fleet costs {:.2} times one of the next: fresh, and {:.2} times: without a change",
            other.0.as_secs_f64() / one.0.as_secs_f64(),
            other.1.as_secs_f64() / one.1.as_secs_f64(),
        ));
    }
    Ok(())
}

/// Measures one size. Returns what a cluster costs, in a fresh tree and without a change.
fn fleet(clusters: usize, runs: usize) -> Result<(Duration, Duration)> {
    let scratch = tempfile::Builder::new()
        .prefix("fleet-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let scratch = scratch.path();
    let values = inputs(scratch, clusters)?;
    let tree = scratch.join("tree");
    time(&mut render(&values, &tree))?;
    let (mut fresh, mut copied, mut unchanged) = (Vec::new(), Vec::new(), Vec::new());
    // Nothing is deleted between the runs: what comes after that is slow for a while, whoever writes.
    for run in 0..runs {
        let (one, other) = (
            scratch.join(format!("fresh-{run}")),
            scratch.join(format!("copy-{run}")),
        );
        fresh.push(time(&mut render(&values, &one))?);
        copied.push(time(&mut copy(&tree, &other))?);
        unchanged.push(time(&mut render(&values, &tree))?);
    }
    let (fresh, copied, unchanged) = (median(fresh)?, median(copied)?, median(unchanged)?);
    let ratio = |ours: Duration| ours.as_secs_f64() / copied.as_secs_f64();
    show(format!(
        "{clusters} clusters: cp -r of the tree {copied:.2?}; fresh {fresh:.2?}, {:.2} times (bar: {FRESH_BAR}); without a change {unchanged:.2?}, {:.2} times (bar: {UNCHANGED_BAR}); peak memory {:.1} KiB a cluster (bar for large fleets: {MEMORY_BAR_KIB})",
        ratio(fresh),
        ratio(unchanged),
        peak_of_children()? / clusters as f64,
    ));
    let each = |whole: Duration| whole / u32::try_from(clusters).unwrap_or(u32::MAX);
    Ok((each(fresh), each(unchanged)))
}

/// Writes the inputs of a fleet that has no secrets in its repository: values files, and kubeconfigs
/// beside them. Returns the values files.
fn inputs(folder: &Path, clusters: usize) -> Result<Vec<PathBuf>> {
    let kubeconfig = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/kubeconfigs/eks.kubeconfig"),
    )?;
    let server = kubeconfig
        .lines()
        .find_map(|line| line.trim().strip_prefix("server: "))
        .context("the kubeconfig has no server")?;
    ensure!(clusters <= 65_536, "more clusters than addresses");
    let mut files = Vec::new();
    for number in 0..clusters {
        let address = format!("https://10.1.{}.{}:6443", number / 256, number % 256);
        let name = format!("compute-{number:05}");
        fs::write(
            folder.join(format!("{name}.kubeconfig")),
            kubeconfig.replace(server, &address),
        )?;
        let mut values = format!("name: {name}\nkubeconfig: {{path: {name}.kubeconfig}}\n");
        write!(
            values,
            "cluster: {{sla: production, region: us-east-1}}
storage:
  credentials:
    externalSecret: {{key: s3/{name}, accessKeyIdProperty: id, secretAccessKeyProperty: secret}}
token: externalSecret
externalSecrets:
  computeStore: {{name: vault, kind: ClusterSecretStore}}
  controlPlaneStore: {{name: vault, kind: ClusterSecretStore}}
labels: {{team: ml-platform}}
"
        )?;
        let file = folder.join(format!("{name}.yaml"));
        fs::write(&file, values)?;
        files.push(file);
    }
    Ok(files)
}

fn render(values: &[PathBuf], directory: &Path) -> Command {
    let mut command = program(env!("CARGO_BIN_EXE_ma-register"), &[]);
    command.args(["render", "--output-dir"]).arg(directory);
    command.arg("-f").args(values);
    command
}

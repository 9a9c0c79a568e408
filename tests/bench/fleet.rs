//! Renders a fleet into a fresh directory, compared with `cp -r`, and into an unchanged one, compared with `cat` of all
//! files that it has to read; and fleets of several sizes, for the memory that a cluster takes. The files are in the build
//! folder, so on a real disk.

mod compare;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use compare::{Report, median, peak_memory, render, time};

/// The number of clusters, and of timed runs.
const FLEETS: [(usize, usize); 3] = [(100, 0), (1_000, 9), (10_000, 0)];

fn main() -> Result<()> {
    let mut report = Report::default();
    let mut smaller = None;
    // Nothing is deleted before the end, since a deletion slows later writes for a while.
    let scratch =
        tempfile::Builder::new().prefix("fleet-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    for (clusters, runs) in FLEETS {
        measure(&scratch.path().join(clusters.to_string()), clusters, runs, &mut report)?;
        let peak = peak_memory()?;
        // The difference leaves out the memory that the program takes without clusters.
        if let Some((fewer, less)) = smaller {
            let each = (peak - less) / (clusters - fewer) as f64;
            report.add(&format!("{clusters} clusters, peak memory of each"), each, 30.0, "KiB");
        }
        smaller = Some((clusters, peak));
    }
    report.finish()
}

fn measure(scratch: &Path, clusters: usize, runs: usize, report: &mut Report) -> Result<()> {
    write_values(scratch, clusters)?;
    let tree = scratch.join("tree");
    time(&mut render_into(scratch, &tree))?;
    let (mut fresh, mut copied) = (Vec::new(), Vec::new());
    let (mut unchanged, mut read) = (Vec::new(), Vec::new());
    for run in 0..runs {
        fresh.push(time(&mut render_into(scratch, &scratch.join(format!("fresh-{run}"))))?);
        copied.push(time(&mut copy(&tree, &scratch.join(format!("copy-{run}"))))?);
        unchanged.push(time(&mut render_into(scratch, &tree))?);
        read.push(time(&mut read_all(scratch))?);
    }
    if runs == 0 {
        return Ok(());
    }
    let fresh = median(fresh)? / median(copied)?;
    let unchanged = median(unchanged)? / median(read)?;
    report.add(&format!("{clusters} clusters, fresh, in `cp -r`"), fresh, 1.5, "times");
    report.add(&format!("{clusters} clusters, unchanged, in `cat`"), unchanged, 1.5, "times");
    Ok(())
}

/// Writes a folder of values without secrets, and their kubeconfigs.
fn write_values(scratch: &Path, clusters: usize) -> Result<()> {
    ensure!(clusters <= 65_536, "more clusters than addresses");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let kubeconfig = fs::read_to_string(fixtures.join("kubeconfigs/eks.kubeconfig"))?;
    let server = kubeconfig.lines().find_map(|line| line.trim().strip_prefix("server: "));
    let server = server.context("the kubeconfig has no server")?;
    fs::create_dir_all(scratch.join("values"))?;
    fs::create_dir_all(scratch.join("kubeconfigs"))?;
    for number in 0..clusters {
        let name = format!("compute-{number:05}");
        let address = format!("https://10.1.{}.{}:6443", number / 256, number % 256);
        let path = format!("kubeconfigs/{name}.kubeconfig");
        fs::write(scratch.join(&path), kubeconfig.replace(server, &address))?;
        let values = format!(
            "name: {name}
kubeconfig: {{path: ../{path}}}
cluster: {{sla: production, region: us-east-1}}
storage:
  collectorSecret: none
  credentials:
    externalSecret: {{key: s3/{name}, accessKeyIdProperty: id, secretAccessKeyProperty: secret}}
token: externalSecret
externalSecrets:
  computeStore: {{name: vault, kind: ClusterSecretStore}}
  controlPlaneStore: {{name: vault, kind: ClusterSecretStore}}
labels: {{team: ml-platform}}
allow: [keys-not-in-pods]
"
        );
        fs::write(scratch.join(format!("values/{name}.yaml")), values)?;
    }
    Ok(())
}

fn render_into(scratch: &Path, directory: &Path) -> Command {
    let mut command = render(&["-f"]);
    command.arg(scratch.join("values")).arg("-o").arg(directory);
    command
}

/// Reads values, kubeconfigs and the tree, as an unchanged run has to.
fn read_all(scratch: &Path) -> Command {
    let mut command = Command::new("sh");
    command.current_dir(scratch);
    command.args(["-c", "find values kubeconfigs tree -type f -print0 | xargs -0 cat"]);
    command
}

fn copy(from: &Path, to: &Path) -> Command {
    let mut command = Command::new("cp");
    command.arg("-r").args([from, to]);
    command
}

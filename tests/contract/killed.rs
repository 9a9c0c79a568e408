//! Killed and concurrent runs leave only whole files, and the next run completes.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Instant;

use serde_json::{Value, json};

use crate::support::{Files, Folder, cluster, differing, files, run, values_file};

const MOMENTS: u32 = 20;
const KEY: &str = "a-secret-access-key";

/// Writes the values of a fleet with secrets.
fn write_fleet(folder: &Folder, name: &str, numbers: Range<usize>, label: &str) {
    let values = |number| {
        let keys = json!({"accessKeyId": "id", "secretAccessKey": KEY});
        cluster(
            number,
            json!({"storage": {"collectorSecret": "none", "credentials": keys}, "labels": {"a": label}}),
        )
    };
    let clusters: Vec<Value> = numbers.map(values).collect();
    folder.write(&format!("{name}/values.yaml"), values_file(&clusters));
}

fn render(folder: &Folder, fleet: &str) -> Command {
    let flags = ["-o", "out", "--prune", "--kustomization", "--plaintext-secrets"];
    let mut command = folder.command(&["render", "-f", fleet]);
    command.args(flags).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Renders a fleet into an empty directory.
fn tree(folder: &Folder, fleet: &str) -> Files {
    run(&mut render(folder, fleet)).succeeds();
    let tree = files(&folder.path("out"));
    fs::remove_dir_all(folder.path("out")).unwrap();
    tree
}

fn is_temporary(path: &str) -> bool {
    path.contains(".ma-register-") && path.ends_with(".tmp")
}

#[test]
fn a_killed_run_leaves_whole_files_and_the_next_one_completes() {
    let folder = Folder::new();
    // Clusters 0 to 3 are removed, 4 to 11 changed, 12 to 15 added.
    write_fleet(&folder, "old", 0..12, "old");
    write_fleet(&folder, "new", 4..16, "new");
    let (old, new) = (tree(&folder, "old"), tree(&folder, "new"));
    let out = folder.path("out");
    let mut unfinished = 0;
    for moment in 0..=MOMENTS {
        run(&mut render(&folder, "old")).succeeds();
        assert_eq!(differing(&files(&out), &old), [""; 0]);
        let start = Instant::now();
        run(&mut folder.command(&["diff", "-f", "new", "-o", "out", "--prune", "-q"]));
        // A render takes about twice as long as `diff`, which writes nothing.
        let length = 2 * start.elapsed();
        let mut killed = render(&folder, "new").spawn().unwrap();
        sleep(length * moment / MOMENTS);
        killed.kill().unwrap();
        killed.wait().unwrap();
        let found = files(&out);
        for (path, text) in &found {
            let is_whole = [old.get(path), new.get(path)].contains(&Some(text));
            assert!(is_whole || is_temporary(path), "{moment}: {path} is broken");
            if path.contains("aws-credentials") || text.contains(KEY) {
                let mode = fs::metadata(out.join(path)).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{moment}: {path}");
            }
        }
        for path in old.keys().filter(|path| new.contains_key(*path)) {
            assert!(found.contains_key(path), "{moment}: {path} is missing");
        }
        unfinished += u32::from(found != old && found != new);
        run(&mut render(&folder, "new")).succeeds();
        assert_eq!(differing(&files(&out), &new), [""; 0], "{moment}");
    }
    assert!(unfinished > 0, "no run was killed while it was writing");
}

#[test]
fn what_killed_runs_left_is_removed() {
    let folder = Folder::new();
    write_fleet(&folder, "fleet", 0..1, "a");
    let tree = tree(&folder, "fleet");
    for place in ["compute/c0", "control-plane/c0", "control-plane"] {
        folder.write(&format!("out/{place}/.ma-register-Ab12cd.tmp"), "half of a fi");
        run(&mut render(&folder, "fleet")).succeeds();
        assert_eq!(differing(&files(&folder.path("out")), &tree), [""; 0]);
    }
}

#[test]
fn of_two_runs_at_once_one_tree_results() {
    let folder = Folder::new();
    write_fleet(&folder, "one", 0..6, "one");
    write_fleet(&folder, "other", 3..9, "other");
    let trees = ["one", "other"].map(|fleet| tree(&folder, fleet));
    for round in 0..18 {
        if round % 3 == 0 {
            let _ = fs::remove_dir_all(folder.path("out"));
        }
        let mut runs = ["one", "other"];
        runs.rotate_left(round % 2);
        for mut child in runs.map(|fleet| render(&folder, fleet).spawn().unwrap()) {
            assert!(child.wait().unwrap().success(), "round {round}");
        }
        assert!(trees.contains(&files(&folder.path("out"))), "round {round}");
    }
}

//! Several runs into one directory at once: one waits for the other.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Stdio};

use rustix::fs::{FlockOperation, flock};

use super::{cluster_values, fleet, shell_command, texts};
use crate::support::Sandbox;

fn start(sandbox: &Sandbox, values: &str) -> Child {
    let mut command = sandbox.command();
    command
        .args(["render", "-f", values, "--kubeconfig", "kubeconfig"])
        .args(["-o", "one/out", "--prune"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn end(mut run: Child) -> (bool, String) {
    let mut messages = String::new();
    let mut stderr = run.stderr.take().unwrap();
    stderr.read_to_string(&mut messages).unwrap();
    (run.wait().unwrap().success(), messages)
}

#[test]
fn the_second_of_two_runs_waits_and_says_so() {
    let sandbox = Sandbox::with_cluster();
    let out = sandbox.path().join("one/out");
    fs::create_dir_all(&out).unwrap();
    let lock = File::open(&out).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let mut run = start(&sandbox, "c0.yaml");
    let mut stderr = BufReader::new(run.stderr.take().unwrap());
    let mut note = String::new();
    stderr.read_line(&mut note).unwrap();
    assert_eq!(
        note,
        "note: waiting for another run that writes into `one/out`\n"
    );
    assert!(run.try_wait().unwrap().is_none());
    assert_eq!(sandbox.files("one/out"), [""; 0]);
    // Nothing of it reads the directory before, so this is what it finds.
    sandbox.write("one/out/compute/c0/.ma-register-0.tmp", "");
    flock(&lock, FlockOperation::Unlock).unwrap();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("7 added"), "{rest}");
    assert!(!rest.contains("waiting"), "{rest}");
    assert!(run.wait().unwrap().success());
    assert_eq!(sandbox.files("one/out").len(), 7);
}

/// The directory that was waited for may be gone, or another one.
#[test]
fn a_directory_that_goes_while_it_is_waited_for_is_made_anew() {
    for moves in [true, false] {
        let sandbox = Sandbox::with_cluster();
        let out = sandbox.path().join("one/out");
        fs::create_dir_all(&out).unwrap();
        let lock = File::open(&out).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        let mut run = start(&sandbox, "c0.yaml");
        let mut stderr = BufReader::new(run.stderr.take().unwrap());
        stderr.read_line(&mut String::new()).unwrap();
        if moves {
            fs::rename(&out, sandbox.path().join("moved")).unwrap();
            fs::create_dir(&out).unwrap();
        } else {
            fs::remove_dir_all(sandbox.path().join("one")).unwrap();
        }
        drop(lock);
        assert!(run.wait().unwrap().success());
        assert_eq!(sandbox.files("one/out").len(), 7);
        assert_eq!(sandbox.files("moved"), [""; 0]);
    }
}

/// Fleets that overlap, with other texts, so that each run adds, changes and removes.
#[test]
fn of_two_runs_at_once_both_succeed_and_one_tree_results() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..15).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fleet(&sandbox, "one.yaml", names.split_at(10).0, "");
    fleet(
        &sandbox,
        "other.yaml",
        names.split_at(5).1,
        "labels: {team: ml}\n",
    );
    let start = |file: &str| {
        let mut command = sandbox.command();
        command
            .args(["render", "-f", file, "-o", "one/out"])
            .args(["--prune", "--kustomization"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let tree_of = |file: &str| {
        let (succeeds, messages) = end(start(file));
        assert!(succeeds, "{messages}");
        let tree = texts(&sandbox.path().join("one/out"));
        fs::remove_dir_all(sandbox.path().join("one")).unwrap();
        tree
    };
    let expected = [tree_of("one.yaml"), tree_of("other.yaml")];
    assert_ne!(expected[0], expected[1]);
    let out = sandbox.path().join("one/out");
    for round in 0..60 {
        // From nothing, and over one of the two trees.
        match round % 3 {
            0 => drop(fs::remove_dir_all(sandbox.path().join("one"))),
            1 => assert!(end(start("one.yaml")).0),
            _ => assert!(end(start("other.yaml")).0),
        }
        let runs = match round % 2 {
            0 => [start("one.yaml"), start("other.yaml")],
            _ => [start("other.yaml"), start("one.yaml")],
        };
        for run in runs {
            let (succeeds, messages) = end(run);
            assert!(succeeds, "round {round}: {messages}");
        }
        let result = texts(&out);
        assert!(expected.contains(&result), "{round}: {:?}", result.keys());
    }
}

/// One that fails removes what it has made, and the other makes it again.
#[test]
fn a_run_beside_one_that_fails_succeeds() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("bad.yaml", cluster_values("c1", "token: none\n"));
    for round in 0..40 {
        drop(fs::remove_dir_all(sandbox.path().join("one")));
        let failing = full_disk(&sandbox, "bad.yaml");
        let good = start(&sandbox, "c0.yaml");
        let (succeeds, messages) = end(good);
        assert!(succeeds, "round {round}: {messages}");
        let (succeeds, messages) = end(failing);
        assert!(!succeeds, "round {round}: {messages}");
        assert_eq!(sandbox.files("one/out").len(), 7, "round {round}");
        let is_there = |path: &str| Path::new(&sandbox.path().join(path)).exists();
        assert!(!is_there("one/out/compute/c1"), "round {round}");
    }
}

/// A run that fails at its first write, after it has made the directory.
fn full_disk(sandbox: &Sandbox, values: &str) -> Child {
    let arguments = [
        "render",
        "-f",
        values,
        "--kubeconfig",
        "kubeconfig",
        "-o",
        "one/out",
    ];
    let mut command = shell_command(sandbox, "trap '' XFSZ; ulimit -f 0", &arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

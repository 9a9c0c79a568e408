//! What runs that were killed have left, and what only looks like it.

use std::fs;
use std::os::unix::fs::symlink;

use super::{cluster, tree};
use crate::support::Sandbox;

#[test]
fn temporaries_of_killed_runs_are_removed() {
    let sandbox = Sandbox::with_cluster();
    cluster(&sandbox, "c1", &[]).succeeds();
    cluster(&sandbox, "c0", &[]).succeeds();
    let before = tree(&sandbox.path().join("out"));
    for place in [
        ".ma-register-0.tmp",
        ".ma-register-aB3dEf.tmp",
        "compute/.ma-register-1.tmp",
        "control-plane/.ma-register-2.tmp",
        "compute/c0/.ma-register-3.tmp",
        "compute/c1/.ma-register-3.tmp",
        "control-plane/c1/.ma-register-3.tmp",
        ".ma-register-4.tmp/10-secret.yaml",
        "compute/.ma-register-5.tmp/10-secret.yaml",
        "compute/.ma-register-5.tmp/20-secret.yaml",
        "control-plane/c1/.ma-register-6.tmp/10-secret.yaml",
    ] {
        sandbox.write(&format!("out/{place}"), "half a sec");
    }
    fs::create_dir(sandbox.path().join("out/compute/.ma-register-7.tmp")).unwrap();
    // The other side's, too.
    let run = cluster(&sandbox, "c0", &["--side", "compute"]);
    run.succeeds();
    assert!(!run.stderr.contains(".tmp"), "{}", run.stderr);
    assert_eq!(tree(&sandbox.path().join("out")), before);
}

#[test]
fn what_only_looks_like_a_temporary_stays() {
    let sandbox = Sandbox::with_cluster();
    cluster(&sandbox, "c0", &[]).succeeds();
    for place in [
        "ma-register-1.tmp",
        ".ma-register-1.tmp.yaml",
        ".ma-register-1",
        ".ma-registers.tmp",
        "mine/.ma-register-1.tmp",
        "compute/c0/deeper/.ma-register-1.tmp",
        "compute/.ma-register-2.tmp/folder/file",
    ] {
        sandbox.write(&format!("out/{place}"), "mine");
    }
    let outside = sandbox.path().join("outside");
    fs::create_dir(&outside).unwrap();
    sandbox.write("outside/.ma-register-1.tmp", "mine");
    symlink(
        &outside,
        sandbox.path().join("out/compute/.ma-register-3.tmp"),
    )
    .unwrap();
    symlink(&outside, sandbox.path().join("out/control-plane/c1")).unwrap();
    let before = tree(&sandbox.path().join("out"));
    cluster(&sandbox, "c0", &[]).succeeds();
    assert_eq!(tree(&sandbox.path().join("out")), before);
}

/// A name that is taken by something that isn't removed is passed over.
#[test]
fn temporary_names_that_are_taken_are_in_nobodys_way() {
    let sandbox = Sandbox::with_cluster();
    for number in 0..20 {
        for folder in ["out/compute", "out/control-plane"] {
            let place = format!("{folder}/.ma-register-{number}.tmp/folder/file");
            sandbox.write(&place, "mine");
        }
    }
    cluster(&sandbox, "c0", &["--prune"]).succeeds();
    cluster(&sandbox, "c1", &["--prune"]).succeeds();
    assert_eq!(sandbox.files("out").len(), 7 + 40);
}

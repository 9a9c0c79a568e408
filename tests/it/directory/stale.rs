//! Generated files that a run doesn't yield any more: named and left, or removed with `--prune`.

use std::fs;
use std::os::unix::fs::symlink;

use super::{HEADER, cluster, tree};
use crate::support::{Run, Sandbox, values};

fn notes(run: &Run) -> Vec<&str> {
    let is_note = |line: &&str| line.starts_with("note");
    run.stderr.lines().filter(is_note).collect()
}

/// A sandbox with a directory `out` of `c0`, whose values now ask for less.
fn narrowed() -> Sandbox {
    let sandbox = Sandbox::with_cluster();
    let run = sandbox.render_into("out", &[]);
    assert_eq!(notes(&run), [""; 0]);
    let narrow = values("token: none\nserviceAccount: {scope: namespace}\n");
    sandbox.write("c0.yaml", narrow);
    sandbox
}

const GONE: [&str; 2] = [
    "compute/c0/20-clusterrole-ray-manager.yaml",
    "compute/c0/30-clusterrolebinding-ray-manager-binding.yaml",
];

#[test]
fn files_that_are_no_longer_rendered_are_named_and_left() {
    let sandbox = narrowed();
    sandbox.write("out/compute/c0/own.yaml", "# someone else's\n");
    let before = sandbox.files("out");
    let run = sandbox.render_into("out", &[]);
    run.succeeds();
    assert_eq!(
        notes(&run),
        [format!(
            "note: not rendered by this run and left: `out/{}`, `out/{}`; `--prune` removes the files, and their objects have to be deleted from the clusters by you",
            GONE[0], GONE[1]
        )]
    );
    let after = sandbox.files("out");
    assert!(before.iter().all(|file| after.contains(file)), "{after:?}");
}

#[test]
fn pruning_removes_them_and_nothing_else() {
    let sandbox = narrowed();
    let foreign = [
        ("own.yaml", "# someone else's\n".to_owned()),
        ("later.yaml", format!("---\n{HEADER}")),
        ("cut.yaml", HEADER.trim_end().to_owned()),
        ("notes.md", HEADER.to_owned()),
        ("deeper/ours.yaml", HEADER.to_owned()),
    ];
    for (name, text) in &foreign {
        sandbox.write(&format!("out/compute/c0/{name}"), text);
    }
    let outside = sandbox.write("outside.yaml", HEADER);
    symlink(&outside, sandbox.path().join("out/compute/c0/link.yaml")).unwrap();
    let mut expected = sandbox.files("out");
    let run = sandbox.render_into("out", &["--prune"]);
    run.succeeds();
    assert_eq!(notes(&run), [""; 0]);
    assert!(run.stderr.contains(" 2 removed"), "{}", run.stderr);
    expected.retain(|file| !GONE.contains(&file.as_str()));
    expected.extend(["compute/c0/20-role-ray-manager.yaml".to_owned()]);
    expected.extend(["compute/c0/30-rolebinding-ray-manager-binding.yaml".to_owned()]);
    expected.sort();
    assert_eq!(sandbox.files("out"), expected);
    for (name, text) in foreign {
        assert_eq!(sandbox.read(&format!("out/compute/c0/{name}")), text);
    }
    assert_eq!(fs::read_to_string(outside).unwrap(), HEADER);
}

#[test]
fn clusters_that_are_gone_are_named_by_their_folders() {
    let sandbox = Sandbox::with_cluster();
    for number in 0..13 {
        cluster(&sandbox, &format!("c{number}"), &[]).succeeds();
    }
    let run = cluster(&sandbox, "c0", &[]);
    let notes = notes(&run);
    assert_eq!(notes.len(), 1, "{notes:?}");
    let listed = "`out/compute/c1`, `out/compute/c10`, `out/compute/c11`, `out/compute/c12`, `out/compute/c2`, `out/compute/c3`, `out/compute/c4`, `out/compute/c5`, `out/compute/c6`, `out/compute/c7` and 14 more; `--prune`";
    assert!(notes[0].contains(listed), "{}", notes[0]);
    // One side alone isn't asked about the other.
    let run = cluster(&sandbox, "c0", &["--side", "control-plane"]);
    assert!(!run.stderr.contains("compute"), "{}", run.stderr);
}

#[test]
fn pruning_removes_the_folders_of_clusters_that_are_gone() {
    let sandbox = Sandbox::with_cluster();
    for name in ["c0", "c1", "c2"] {
        cluster(&sandbox, name, &[]).succeeds();
    }
    sandbox.write("out/compute/c1/mine.txt", "mine");
    sandbox.write("out/compute/of-mine/kustomization.yaml", "mine");
    fs::create_dir(sandbox.path().join("out/compute/empty")).unwrap();
    let run = cluster(&sandbox, "c0", &["--prune", "--side", "compute"]);
    assert!(run.stderr.contains(" 10 removed"), "{}", run.stderr);
    let out = sandbox.path().join("out");
    for (folder, is_there) in [
        ("compute/c0", true),
        ("compute/c1", true),
        ("compute/c2", false),
        ("compute/of-mine", true),
        ("compute/empty", true),
        ("control-plane/c1", true),
        ("control-plane/c2", true),
    ] {
        assert_eq!(out.join(folder).exists(), is_there, "{folder}");
    }
    assert_eq!(sandbox.files("out/compute/c1"), ["mine.txt"]);
    assert_eq!(sandbox.files("out/control-plane/c2").len(), 2);
}

/// What isn't plainly a folder of this program is passed over.
#[test]
fn odd_folders_are_left_alone() {
    let sandbox = Sandbox::with_cluster();
    cluster(&sandbox, "c1", &[]).succeeds();
    let out = sandbox.path().join("out");
    let outside = sandbox.path().join("outside");
    fs::rename(out.join("compute/c1"), &outside).unwrap();
    symlink(&outside, out.join("compute/c1")).unwrap();
    sandbox.write("out/compute/file", HEADER);
    symlink("nothing", out.join("compute/dangling")).unwrap();
    symlink(".", out.join("control-plane/loop")).unwrap();
    fs::remove_dir_all(out.join("control-plane/c1")).unwrap();
    let before = tree(&out);
    let outside_before = tree(&outside);
    let run = cluster(&sandbox, "c0", &["--prune"]);
    run.succeeds();
    assert!(run.stderr.contains(" 0 removed"), "{}", run.stderr);
    fs::remove_dir_all(out.join("compute/c0")).unwrap();
    fs::remove_dir_all(out.join("control-plane/c0")).unwrap();
    assert_eq!(tree(&out), before);
    assert_eq!(tree(&outside), outside_before);
}

#[test]
fn a_failed_run_prunes_nothing() {
    let sandbox = narrowed();
    sandbox.write("out/control-plane/c0/30-cluster-c0.yaml", "mine");
    let before = tree(sandbox.path());
    let run = sandbox.render_into("out", &["--prune", "--kustomization"]);
    run.fails_with(&["30-cluster-c0.yaml", "not made by this program"]);
    assert_eq!(tree(sandbox.path()), before);
}

#[test]
fn pruning_needs_a_directory() {
    let sandbox = Sandbox::with_cluster();
    for flag in ["--prune", "--kustomization"] {
        sandbox.render(&[flag]).fails_with(&["--output-dir"]);
    }
}

//! `--cluster`: some of the clusters that the values files have.

use super::{cluster, clusters, render, with_clusters};
use crate::support::Sandbox;

const CONTROL_PLANE: [&str; 2] = ["--side", "control-plane"];

/// Three clusters in one file, and each in its own.
fn with_all() -> Sandbox {
    let sandbox = with_clusters(&["a", "b", "c"]);
    let documents = ["c", "a", "b"].map(|name| cluster(name, ""));
    sandbox.write("clusters/all.yaml", documents.join("---\n"));
    sandbox
}

#[test]
fn only_those_that_are_named_are_rendered() {
    let sandbox = with_all();
    let a = render(&sandbox, &["a"], &CONTROL_PLANE);
    let chosen = |names: &[&str]| {
        let flags = [&CONTROL_PLANE[..], &["--cluster"], names].concat();
        render(&sandbox, &["all"], &flags)
    };
    assert_eq!(chosen(&["a"]), a);
    assert_eq!(clusters(chosen(&["b", "c"]).succeeds_quietly()), ["b", "c"]);
    assert_eq!(chosen(&["c", "--cluster", "b"]), chosen(&["b", "c"]));
    assert_eq!(chosen(&["a", "a"]), a);
    // Flags about one cluster are about that one.
    let token = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln";
    sandbox.write(
        "clusters/all.yaml",
        sandbox
            .read("clusters/all.yaml")
            .replace("token: none\n", ""),
    );
    let mut command = sandbox.command();
    command.args([
        "render",
        "-f",
        "clusters/all.yaml",
        "--side",
        "control-plane",
        "--token-file",
        "-",
    ]);
    let all = crate::support::run(&mut command, token);
    all.fails_with(&[
        "`--token-file`: it is the token of one cluster, and 3 are read: choose it by `--cluster`",
    ]);
    let one = crate::support::run(command.args(["--cluster", "b"]), token);
    // It is another service account's, or none's.
    one.fails_with(&["error[token-wrong-subject]"]);
}

#[test]
fn one_that_is_not_there_suggests_the_right_one() {
    let sandbox = with_clusters(&["eu-west", "us-east"]);
    let flags = [&CONTROL_PLANE[..], &["--cluster", "us-east", "eu-wst"]].concat();
    let run = render(&sandbox, &["eu-west", "us-east"], &flags);
    run.fails_with(&[
        "`--cluster`: no values file has the name `eu-wst` (did you mean `eu-west`?); there are `eu-west`, `us-east`",
    ]);
}

#[test]
fn what_can_not_be_read_may_be_the_one() {
    let sandbox = with_all();
    sandbox.write("clusters/b.yaml", "name: [b\n");
    for name in ["a", "b"] {
        let flags = [&CONTROL_PLANE[..], &["--cluster", name]].concat();
        let run = render(&sandbox, &["a", "b"], &flags);
        run.fails_with(&["failed to read the values file `clusters/b.yaml`"]);
        assert!(!run.stderr.contains("--cluster"), "{}", run.stderr);
    }
}

#[test]
fn the_files_of_others_are_left() {
    let sandbox = with_all();
    render(&sandbox, &["all"], &["-o", "out"]).succeeds();
    let before = sandbox.files("out");
    let flags = ["-o", "out", "--cluster", "a"];
    render(&sandbox, &["all"], &flags).succeeds();
    assert_eq!(sandbox.files("out"), before);
    let run = render(
        &sandbox,
        &["all"],
        &["-o", "out", "--cluster", "a", "--prune"],
    );
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("'--prune'"), "{}", run.stderr);
    assert_eq!(sandbox.files("out"), before);
}

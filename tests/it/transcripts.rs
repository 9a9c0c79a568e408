//! Whole transcripts of each command: what is typed, what comes back, and the exit code. `inspect`,
//! `runbook` and what renders have their own.

use std::os::unix::fs::symlink;

use insta::assert_snapshot;

use crate::support::{Sandbox, project};

/// What comes of command lines, run one after the other in a folder with the fixtures.
fn transcript(lines: &[&str]) -> String {
    let sandbox = Sandbox::new();
    symlink(project().join("fixtures"), sandbox.path().join("fixtures")).unwrap();
    let mut text = String::new();
    for line in lines {
        let run = sandbox.run(line.split(' '));
        text.push_str(&format!(
            "$ ma-register {line}\n{}{}",
            run.stdout, run.stderr
        ));
        if run.code != 0 {
            text.push_str(&format!("[exit code {}]\n", run.code));
        }
        text.push('\n');
    }
    text.replace(&sandbox.path().to_string_lossy()[..], "~")
}

#[test]
fn init() {
    assert_snapshot!(transcript(&[
        "init --kubeconfig fixtures/kubeconfigs/eks.kubeconfig",
        "init --kubeconfig fixtures/kubeconfigs/k3d.kubeconfig --name lab --schema ../schema.json",
        "init --kubeconfig fixtures/kubeconfigs/gke-dns.kubeconfig",
    ]));
}

#[test]
fn init_errors() {
    assert_snapshot!(transcript(&[
        "init",
        "init --kubeconfig none",
        "init --kubeconfig fixtures/kubeconfigs/several-contexts.kubeconfig",
        "init --kubeconfig fixtures/kubeconfigs/several-contexts.kubeconfig --context stagin",
        "init --kubeconfig fixtures/kubeconfigs/seed.kubeconfig --name Compute_0",
        "init --kubeconfig fixtures/values/seed.yaml",
        "init --kubeconfig fixtures",
        "init --kubeconfg a",
    ]));
}

#[test]
fn schema() {
    assert_snapshot!(transcript(&[
        "schema",
        "schema values.yaml",
        "schema --flet"
    ]));
}

#[test]
fn schema_of_a_fleet() {
    assert_snapshot!(transcript(&["schema --fleet"]));
}

#[test]
fn templates() {
    assert_snapshot!(transcript(&[
        "templates own",
        "templates own",
        "templates fixtures/README.md",
        "templates",
        "render -f fixtures/values/eks.yaml --side control-plane --templates none",
    ]));
}

#[test]
fn completions() {
    assert_snapshot!(transcript(&[
        "completions bash",
        "completions",
        "completions bsh"
    ]));
}

#[test]
fn man() {
    assert_snapshot!(transcript(&[
        "man",
        "man --output-dir man1",
        "man -o man1 --outptu a",
        "man -o fixtures/README.md",
    ]));
}

#[test]
fn what_is_misspelt() {
    assert_snapshot!(transcript(&[
        "rendr -f c0.yaml",
        "render --vales c0.yaml",
        "render c0.yaml",
        "render -f c0.yaml --side controlplane",
        "render -f fixtures/values/seed.yaml --side compute --context edge",
        "render -f fixtures/fleet/clusters/us-east.yaml --side compute",
        "help rendr",
    ]));
}

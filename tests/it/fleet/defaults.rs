//! Values that are merged under those of every cluster.

use super::{CONTROL_PLANE, cluster, render, with_clusters};
use crate::objects::{object, yaml};
use crate::support::{Sandbox, fixture_bytes, fixture_text, kubeconfig};

/// Renders both sides of the one cluster `a`.
fn render_a(sandbox: &Sandbox, defaults: &str) -> crate::support::Run {
    sandbox.write("common/defaults.yaml", defaults);
    let flags = ["--side", "both", "--defaults", "common/defaults.yaml"];
    render(sandbox, &["a"], &flags)
}

#[test]
fn mappings_merge_lists_are_replaced_and_null_removes() {
    let sandbox = with_clusters(&["a"]);
    sandbox.write(
        "clusters/a.yaml",
        "name: a
kubeconfig: {path: a.kubeconfig}
cluster: {zone: z, skus: [{cpu: 2}], sla: null}
labels: {team: b, gone: null}
storage: {extraEnv: {B: b}}
",
    );
    let run = render_a(
        &sandbox,
        "cluster: {sla: production, region: r, skus: [{cpu: 1}, {cpu: 1}]}
labels: {team: a, gone: x, kept: y}
storage: {credentials: workloadIdentity, extraEnv: {A: a, B: a}}
token: none
",
    );
    let stream = run.succeeds_quietly();
    let spec = &object(stream, "Cluster", "a")["spec"];
    assert_eq!(spec["region"], yaml("r"));
    assert_eq!(spec["zone"], yaml("z"));
    assert!(spec.get("sla").is_none());
    assert_eq!(spec["kubernetes"]["skus"], yaml("[{cpu: 2}]"));
    let labels = &object(stream, "Cluster", "a")["metadata"]["labels"];
    assert_eq!(labels["team"], yaml("b"));
    assert_eq!(labels["kept"], yaml("'y'"));
    assert!(labels.get("gone").is_none());
    let data = &object(stream, "ConfigMap", "michelangelo-config")["data"];
    assert_eq!(data["A"], yaml("a"));
    assert_eq!(data["B"], yaml("b"));
}

#[test]
fn null_removes_a_default_and_is_refused_where_there_is_none() {
    let sandbox = with_clusters(&["a"]);
    sandbox.write("clusters/a.yaml", cluster("a", "labels: {x: null}\n"));
    render_a(&sandbox, "labels: {x: 'y'}\n").succeeds_quietly();
    render_a(&sandbox, "labels: {z: 'y'}\n").fails_with(&[
        "`clusters/a.yaml`",
        "`labels.x`",
        "found nothing",
    ]);
}

#[test]
fn paths_are_relative_to_the_file_that_they_stand_in() {
    let sandbox = with_clusters(&["a"]);
    sandbox.write(
        "clusters/a.yaml",
        "name: a\nstorage: {credentials: {secretAccessKey: {file: key}}}\n",
    );
    sandbox.write("clusters/key", "the-key");
    sandbox.write("common/id", "the-id");
    sandbox.write("common/k", kubeconfig("server: https://203.0.113.7"));
    sandbox.write("common/ca.crt", fixture_bytes("certificates/bundle.crt"));
    sandbox.write("common/token", fixture_text("tokens/long-lived.token"));
    let run = render_a(
        &sandbox,
        "kubeconfig: {path: k, certificateAuthority: ca.crt}
storage: {credentials: {accessKeyId: {file: id}}}
token: {file: token}
",
    );
    let stream = run.succeeds_quietly();
    let data = &object(stream, "ConfigMap", "michelangelo-config")["data"];
    assert_eq!(data["AWS_ACCESS_KEY_ID"], yaml("the-id"));
    assert_eq!(data["AWS_SECRET_ACCESS_KEY"], yaml("the-key"));
}

#[test]
fn a_mistake_in_the_defaults_is_told_once_and_as_theirs() {
    let sandbox = with_clusters(&["a", "b"]);
    sandbox.write("defaults.yaml", "labels:\n  x: 1\ncolour: red\n");
    let flags = [&CONTROL_PLANE[..], &["--defaults", "defaults.yaml"]].concat();
    let run = render(&sandbox, &["a", "b"], &flags);
    run.fails_with(&[
        "failed to read the defaults `defaults.yaml`",
        "line 2: `labels.x`",
        "line 3: `colour`",
    ]);
    assert_eq!(run.stderr.matches("labels.x").count(), 1, "{}", run.stderr);
    // One that a cluster makes itself is the cluster's.
    sandbox.write("defaults.yaml", "labels: {x: 'y'}\n");
    sandbox.write("clusters/b.yaml", cluster("b", "labels: {x: 2}\n"));
    let run = render(&sandbox, &["a", "b"], &flags);
    run.fails_with(&["failed to read the values file `clusters/b.yaml`", "1 of 2"]);
}

#[test]
fn a_value_that_cannot_be_used_may_be_one_of_the_defaults() {
    let sandbox = with_clusters(&["a"]);
    render_a(&sandbox, "cluster: {region: ''}\n").fails_with(&[
        "failed to use the values file `clusters/a.yaml` with the defaults `common/defaults.yaml`\n",
        "`cluster.region`",
    ]);
}

#[test]
fn a_choice_that_both_make_says_where_it_comes_from() {
    let sandbox = with_clusters(&["a"]);
    sandbox.write(
        "clusters/a.yaml",
        cluster("a", "").replace("token: none", "token: {env: TOKEN}"),
    );
    render_a(&sandbox, "token: {file: token}\n").fails_with(&[
        "`token`",
        "exactly one",
        "`common/defaults.yaml`",
        "`null` removes one",
    ]);
    sandbox.write(
        "clusters/a.yaml",
        cluster("a", "").replace("token: none", "token: {env: TOKEN, file: null}"),
    );
    render_a(&sandbox, "token: {file: token}\n").fails_with(&["`TOKEN` is not set"]);
}

#[test]
fn defaults_are_one_mapping_without_a_name() {
    let sandbox = with_clusters(&["a"]);
    for (defaults, part) in [
        ("name: a\n", "`name`"),
        ("token: none\n---\nlabels: {}\n", "2 documents"),
        ("- token\n", "no mapping"),
        ("a: [", "not valid YAML"),
    ] {
        render_a(&sandbox, defaults).fails_with(&["`common/defaults.yaml`", part]);
    }
    render_a(&sandbox, "# nothing yet\n").succeeds_quietly();
    let flags = [&CONTROL_PLANE[..], &["--defaults", "missing.yaml"]].concat();
    render(&sandbox, &["a"], &flags).fails_with(&["`missing.yaml`", "No such file"]);
}

#[test]
fn a_secret_in_the_clear_in_the_defaults_is_in_git_already() {
    let sandbox = with_clusters(&["a"]);
    sandbox.write(
        "clusters/a.yaml",
        "name: a\nkubeconfig: {path: a.kubeconfig}\n",
    );
    sandbox.write(
        "d.yaml",
        "storage: {credentials: {accessKeyId: id, secretAccessKey: key}}\ntoken: none\n",
    );
    render(&sandbox, &["a"], &["-o", "out", "--defaults", "d.yaml"]).succeeds();
}

//! Several clusters in a run.

mod chosen;
mod defaults;
mod problems;
mod progress;

use crate::support::{Run, Sandbox, kubeconfig, values};

/// A values file of a cluster with a kubeconfig of its own beside it, and further lines.
pub fn cluster(name: &str, further: &str) -> String {
    values(&format!(
        "kubeconfig: {{path: {name}.kubeconfig}}\ntoken: none\n{further}"
    ))
    .replace("name: c0", &format!("name: {name}"))
}

/// A folder `clusters` with a values file and a kubeconfig for each of the clusters.
pub fn with_clusters(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    for (position, name) in names.iter().enumerate() {
        sandbox.write(&format!("clusters/{name}.yaml"), cluster(name, ""));
        let server = format!("server: https://203.0.113.{}:6443", position + 1);
        sandbox.write(&format!("clusters/{name}.kubeconfig"), kubeconfig(&server));
    }
    sandbox
}

/// Renders values files of the folder `clusters`, with further arguments.
pub fn render(sandbox: &Sandbox, names: &[&str], arguments: &[&str]) -> Run {
    let files = names.iter().map(|name| format!("clusters/{name}.yaml"));
    let begin = ["render", "-f"].map(str::to_owned).into_iter();
    let arguments = arguments.iter().map(|&argument| argument.to_owned());
    sandbox.run(begin.chain(files).chain(arguments))
}

const CONTROL_PLANE: [&str; 2] = ["--side", "control-plane"];

/// The names of a stream's Clusters.
fn clusters(stream: &str) -> Vec<&str> {
    let documents = stream.split("---\n");
    documents
        .filter(|document| document.contains("kind: Cluster\n"))
        .filter_map(|document| document.split_once("  name: \"")?.1.split_once('"'))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn clusters_come_out_by_name_whatever_the_order_of_the_files() {
    let sandbox = with_clusters(&["a", "b", "c", "d", "e"]);
    let sorted = render(&sandbox, &["a", "b", "c", "d", "e"], &CONTROL_PLANE);
    assert_eq!(
        clusters(sorted.succeeds_quietly()),
        ["a", "b", "c", "d", "e"]
    );
    let other = render(&sandbox, &["d", "a", "e", "c", "b"], &CONTROL_PLANE);
    assert_eq!(other, sorted);
    let flags = ["-f", "clusters/e.yaml", "-f", "clusters/c.yaml"];
    let flags = [&CONTROL_PLANE[..], &flags].concat();
    assert_eq!(render(&sandbox, &["d", "a", "b"], &flags), sorted);
}

#[test]
fn a_file_may_hold_several_clusters() {
    let sandbox = with_clusters(&["a", "b", "c"]);
    let separate = render(&sandbox, &["a", "b", "c"], &CONTROL_PLANE);
    let documents = ["c", "a", "b"].map(|name| cluster(name, ""));
    sandbox.write(
        "clusters/all.yaml",
        format!("# all\n---\n{}---\n# none\n", documents.join("---\n")),
    );
    assert_eq!(render(&sandbox, &["all"], &CONTROL_PLANE), separate);

    // On standard input paths are absolute.
    let folder = format!("path: {}/", sandbox.path().join("clusters").display());
    let input = sandbox.read("clusters/all.yaml").replace("path: ", &folder);
    let run = sandbox.run_with_input(["render", "--side", "control-plane", "-f", "-"], &input);
    assert_eq!(run, separate);
}

#[test]
fn each_cluster_has_its_folder_on_both_sides() {
    let sandbox = with_clusters(&["a", "b"]);
    render(&sandbox, &["a", "b"], &["-o", "out"]).succeeds();
    let both = sandbox.files("out");
    render(&sandbox, &["a"], &["-o", "alone"]).succeeds();
    render(&sandbox, &["b"], &["-o", "alone"]).succeeds();
    assert_eq!(sandbox.files("alone"), both);
    for file in both {
        let (one, other) = (format!("out/{file}"), format!("alone/{file}"));
        assert_eq!(sandbox.read(&one), sandbox.read(&other), "{file}");
    }
}

#[test]
fn one_stream_is_for_one_compute_cluster() {
    let sandbox = with_clusters(&["a", "b"]);
    for side in ["compute", "both"] {
        render(&sandbox, &["a", "b"], &["--side", side]).fails_with(&[
            "compute side of 2 clusters",
            "one by one",
            "`--output-dir DIR`",
        ]);
    }
}

#[test]
fn an_object_of_the_control_plane_belongs_to_one_cluster() {
    let sandbox = with_clusters(&["a", "b"]);
    let template =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared, namespace: default}\n";
    sandbox.write("own/control-plane/40-shared.yaml.j2", template);
    for flags in [&["--side", "control-plane"], &["-o", "out"]] {
        let flags = [&flags[..], &["--templates", "own"]].concat();
        render(&sandbox, &["a", "b"], &flags).fails_with(&[
            "`a`",
            "`b`",
            "`ConfigMap` `shared` of namespace `default`",
        ]);
    }
    assert!(!sandbox.path().join("out").exists());
    // Each compute cluster has its own.
    sandbox.write("each/compute/45-shared.yaml.j2", template);
    render(&sandbox, &["a", "b"], &["-o", "out", "--templates", "each"]).succeeds();
}

#[test]
fn clusters_share_a_kubeconfig_by_their_contexts() {
    let sandbox = Sandbox::new();
    let shared = "apiVersion: v1
kind: Config
current-context: one
contexts:
  - {name: one, context: {cluster: one}}
  - {name: two, context: {cluster: two}}
clusters:
  - {name: one, cluster: {server: https://203.0.113.1, CA}}
  - {name: two, cluster: {server: https://203.0.113.2, CA}}
";
    let kubeconfig = shared.replace("CA", &crate::support::ca_line());
    sandbox.write("kubeconfig", &kubeconfig);
    for (name, context) in [("a", "one"), ("b", "two")] {
        let values = values(&format!(
            "kubeconfig: {{context: {context}}}\ntoken: none\n"
        ));
        sandbox.write(&format!("clusters/{name}.yaml"), values.replace("c0", name));
    }
    let flags = [&CONTROL_PLANE[..], &["--kubeconfig", "kubeconfig"]].concat();
    let by_flag = render(&sandbox, &["a", "b"], &flags);
    let stream = by_flag.succeeds_quietly();
    assert!(stream.contains("203.0.113.1\"") && stream.contains("203.0.113.2\""));

    // It is read once, so standard input will do.
    let files = ["-f", "clusters/a.yaml", "clusters/b.yaml"];
    let arguments = [
        &["render"],
        &CONTROL_PLANE[..],
        &files,
        &["--kubeconfig", "-"],
    ]
    .concat();
    assert_eq!(sandbox.run_with_input(arguments, &kubeconfig), by_flag);
}

#[test]
fn flags_about_one_cluster_are_refused_where_they_cannot_mean_all() {
    let sandbox = with_clusters(&["a", "b"]);
    sandbox.write("kubeconfig", kubeconfig("server: https://203.0.113.9"));
    for name in ["a", "b"] {
        let values = values("token: none\n").replace("c0", name);
        sandbox.write(&format!("clusters/plain-{name}.yaml"), values);
    }
    let plain = ["plain-a", "plain-b"];
    render(
        &sandbox,
        &plain,
        &["-o", "out", "--kubeconfig", "kubeconfig"],
    )
    .fails_with(&[
        "`--kubeconfig`",
        "2 clusters",
        "`kubeconfig.context`",
        "`a`, `b`",
    ]);
    render(&sandbox, &plain, &["-o", "out", "--context", "ctx"]).fails_with(&[
        "`--context`",
        "2 clusters",
        "`kubeconfig.path`",
    ]);
    render(
        &sandbox,
        &["a", "b"],
        &["-o", "out", "--token-file", "token"],
    )
    .fails_with(&["`--token-file`", "one cluster", "`token: {file: PATH}`"]);
    // Each kubeconfig here has the context, so the flag means all of them.
    render(&sandbox, &["a", "b"], &["-o", "out", "--context", "ctx"]).succeeds();
}

//! `--kustomization`, read back by kubectl's own kustomize.

use std::fs;

use serde_json::Value;

use super::{HEADER, cluster, texts, tree};
use crate::kubectl::kubectl;
use crate::objects::json_documents;
use crate::support::{Sandbox, values};

/// Kind and name of each object that a folder yields, in order.
fn objects(sandbox: &Sandbox, folder: &str) -> Option<Vec<String>> {
    let path = sandbox.path().join(folder);
    let output = kubectl(&["kustomize", path.to_str().unwrap()])?;
    let name = |object: &Value| {
        let part = |value: &Value| value.as_str().unwrap().to_owned();
        format!(
            "{} {}",
            part(&object["kind"]),
            part(&object["metadata"]["name"])
        )
    };
    let mut objects: Vec<String> = json_documents(&String::from_utf8(output).unwrap())
        .iter()
        .map(name)
        .collect();
    objects.sort();
    Some(objects)
}

fn list(resources: &[&str]) -> String {
    let mut text = format!(
        "{HEADER}apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n"
    );
    for resource in resources {
        text += &format!("  - \"{resource}\"\n");
    }
    text
}

#[test]
fn each_cluster_lists_its_manifests() {
    let sandbox = Sandbox::with_cluster();
    sandbox.render_into("out", &["--kustomization"]).succeeds();
    assert_eq!(
        sandbox.read("out/compute/c0/kustomization.yaml"),
        list(&[
            "10-serviceaccount-ray-manager.yaml",
            "20-clusterrole-ray-manager.yaml",
            "30-clusterrolebinding-ray-manager-binding.yaml",
            "40-configmap-michelangelo-config.yaml",
            "60-secret-ray-manager-token.yaml",
        ])
    );
    assert_eq!(
        sandbox.read("out/control-plane/kustomization.yaml"),
        list(&["c0"])
    );
    assert!(
        !sandbox
            .path()
            .join("out/compute/kustomization.yaml")
            .exists()
    );
    if let Some(found) = objects(&sandbox, "out/compute/c0") {
        assert_eq!(
            found,
            [
                "ClusterRole ray-manager",
                "ClusterRoleBinding ray-manager-binding",
                "ConfigMap michelangelo-config",
                "Secret ray-manager-token",
                "ServiceAccount ray-manager",
            ]
        );
    }
}

/// Otherwise a GitOps tool would delete the clusters that a run isn't about.
#[test]
fn the_control_plane_lists_the_clusters_of_other_runs_as_well() {
    let sandbox = Sandbox::with_cluster();
    for name in ["c2", "c0", "c1"] {
        let before = texts(&sandbox.path().join("out"));
        cluster(&sandbox, name, &["--kustomization"]).succeeds();
        // Adding a cluster changes no other file.
        let after = texts(&sandbox.path().join("out"));
        let changed: Vec<_> = before
            .iter()
            .filter(|(path, text)| after.get(*path) != Some(*text))
            .map(|(path, _)| path.to_str().unwrap())
            .collect();
        let is_first = before.is_empty();
        assert_eq!(
            changed,
            ["control-plane/kustomization.yaml"][usize::from(is_first)..]
        );
    }
    let read = || sandbox.read("out/control-plane/kustomization.yaml");
    assert_eq!(read(), list(&["c0", "c1", "c2"]));
    if let Some(found) = objects(&sandbox, "out/control-plane") {
        assert_eq!(
            found,
            [
                "Cluster c0",
                "Cluster c1",
                "Cluster c2",
                "Secret cluster-c0-ca-data",
                "Secret cluster-c1-ca-data",
                "Secret cluster-c2-ca-data",
            ]
        );
    }
    // Of one without the file the manifests are listed; one that is someone else's isn't.
    fs::remove_file(
        sandbox
            .path()
            .join("out/control-plane/c2/kustomization.yaml"),
    )
    .unwrap();
    sandbox.write(
        "out/control-plane/mine/kustomization.yaml",
        "resources: []\n",
    );
    cluster(&sandbox, "c0", &["--kustomization"]).succeeds();
    let without = [
        "c0",
        "c1",
        "c2/10-secret-cluster-c2-ca-data.yaml",
        "c2/30-cluster-c2.yaml",
    ];
    assert_eq!(read(), list(&without));
    assert!(objects(&sandbox, "out/control-plane").is_none_or(|found| found.len() == 6));
    // The compute side has no list.
    let before = tree(&sandbox.path().join("out/control-plane"));
    cluster(&sandbox, "c3", &["--kustomization", "--side", "compute"]).succeeds();
    assert_eq!(tree(&sandbox.path().join("out/control-plane")), before);
    cluster(&sandbox, "c1", &["--kustomization", "--prune"]).succeeds();
    assert_eq!(read(), list(&["c1"]));
    assert!(objects(&sandbox, "out/control-plane").is_none_or(|found| found.len() == 2));
}

#[test]
fn unchanged_lists_are_not_touched() {
    let sandbox = Sandbox::with_cluster();
    sandbox.render_into("out", &["--kustomization"]).succeeds();
    let before = tree(sandbox.path());
    let run = sandbox.render_into("out", &["--kustomization"]);
    assert!(run.stderr.contains("10 unchanged"), "{}", run.stderr);
    assert_eq!(tree(sandbox.path()), before);
}

#[test]
fn a_stale_manifest_is_not_listed() {
    let sandbox = Sandbox::with_cluster();
    sandbox.render_into("out", &["--kustomization"]).succeeds();
    let narrow = values("token: none\nserviceAccount: {scope: namespace}\n");
    sandbox.write("c0.yaml", narrow);
    sandbox.render_into("out", &["--kustomization"]).succeeds();
    let text = sandbox.read("out/compute/c0/kustomization.yaml");
    assert!(!text.contains("clusterrole"), "{text}");
    assert!(text.contains("20-role-ray-manager.yaml"), "{text}");
}

#[test]
fn lists_that_are_not_asked_for_any_more_are_stale() {
    let sandbox = Sandbox::with_cluster();
    sandbox.render_into("out", &["--kustomization"]).succeeds();
    let run = sandbox.render_into("out", &[]);
    for file in [
        "`out/compute/c0/kustomization.yaml`",
        "`out/control-plane/c0/kustomization.yaml`",
        "`out/control-plane/kustomization.yaml`",
    ] {
        assert!(run.stderr.contains(file), "{}", run.stderr);
    }
    sandbox.render_into("out", &["--prune"]).succeeds();
    assert_eq!(sandbox.files("out").len(), 7);
}

#[test]
fn a_kustomization_of_someone_else_is_not_replaced() {
    for place in [
        "out/compute/c0/kustomization.yaml",
        "out/control-plane/kustomization.yaml",
    ] {
        let sandbox = Sandbox::with_cluster();
        sandbox.write(place, "resources: []\n");
        let before = tree(sandbox.path());
        sandbox
            .render_into("out", &["--kustomization"])
            .fails_with(&[place, "not made by this program"]);
        assert_eq!(tree(sandbox.path()), before);
        sandbox.render_into("out", &[]).succeeds();
    }
}

#[test]
fn names_are_quoted_as_in_manifests() {
    let sandbox = Sandbox::with_cluster();
    // A name that YAML would read as a number.
    cluster(&sandbox, "1e3", &["--kustomization"]).succeeds();
    assert_eq!(
        sandbox.read("out/control-plane/kustomization.yaml"),
        list(&["1e3"])
    );
    assert!(objects(&sandbox, "out/control-plane").is_none_or(|found| found.len() == 2));
}

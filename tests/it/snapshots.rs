//! Whole output, for kubeconfigs as providers' tools write them.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test --test it snapshots`, and review
//! the difference in `tests/it/snapshots/`.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;

use crate::support::{Sandbox, fixture, fixture_text, project, run};

/// Renders a values file of the fixtures, from the project's folder, so that messages hold no path
/// of a machine.
fn render(name: &str, arguments: &[&str]) -> crate::support::Run {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    command
        .current_dir(project())
        .env("AKS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env(
            "PRODUCTION_CLUSTER_TOKEN",
            fixture_text("tokens/long-lived.token"),
        )
        .args(["render", "-f", &format!("fixtures/values/{name}.yaml")])
        .args(arguments);
    if name == "seed" {
        command.args(["--token-file", "fixtures/tokens/long-lived.token"]);
    }
    run(&mut command, "")
}

/// Both sides as a stream, with what was said beside it.
fn stream(name: &str) -> String {
    let run = render(name, &["--side", "both"]);
    let stdout = run.succeeds();
    if run.stderr.is_empty() {
        return stdout.to_owned();
    }
    format!("{stdout}# standard error\n{}", run.stderr)
}

#[test]
fn seed() {
    assert_snapshot!(stream("seed"));
}

#[test]
fn eks_without_a_port() {
    assert_snapshot!(stream("eks"));
}

#[test]
fn aks_with_port_443() {
    assert_snapshot!(stream("aks"));
}

#[test]
fn k3d_with_another_server() {
    assert_snapshot!(stream("k3d"));
}

#[test]
fn minikube_with_a_ca_file() {
    assert_snapshot!(stream("minikube"));
}

#[test]
fn openshift_with_a_ca_bundle() {
    assert_snapshot!(stream("openshift"));
}

#[test]
fn rancher_by_its_authorized_endpoint() {
    assert_snapshot!(stream("rancher"));
}

#[test]
fn ipv6() {
    assert_snapshot!(stream("ipv6"));
}

#[test]
fn several_contexts() {
    assert_snapshot!(stream("several-contexts"));
}

#[test]
fn gke_by_address() {
    assert_snapshot!(stream("gke"));
}

#[test]
fn gke_by_its_dns_endpoint() {
    assert_snapshot!(stream("gke-dns"));
}

#[test]
fn external_secrets_of_both_forms() {
    assert_snapshot!(stream("external-secrets"));
}

#[test]
fn external_secret_of_the_config_map() {
    assert_snapshot!(stream("external-config-map"));
}

/// A directory as text: each file's mode, name and content.
fn tree(sandbox: &Sandbox, folder: &str) -> String {
    let mut text = String::new();
    for file in sandbox.files(folder) {
        let path = sandbox.path().join(folder).join(&file);
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let content = fs::read_to_string(&path).unwrap();
        writeln!(text, "==> {mode:o} {file} <==\n{content}").unwrap();
    }
    text
}

/// Renders into a directory and shows it.
fn directory(name: &str, arguments: &[&str]) -> String {
    let sandbox = Sandbox::new();
    let deploy = sandbox.path().join("deploy");
    let deploy = deploy.to_str().unwrap();
    let run = render(name, &[&["-o", deploy], arguments].concat());
    run.succeeds();
    tree(&sandbox, "deploy")
}

#[test]
fn directories_of_the_seed() {
    assert_snapshot!(directory("seed", &["--plaintext-secrets"]));
}

#[test]
fn directories_without_any_secret() {
    assert_snapshot!(directory("eks", &[]));
}

#[test]
fn every_values_file_of_the_fixtures_has_a_snapshot() {
    let source = fs::read_to_string(project().join("tests/it/snapshots.rs")).unwrap();
    for entry in fs::read_dir(fixture("values")).unwrap() {
        let name = entry.unwrap().path();
        let name = name.file_stem().unwrap().to_str().unwrap();
        assert!(source.contains(&format!("stream(\"{name}\")")), "{name}");
    }
}

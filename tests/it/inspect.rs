//! `inspect`: what was read and concluded.

mod errors;
mod terminal;

use insta::assert_snapshot;
use serde_json::Value;

use crate::fleet::{cluster, with_clusters};
use crate::support::{
    Run, Sandbox, fixture_environment, fixture_names, fixture_text, kubeconfig, kubeconfig_of,
    project, run, values,
};

/// Runs it in the project's folder, so that paths are the same everywhere.
fn inspect(arguments: &[&str]) -> Run {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    command
        .current_dir(project())
        .envs(fixture_environment())
        .arg("inspect")
        .args(arguments);
    run(&mut command, "")
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

fn values_files() -> Vec<String> {
    let names = fixture_names("values");
    names
        .iter()
        .map(|name| format!("fixtures/values/{name}.yaml"))
        .collect()
}

#[test]
fn one_cluster() {
    let token = ["--token-file", "fixtures/tokens/long-lived.token"];
    let seed = [&["-f", "fixtures/values/seed.yaml"], &token[..]].concat();
    assert_snapshot!("inspect_seed", inspect(&seed).succeeds_quietly());
    for name in ["k3d", "minikube", "gke-dns", "external-secrets", "aks"] {
        let run = inspect(&["-f", &format!("fixtures/values/{name}.yaml")]);
        assert_snapshot!(format!("inspect_{name}"), run.succeeds_quietly());
    }
}

#[test]
fn several_clusters() {
    let files = values_files();
    let arguments: Vec<&str> = std::iter::once("-f")
        .chain(files.iter().map(String::as_str))
        .collect();
    let run = inspect(&arguments);
    let table = run.succeeds_quietly();
    assert_snapshot!("inspect_all", table);
    // One line a cluster where no terminal is.
    let rows = table.split("\n\n").next().unwrap();
    assert_eq!(rows.lines().count(), files.len() + 1);
    assert!(!table.contains('\u{1b}') && table.lines().all(|line| line == line.trim_end()));
}

#[test]
fn json_is_a_list_with_an_object_for_each_cluster() {
    let run = inspect(&["-f", "fixtures/values/k3d.yaml", "--format", "json"]);
    assert_snapshot!("inspect_json", run.succeeds_quietly());
    let files = values_files();
    let arguments: Vec<&str> = ["--format", "json", "-f"]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    let run = inspect(&arguments);
    run.succeeds_quietly();
    let list = json(&run);
    let names: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), files.len());
    assert!(names.is_sorted());
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    for cluster in list.as_array().unwrap() {
        assert_eq!(keys(cluster), keys(&list[0]));
        assert_eq!(keys(&cluster["token"]), keys(&list[0]["token"]));
        assert_eq!(keys(&cluster["storage"]), keys(&list[0]["storage"]));
    }
}

#[test]
fn the_fingerprint_is_the_one_of_openssl() {
    // openssl x509 -in fixtures/certificates/ca.crt -noout -fingerprint -sha256
    let sandbox = Sandbox::with_cluster();
    let run = sandbox.run([
        "inspect",
        "-f",
        "c0.yaml",
        "--kubeconfig",
        "kubeconfig",
        "--format",
        "json",
    ]);
    run.succeeds_quietly();
    assert_eq!(
        json(&run)[0]["certificateAuthority"]["certificates"][0]["sha256"],
        FINGERPRINT
    );
}

const FINGERPRINT: &str = "65:06:68:93:D6:98:AE:5C:1B:6B:40:CA:B8:47:42:71:36:C1:CB:DC:BC:24:F5:6F:8C:36:1D:48:54:F0:35:75";

#[test]
fn what_was_not_given_is_no_error() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write(
        "c0.yaml",
        "name: c0\nstorage: {credentials: workloadIdentity}\n",
    );
    let arguments = ["inspect", "-f", "c0.yaml", "--kubeconfig", "kubeconfig"];
    let table = sandbox.run(arguments);
    assert!(
        table
            .succeeds_quietly()
            .contains("\ntoken          not given: a runbook gets it from the cluster, ")
    );
    assert!(
        table
            .stdout
            .contains("\n  endpoint     AWS itself, by https\n")
    );
    sandbox.write("token", fixture_text("tokens/expired.token"));
    let with = sandbox.run(arguments.iter().chain(&["--token-file", "token"]));
    assert!(with.succeeds_quietly().contains("warning[token-expired]: "));
}

#[test]
fn findings_are_no_errors_and_have_their_remedies() {
    let run = inspect(&["-f", "fixtures/refused/k3d-loopback.yaml"]);
    let table = run.succeeds_quietly();
    assert!(
        table.contains("findings       error[loopback-server]: "),
        "{table}"
    );
    assert!(
        table.contains("; set `kubeconfig.server` in the values file"),
        "{table}"
    );
    // Where a script asks whether there are any, they are; those that are accepted aren't.
    let strict = inspect(&["-f", "fixtures/refused/k3d-loopback.yaml", "--strict"]);
    assert_eq!((strict.code, &strict.stdout), (2, &run.stdout));
    inspect(&["-f", "fixtures/values/k3d.yaml", "--strict"]).succeeds_quietly();
}

#[test]
fn a_token_file_is_named_though_it_holds_nothing() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", values(""));
    sandbox.write("blank", "\n");
    let arguments = ["inspect", "-f", "c0.yaml", "--kubeconfig", "kubeconfig"];
    let run = sandbox.run(arguments.iter().chain(&["--token-file", "blank"]));
    assert_eq!(run.code, 2);
    let line = "\ntoken          -, from the file blank\n";
    assert!(run.stdout.contains(line), "{}", run.stdout);
    // The path of a values file may be the token itself.
    sandbox.write("c0.yaml", values("token: {file: AKIAIOSFODNN7EXAMPLE}\n"));
    let run = sandbox.run(arguments);
    assert!(run.stdout.contains("\ntoken          -, from the file\n"));
    assert!(!run.stdout.contains("AKIA"));
}

#[test]
fn the_file_of_the_certificate_authority_is_named() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("pki/ca.crt", fixture_text("certificates/ca.crt"));
    let inspect = || {
        let arguments = ["inspect", "-f", "c0.yaml", "--kubeconfig", "kubeconfig"];
        let table = sandbox.run(arguments).succeeds_quietly().to_owned();
        let run = sandbox.run(arguments.iter().chain(&["--format", "json"]));
        let at = &json(&run)[0]["certificateAuthority"]["at"];
        (table, at.as_str().map(str::to_owned))
    };
    let (table, at) = inspect();
    assert!(table.contains("\nCA             1 certificate, from the kubeconfig\n"));
    assert_eq!(at, None);
    let lines = "server: https://203.0.113.7:6443\ncertificate-authority: pki/ca.crt";
    sandbox.write("kubeconfig", kubeconfig_of(lines));
    let (table, at) = inspect();
    assert!(
        table.contains("1 certificate, from the kubeconfig's file pki/ca.crt\n"),
        "{table}"
    );
    assert_eq!(at.as_deref(), Some("pki/ca.crt"));
    sandbox.write(
        "c0.yaml",
        values("token: none\nkubeconfig: {certificateAuthority: pki/ca.crt}\n"),
    );
    let (table, at) = inspect();
    let by_values =
        "from the file pki/ca.crt, by `kubeconfig.certificateAuthority` of the values file\n";
    assert!(table.contains(by_values), "{table}");
    assert_eq!(at.as_deref(), Some("pki/ca.crt"));
}

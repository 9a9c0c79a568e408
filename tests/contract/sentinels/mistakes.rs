//! Mistakes next to a secret: the message names the place, never the value.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{READERS, check, check_readers, holds, token};
use crate::support::{Folder, cluster, fixture_path, values_file};

/// Replacements for a line with the key K and the value V.
const BREAKS: [&str; 37] = [
    "K: \"V",
    "K: 'V",
    "K: [V",
    "K: [V]",
    "K: {a: [V",
    "K: {a: V}",
    "K: {V",
    "K: *V",
    "K: &V",
    "K: !V",
    "K: !V x",
    "K: !!int V",
    "K: !!binary V",
    "K: %V",
    "K: @V",
    "K: `V",
    "K: |V",
    "K: V: x",
    "K:V",
    "K: V\nK: V",
    "K: V\n\tx",
    "K: \"\\q V\"",
    "K: V\u{1}",
    "K: V\n---\n@",
    "K: V #:\n@",
    "K: [V]: V",
    "V",
    "- V",
    "? K\n: [V]",
    "K: {file: [V]}",
    "K: {env: V, file: V}",
    "K: {env: {a: V}}",
    "K: ! V",
    "K: |\nV",
    "\tK: V",
    "<<: {K: V}",
    "K: 73901846520",
];

/// Returns copies of a text, each with one of its sentinel lines broken in one way.
fn broken(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for line in text.lines().filter(|line| holds(line)) {
        let (key, value) = line.split_once(": ").unwrap();
        let broken = BREAKS
            .iter()
            .map(|pattern| pattern.replace('K', "\0").replace('V', value).replace('\0', key));
        all.extend(broken.map(|broken| text.replacen(line, &broken, 1)));
    }
    assert!(!all.is_empty());
    all
}

#[test]
fn a_broken_line_of_values_is_not_shown() {
    let folder = Folder::new();
    let text = format!(
        "name: c0
kubeconfig:
  path: {}
storage:
  collectorSecret: none
  endpoint: http://minio:9091
  credentials:
    accessKeyId: minioadmin
    secretAccessKey: SENTINEL-key
  extraEnv:
    DB_PASSWORD: SENTINEL-password
token: none
",
        fixture_path("kubeconfigs/seed.kubeconfig")
    );
    let literal = text.replace("token: none", "token: SENTINEL-token");
    let word =
        text.replace("    accessKeyId: minioadmin\n", "").replace("\n    secretAccessKey:", "");
    for text in broken(&text).into_iter().chain([text, literal, word]) {
        folder.write("c0.yaml", &text);
        check_readers(&folder, &["-f", "c0.yaml"], "");
    }
}

#[test]
fn a_broken_line_of_a_kubeconfig_is_not_shown() {
    let folder = Folder::new();
    folder.write("c0.yaml", values_file(&[cluster(0, json!({"kubeconfig": {}}))]));
    for name in ["seed", "openshift"] {
        let text =
            fs::read_to_string(fixture_path(&format!("kubeconfigs/{name}.kubeconfig"))).unwrap();
        for text in broken(&text) {
            folder.write("kubeconfig", &text);
            for command in [&["render", "--side", "both"][..], &["inspect", "-o", "json"]] {
                let flags = ["-f", "c0.yaml", "--kubeconfig", "kubeconfig"];
                check(&mut folder.command(&[command, &flags].concat()), "");
            }
            check(&mut folder.command(&["init", "--kubeconfig", "kubeconfig"]), "");
        }
    }
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    let folder = Folder::new();
    let kubeconfig = fs::read_to_string(fixture_path("kubeconfigs/seed.kubeconfig")).unwrap();
    let flags = ["-f", "c0.yaml", "--kubeconfig", "kubeconfig"];
    for url in [
        "https://admin:SENTINEL-p@h.example:6443",
        "https://SENTINEL-p@h.example",
        "http://admin:SENTINEL-p@h.example",
        "admin:SENTINEL-p@h.example",
        "https:admin:SENTINEL-p@h",
        "https://admin:SENTINEL-p@h.example/k8s/clusters/c",
        "https://admin:SENTINEL-p @h.example",
        "https://admin:SENTINEL-p@<host>:6443",
        "https://admin:SENTINEL-p@[::1",
        "https://admin:SENTINEL-p@127.0.0.1:99999",
        "https://admin:SENTINEL-p%40h.example@h",
        "s3://admin:SENTINEL-p@bucket",
    ] {
        let with = |line: String| kubeconfig.replace("server: https://203.0.113.7:6443", &line);
        let server = with(format!("server: '{url}'"));
        let proxy = with(format!("server: https://10.0.0.1\n    proxy-url: '{url}'"));
        let storage = |key: &str| json!({"storage": {"collectorSecret": "none", "credentials": "workloadIdentity", key: url}});
        for (kubeconfig, more) in [
            (&server, json!({"kubeconfig": {}})),
            (&server, json!({"kubeconfig": {"server": "https://10.0.0.1"}})),
            (&proxy, json!({"kubeconfig": {}})),
            (&proxy, json!({"kubeconfig": {"server": url}})),
            (&proxy, storage("endpoint")),
            (&proxy, storage(if url.contains("://admin:") { "fileSystem" } else { "endpoint" })),
        ] {
            folder.write("kubeconfig", kubeconfig);
            folder.write("c0.yaml", values_file(&[cluster(0, more)]));
            check_readers(&folder, &flags, "");
            check(&mut folder.command(&["init", "--kubeconfig", "kubeconfig"]), "");
        }
    }
}

#[test]
fn a_wrong_token_is_not_shown() {
    let folder = Folder::new();
    let good = token();
    let wrong = fs::read_to_string(fixture_path("tokens/wrong-subject.token")).unwrap();
    for text in [
        "SENTINEL-token".to_owned(),
        STANDARD.encode(&good),
        format!("Bearer {good}"),
        good.replace('.', ".\n"),
        good.replace("eyJ", "eyJ{"),
        format!("{{\"token\": \"{good}\"}}"),
        format!("{}.SENTINEL-token", wrong.rsplit_once('.').unwrap().0),
        format!("{good}\0"),
        "<SENTINEL-token>".to_owned(),
        "op://SENTINEL-token".to_owned(),
    ] {
        folder.write("token", &text);
        for (more, flags) in [
            (json!({"token": {"file": "token"}}), &["-f", "c0.yaml"][..]),
            (json!({"token": null}), &["-f", "c0.yaml", "--token-file", "-"]),
            (json!({"token": {"file": good}}), &["-f", "c0.yaml"]),
            (json!({"token": null}), &["-f", "c0.yaml", "--token-file", &good]),
        ] {
            folder.write("c0.yaml", values_file(&[cluster(0, more)]));
            // A runbook takes no `--token-file`.
            let readers = READERS.iter().filter(|it| it[0] != "runbook" || flags.len() == 2);
            for reader in readers {
                let mut command = folder.command(&[reader, flags].concat());
                let run = check(&mut command, &text);
                let reads_no_token = reader[0] == "runbook";
                assert_eq!(run.code, if reads_no_token { 0 } else { 2 }, "{command:?}");
                assert!(!run.stderr.contains("Usage:"), "{}", run.stderr);
            }
        }
    }
}

//! A secret is only in the manifests meant for it, and in no other output or file.
//!
//! Every secret here contains `SENTINEL-`, also in the kubeconfigs of `fixtures/`, or is a fixed number.

mod mistakes;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{
    Folder, Run, cluster, files, fixture, fixture_path, fixtures, listed, objects, values_file,
};

/// Commands that read all inputs.
const READERS: [&[&str]; 8] = [
    &["render", "--side", "both"],
    &["render", "--side", "both", "--strict"],
    &["render", "-o", "refused"],
    &["diff", "-o", "out"],
    &["inspect"],
    &["inspect", "-o", "json"],
    &["runbook", "register", "--control-plane-context", "cp"],
    &["runbook", "deregister", "--control-plane-context", "cp"],
];

/// The sentinel, its base64 at each of three offsets, and the number.
const SENTINELS: [&str; 5] =
    ["SENTINEL-", "U0VOVElORUwt", "NFTlRJTkVML", "TRU5USU5FTC", "73901846520"];

fn holds(text: &str) -> bool {
    SENTINELS.iter().any(|sentinel| text.contains(sentinel))
}

/// Whether an object is of a kind that may hold a secret.
fn may_hold(object: &Value) -> bool {
    [json!("Secret"), json!("ConfigMap")].contains(&object["kind"])
}

/// Runs a command, and searches its output for secrets.
#[track_caller]
fn check(command: &mut Command, input: &str) -> Run {
    let run = Run::of(command, input.as_bytes());
    assert!(!holds(&run.stderr), "{command:?}\n{}", run.stderr);
    if command.get_args().next().is_some_and(|name| name == "render") {
        for object in objects(&run.stdout) {
            assert!(may_hold(&object) || !holds(&object.to_string()), "{command:?}\n{object}");
        }
    } else {
        assert!(!holds(&run.stdout), "{command:?}\n{}", run.stdout);
    }
    run
}

/// Runs every reader in a folder, and searches output and files for secrets.
#[track_caller]
fn check_readers(folder: &Folder, flags: &[&str], input: &str) {
    for reader in READERS {
        let mut command = folder.command(&[reader, flags].concat());
        check(command.env("TOKEN", token()), input);
    }
    assert_eq!(check_files(&folder.path("refused")), 0);
}

/// Searches the files of a directory for secrets. Returns how many hold one.
#[track_caller]
fn check_files(root: &Path) -> usize {
    let mut found = 0;
    for (path, text) in files(root) {
        let mode = fs::metadata(root.join(&path)).unwrap().permissions().mode() & 0o777;
        let object = objects(&text).remove(0);
        assert!(may_hold(&object) || !holds(&text), "{path}");
        assert_eq!(mode, if holds(&text) { 0o600 } else { 0o644 }, "{path}");
        found += usize::from(holds(&text));
    }
    found
}

/// A valid token whose signature is a sentinel.
fn token() -> String {
    let good = fs::read_to_string(fixture_path("tokens/long-lived.token")).unwrap();
    format!("{}.SENTINEL-token", good.rsplit_once('.').unwrap().0)
}

#[test]
fn of_kubeconfigs_no_secret_is_read() {
    let folder = Folder::new();
    for name in listed("kubeconfigs").iter().filter(|name| name.ends_with(".kubeconfig")) {
        let path = fixture_path(&format!("kubeconfigs/{name}"));
        let text = fs::read_to_string(&path).unwrap();
        assert!(holds(&text), "{name}");
        folder.write("c0.yaml", values_file(&[cluster(0, json!({"kubeconfig": {}}))]));
        let contexts = objects(&text).remove(0)["contexts"].take();
        let contexts = contexts.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap());
        for context in contexts.chain(["no such context"]) {
            let flags = ["--kubeconfig", &path, "--context", context];
            check_readers(&folder, &[&["-f", "c0.yaml"], &flags[..]].concat(), "");
            check(&mut folder.command(&[&["init"], &flags[..]].concat()), "");
        }
        check(&mut folder.command(&["init", "--kubeconfig", &path]), "");
        // Passed by mistake as another file.
        check_readers(&folder, &["-f", &path], "");
        check_readers(&folder, &["-f", "c0.yaml", "--defaults", &path], "");
        check_readers(&folder, &["-f", "c0.yaml", "--kubeconfig", "c0.yaml"], "");
        let keys = json!({"accessKeyId": {"file": path}, "secretAccessKey": {"file": path}});
        let wrong = cluster(
            0,
            json!({"token": {"file": path}, "storage": {"collectorSecret": "none", "credentials": keys}}),
        );
        folder.write("c0.yaml", values_file(&[wrong]));
        check_readers(&folder, &["-f", "c0.yaml"], "");
    }
}

#[test]
fn the_secrets_of_fixtures_are_in_their_manifests_alone() {
    let folder = Folder::new();
    let out = folder.path("out");
    for name in fixtures() {
        for reader in READERS.iter().filter(|reader| !reader.contains(&"refused")) {
            check(&mut fixture(reader, &name), "");
        }
        let flags = ["render", "--plaintext-secrets", "-o", out.to_str().unwrap()];
        check(&mut fixture(&flags, &name), "").succeeds();
    }
    let found: Vec<String> =
        files(&out).into_iter().filter(|(_, text)| holds(text)).map(|(path, _)| path).collect();
    assert_eq!(found.len(), 4, "{found:?}");
}

/// The S3 key and token come from values, flags and standard input.
#[test]
fn secrets_are_in_their_manifests_alone_however_they_come() {
    let folder = Folder::new();
    folder.write("key", "SENTINEL-key\n");
    folder.write("token", token());
    let literal = json!("SENTINEL-key");
    for (key, given, flags) in [
        (&literal, json!({"file": "token"}), &[][..]),
        (&json!({"env": "KEY"}), json!({"env": "TOKEN"}), &[]),
        (&json!({"file": "key"}), json!(null), &["--token-file", "-"]),
        (&literal, json!(null), &["--token-file", "token"]),
    ] {
        let values = |more: &str| {
            let keys = json!({"accessKeyId": key, "secretAccessKey": key});
            let env = json!({"DB_PASSWORD": format!("SENTINEL-password{more}")});
            let storage = json!({"collectorSecret": "none", "credentials": keys, "extraEnv": env});
            folder.write(
                "c0.yaml",
                values_file(&[cluster(0, json!({"token": given, "storage": storage}))]),
            );
        };
        let command = |arguments: &[&str]| {
            let flags = if arguments[0] == "runbook" { &[] } else { flags };
            let mut command = folder.command(&[arguments, &["-f", "c0.yaml"], flags].concat());
            command.env("KEY", "SENTINEL-key").env("TOKEN", token());
            command
        };
        values("");
        for reader in READERS {
            let run = check(&mut command(reader), &token());
            assert_eq!(run.code == 2, reader.contains(&"refused"), "{reader:?}\n{}", run.stderr);
        }
        assert!(files(&folder.path("refused")).is_empty());
        let into = ["render", "--plaintext-secrets", "-o", "out"];
        check(&mut command(&into), &token()).succeeds();
        assert_eq!(check_files(&folder.path("out")), 3);
        // A diff against other secrets, then against no files.
        values("-2");
        let changed = check(&mut command(&["diff", "-o", "out", "--color", "always"]), &token());
        assert!(changed.stdout.contains("*** (after)"), "{}", changed.stdout);
        fs::remove_dir_all(folder.path("out")).unwrap();
    }
}

/// The files on disk have data in forms that the program doesn't write.
/// A transcript that was overwritten unread would keep a message that shows a secret.
#[test]
fn no_recorded_message_shows_a_secret() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd");
    let starts = ["error", "warning", "note", "  --> ", "  help: ", "+", "-"];
    let mut messages = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        for line in fs::read_to_string(&path).unwrap_or_default().lines() {
            if starts.iter().any(|start| line.starts_with(start)) {
                messages += 1;
                assert!(!line.contains("SENTINEL"), "{}: {line}", path.display());
            }
        }
    }
    assert!(messages > 1000, "{messages}");
}

#[test]
fn a_diff_shows_no_secret_of_other_files() {
    let folder = Folder::new();
    folder.write("token", "none");
    folder.write(
        "c0.yaml",
        values_file(&[cluster(0, json!({"token": {"file": "token"}, "allow": ["token-not-jwt"]}))]),
    );
    let head = "# Generated by ma-register.\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";
    for data in [
        "data:\n  token: \"SENTINEL-\"\n",
        "data:\r\n  token: \"SENTINEL-\"\r\n",
        "data:\n    token: 'SENTINEL-'\n",
        "data:\n  token: SENTINEL-\n",
        "data: {token: \"SENTINEL-\"}\n",
        "\"data\":\n  token: \"SENTINEL-\"\n",
        "stringData:\n  token: |\n    SENTINEL-\n",
        "data:\n  token: \"a\n    SENTINEL-\"\n",
        "data:\n  ? token\n  : \"SENTINEL-\"\n",
        "data: &a\n  token: &b \"SENTINEL-\"\nstringData: *a\n",
        "data:\n  token: \"SENTINEL-\"\ndata:\n  token: \"SENTINEL-\"\n",
        "data:\n  token: \"SENTINEL-\n",
        "---\ndata:\n  token: \"SENTINEL-\"\n",
        "data:\n  a: \"b\"\n  token: >-\n   SENTINEL-\n",
    ] {
        let file = "control-plane/c0/20-secret-cluster-c0-client-token.yaml";
        folder.write(&format!("out/{file}"), format!("{head}{data}"));
        let run = check(&mut folder.command(&["diff", "-o", "out", "-f", "c0.yaml"]), "");
        assert!(run.code == 1 && run.stdout.contains(file), "{data}");
    }
}

/// The user's own templates print a secret, or fail on its line.
#[test]
fn own_templates_keep_secrets() {
    let folder = Folder::new();
    let values = |key: &str| {
        let storage = json!({"collectorSecret": "none", "credentials": {"accessKeyId": key, "secretAccessKey": key}});
        folder.write("c0.yaml", values_file(&[cluster(0, json!({"storage": storage}))]));
    };
    values("SENTINEL-key");
    let head = "apiVersion: v1\nkind: Other\nmetadata: {name: other, namespace: default}\n";
    let command = |arguments: &[&str]| {
        folder.command(&[arguments, &["-f", "c0.yaml", "--templates", "own"]].concat())
    };
    for failing in [
        "{{ storage.keys.nope }}",
        "x-{{ storage.keys[1][1] }}",
        "{{ storage.keys[1][1] | int }}",
        "{{ storage.keys[1][1] + 1 }}",
        "{{ storage.keys[1][1]() }}",
        "{{ storage.keys[1][1].a.b }}",
        "{{ range(storage.keys[1][1]) }}",
        "{{ storage | tojson | nope }}",
        "\"{{ storage.keys[1][1] }}\"",
        "|\n {{ storage.keys[1][1] }}",
    ] {
        folder.write("own/compute/90-other.yaml.j2", format!("{head}spec: {failing}\n"));
        for reader in [&["render", "--side", "both"][..], &["diff", "-o", "out"]] {
            assert_eq!(check(&mut command(reader), "").code, 2, "{failing}");
        }
    }
    let good = format!("{head}spec: {{{{ storage.keys }}}}\n");
    folder.write("own/compute/90-other.yaml.j2", good);
    let refused = check(&mut command(&["render", "-o", "out"]), "");
    assert!(refused.stderr.contains("90-other"), "{}", refused.stderr);
    check(&mut command(&["render", "-o", "out", "--plaintext-secrets"]), "").succeeds();
    let other = folder.path("out/compute/c0/90-other-other.yaml");
    assert_eq!(fs::metadata(other).unwrap().permissions().mode() & 0o777, 0o600);
    for key in ["SENTINEL-another", "short"] {
        values(key);
        let changed = check(&mut command(&["diff", "-o", "out"]), "");
        assert!(changed.code == 1 && changed.stdout.contains("90-other"), "{}", changed.stdout);
    }
}

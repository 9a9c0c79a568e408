//! Secrets in a directory: who may read them, and whether they may be there at all.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{CLUSTER, CONFIG_MAP, run_in_shell, tree};
use crate::support::{Run, Sandbox, fixture_text};

const STORAGE_SECRET: &str = "compute/c0/50-secret-aws-credentials.yaml";
const TOKEN_SECRET: &str = "control-plane/c0/20-secret-cluster-c0-client-token.yaml";
const CA_SECRET: &str = "control-plane/c0/10-secret-cluster-c0-ca-data.yaml";

/// A values file with S3 keys and a token.
fn values(access_key_id: &str, secret_access_key: &str, token: &str) -> String {
    format!(
        "name: c0
storage:
  credentials:
    accessKeyId: {access_key_id}
    secretAccessKey: {secret_access_key}
token: {token}
"
    )
}

/// A sandbox with a file `key` and a file `token`.
fn sandbox(values: &str) -> Sandbox {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", values);
    sandbox.write("key", "SENTINEL-file-key\n");
    sandbox.write("token", fixture_text("tokens/long-lived.token"));
    sandbox
}

fn render(sandbox: &Sandbox, further: &[&str]) -> Run {
    let mut command = sandbox.render_command(&["-o", "out"]);
    command.args(further).env("KEY", "SENTINEL-env-key");
    crate::support::run(&mut command, &fixture_text("tokens/long-lived.token"))
}

fn mode(sandbox: &Sandbox, file: &str) -> u32 {
    let path = sandbox.path().join("out").join(file);
    fs::metadata(path).expect(file).permissions().mode() & 0o7777
}

#[test]
fn only_the_owner_reads_files_with_secrets() {
    let sandbox = sandbox(&values("id", "key", "{file: token}"));
    for (umask, public) in [("022", 0o644), ("077", 0o600), ("000", 0o666)] {
        drop(fs::remove_dir_all(sandbox.path().join("out")));
        run_in_shell(
            &sandbox,
            &format!("umask {umask}"),
            &["--plaintext-secrets"],
        )
        .succeeds();
        for file in sandbox.files("out") {
            let is_secret = [CONFIG_MAP, STORAGE_SECRET, TOKEN_SECRET].contains(&file.as_str());
            let expected = if is_secret { 0o600 } else { public };
            assert_eq!(mode(&sandbox, &file), expected, "{file}, umask {umask}");
        }
        assert!(sandbox.files("out").contains(&CA_SECRET.to_owned()));
    }
}

#[test]
fn a_configmap_without_keys_is_public() {
    let sandbox = Sandbox::with_cluster();
    run_in_shell(&sandbox, "umask 022", &[]).succeeds();
    assert_eq!(mode(&sandbox, CONFIG_MAP), 0o644);
}

#[test]
fn a_wider_file_with_a_secret_is_narrowed() {
    let sandbox = sandbox(&values("id", "key", "none"));
    render(&sandbox, &[]).succeeds();
    let path = sandbox.path().join("out").join(STORAGE_SECRET);
    for change in [false, true] {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        if change {
            sandbox.write("c0.yaml", values("id", "another-key", "none"));
        }
        render(&sandbox, &[]).succeeds();
        assert_eq!(mode(&sandbox, STORAGE_SECRET), 0o600, "changed: {change}");
    }
}

#[test]
fn a_file_that_becomes_secret_is_narrowed() {
    let sandbox = Sandbox::with_cluster();
    run_in_shell(&sandbox, "umask 022", &[]).succeeds();
    sandbox.write("c0.yaml", values("id", "key", "none"));
    run_in_shell(&sandbox, "umask 022", &[]).succeeds();
    assert_eq!(mode(&sandbox, CONFIG_MAP), 0o600);
}

#[test]
fn literals_of_the_values_file_need_no_leave() {
    let sandbox = sandbox(&values("id", "key", "none"));
    render(&sandbox, &[]).succeeds();
    assert!(
        sandbox
            .read(&format!("out/{CONFIG_MAP}"))
            .contains("\"AWS_SECRET_ACCESS_KEY\": \"key\"")
    );
}

#[test]
fn secrets_from_elsewhere_need_leave() {
    for (case, values, further, manifests) in [
        (
            "a key from a file",
            values("id", "{file: key}", "none"),
            vec![],
            vec![CONFIG_MAP, STORAGE_SECRET],
        ),
        (
            "a key from the environment",
            values("{env: KEY}", "key", "none"),
            vec![],
            vec![CONFIG_MAP, STORAGE_SECRET],
        ),
        (
            "a token from a file",
            values("id", "key", "{file: token}"),
            vec![],
            vec![TOKEN_SECRET],
        ),
        (
            "a token by flag",
            values("id", "key", "null"),
            vec!["--token-file", "token"],
            vec![TOKEN_SECRET],
        ),
        (
            "a token from standard input",
            values("id", "key", "null"),
            vec!["--token-file", "-"],
            vec![TOKEN_SECRET],
        ),
        (
            "all of them",
            values("{env: KEY}", "{file: key}", "{file: token}"),
            vec![],
            vec![CONFIG_MAP, STORAGE_SECRET, TOKEN_SECRET],
        ),
    ] {
        println!("case: {case}");
        let sandbox = sandbox(&values);
        let before = tree(sandbox.path());
        let refused = render(&sandbox, &further);
        refused.fails_with(&manifests);
        refused.fails_with(&[
            "--plaintext-secrets",
            "token: none",
            "workloadIdentity",
            "{existingSecret: true}",
            "externalSecret",
            "--side",
        ]);
        for manifest in [CONFIG_MAP, STORAGE_SECRET, TOKEN_SECRET, CLUSTER] {
            let is_named = refused.stderr.contains(manifest);
            assert_eq!(
                is_named,
                manifests.contains(&manifest),
                "{case}: {manifest}"
            );
        }
        assert!(!refused.stderr.contains("SENTINEL"), "{}", refused.stderr);
        assert!(!refused.stderr.contains("eyJ"), "{}", refused.stderr);
        assert_eq!(tree(sandbox.path()), before, "{case}");
        let allowed: Vec<&str> = further.into_iter().chain(["--plaintext-secrets"]).collect();
        render(&sandbox, &allowed).succeeds();
        for manifest in manifests {
            assert_eq!(mode(&sandbox, manifest), 0o600, "{case}: {manifest}");
        }
    }
}

#[test]
fn a_stream_needs_no_leave() {
    let sandbox = sandbox(&values("id", "{file: key}", "{file: token}"));
    assert!(
        sandbox
            .render(&[])
            .succeeds_quietly()
            .contains("SENTINEL-file-key")
    );
}

#[test]
fn leave_without_a_directory_is_refused() {
    let sandbox = Sandbox::with_cluster();
    sandbox
        .render(&["--plaintext-secrets"])
        .fails_with(&["--output-dir"]);
}

/// However an own template gets at a secret, its manifest holds one.
#[test]
fn own_templates_can_not_hide_a_secret() {
    let of_token = [
        "{{ token.text }}",
        "{{ token.text | b64encode }}",
        "{{ token.text | b64encode | b64encode }}",
        "{{ token.text | upper }}",
        "{{ token.text | replace('e', 'x') }}",
        "{{ token.text | trim | title }}",
        "{{ token.text | string }}",
        "{{ token.text | default('x') }}",
        "{{ 'Bearer ' ~ token.text }}",
        "{{ ('Bearer ' ~ token.text) | b64encode }}",
        "{{ [token.text] }}",
        "{{ [token.text] | join('-') }}",
        "{{ [token.text] | first }}",
        "{{ {'a': token.text} }}",
        "{{ {'a': token.text}.a }}",
        "{{ token }}",
        "{{ token | items | last | last }}",
        "{{ token.text if token.text }}",
        "x # {{ token.text }}",
        "{% set copy = token.text %}{{ copy }}",
        "{% with copy = token.text %}{{ copy }}{% endwith %}",
        "{% for part in [token.text] %}{{ part }}{% endfor %}",
    ];
    for expression in of_token {
        println!("case: {expression}");
        let sandbox = sandbox(&values("id", "key", "{file: token}"));
        sandbox.write(
            "own/control-plane/90-copy.yaml.j2",
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: copy\n  namespace: default\n\
                 data:\n  a: {expression}\n"
            ),
        );
        let copy = "control-plane/c0/90-configmap-copy.yaml";
        render(&sandbox, &["--templates", "own"]).fails_with(&[copy, "--plaintext-secrets"]);
        render(&sandbox, &["--templates", "own", "--plaintext-secrets"]).succeeds();
        assert_eq!(mode(&sandbox, copy), 0o600, "{expression}");
    }
}

#[test]
fn own_templates_that_print_no_secret_are_public() {
    let sandbox = sandbox(&values("id", "key", "{file: token}"));
    sandbox.write(
        "own/control-plane/90-plain.yaml.j2",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\ndata:\n  a: {{ token.secret }}\n",
    );
    run_in_shell(
        &sandbox,
        "umask 022",
        &["--templates", "own", "--plaintext-secrets"],
    )
    .succeeds();
    assert_eq!(
        mode(&sandbox, "control-plane/c0/90-configmap-plain.yaml"),
        0o644
    );
}

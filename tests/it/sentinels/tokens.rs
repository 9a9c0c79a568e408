//! Tokens of every kind, good and bad.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use super::watch::{Watch, planted};
use crate::support::{Sandbox, base64, fixture, fixture_names, fixture_text};

/// A token with another signature than the fixtures' own: one that shows.
fn signed(name: &str) -> String {
    let token = fixture_text(&format!("tokens/{name}.token"));
    let (claims, _) = token.trim().rsplit_once('.').unwrap();
    format!("{claims}.SENTINEL-signature")
}

/// A good token.
pub fn jwt() -> String {
    signed("long-lived")
}

fn watch() -> Watch {
    let watch = Watch::new();
    let good = Sandbox::with_cluster();
    watch.write("kubeconfig", good.read("kubeconfig"));
    let values =
        |token: &str| format!("name: c0\nstorage: {{credentials: workloadIdentity}}\n{token}");
    watch.write("c0.yaml", values(""));
    watch.write("env.yaml", values("token: {env: TOKEN}\n"));
    watch.write("file.yaml", values("token: {file: token}\n"));
    watch
}

/// Gives the token in each way there is; which of them rendered.
fn give(watch: &mut Watch, label: &str, token: &[u8], more: &[&str]) -> Vec<bool> {
    watch.write("token", token);
    let mut rendered = Vec::new();
    for (values, flags) in [
        ("c0.yaml", &["--token-file", "token"][..]),
        ("c0.yaml", &["--token-file", "-"]),
        ("env.yaml", &[]),
        ("file.yaml", &[]),
    ] {
        let is_variable = values == "env.yaml";
        let mut command = watch.sandbox().command();
        command
            .args(["render", "-f", values, "--kubeconfig", "kubeconfig"])
            .args(flags)
            .args(more);
        if is_variable && token.contains(&0) {
            continue;
        }
        if is_variable {
            command.env("TOKEN", OsString::from_vec(token.to_vec()));
        }
        let input = String::from_utf8_lossy(token);
        rendered.push(
            watch
                .run(&format!("{label} {flags:?}"), &mut command, &input)
                .code
                == 0,
        );
    }
    rendered
}

#[test]
fn tokens_are_never_shown() {
    let mut watch = watch();
    let token = jwt();
    let bad: Vec<Vec<u8>> = [
        "SENTINEL-opaque".to_owned(),
        "SENTINEL x".to_owned(),
        "SENTINEL\tx".to_owned(),
        "SENTINEL\nx".to_owned(),
        "x\r\nSENTINEL".to_owned(),
        "SENTINEL\u{1b}[31m".to_owned(),
        "SENTINEL\0".to_owned(),
        "SENTINELé".to_owned(),
        "\u{feff}\u{feff}SENTINEL".to_owned(),
        "\"SENTINEL\"".to_owned(),
        "'SENTINEL".to_owned(),
        "<SENTINEL>".to_owned(),
        "${SENTINEL}".to_owned(),
        "YOUR_SENTINEL".to_owned(),
        "Bearer SENTINEL".to_owned(),
        "Authorization: Bearer SENTINEL".to_owned(),
        "token: SENTINEL".to_owned(),
        "{\"token\": \"SENTINEL\"}".to_owned(),
        "apiVersion: v1\nkind: Secret\ndata: {token: U0VOVElORUw=}".to_owned(),
        "-----BEGIN PRIVATE KEY-----\nSENTINEL\n-----END PRIVATE KEY-----".to_owned(),
        "SENTINEL".repeat(9000),
        base64(&token),
        format!("{token} {token}"),
        format!("{token}\n{token}"),
        format!("{token}."),
        format!(".{token}"),
        token.replacen("eyJ", "eyK", 1),
        token.replace('.', ".SENTINEL"),
        format!(
            "eyJhbGciOiJub25lIn0.{}.SENTINEL",
            base64("not json SENTINEL").trim_end_matches('=')
        ),
        format!(
            "eyJhbGciOiJub25lIn0.{}.SENTINEL",
            base64("[\"SENTINEL\"]").trim_end_matches('=')
        ),
        format!(
            "eyJhbGciOiJub25lIn0.{}.SENTINEL",
            base64("{\"sub\": 1, \"exp\": \"SENTINEL\"}").trim_end_matches('=')
        ),
        signed("wrong-subject"),
        signed("wrong-namespace"),
    ]
    .map(String::into_bytes)
    .into();
    for token in bad
        .into_iter()
        .chain([b"SENTINEL\xff".to_vec(), b"\xff\xfeSENTINEL".to_vec()])
    {
        let label = String::from_utf8_lossy(&token).into_owned();
        assert!(planted(&label) > 0, "{label}");
        let rendered = give(&mut watch, &label, &token, &["--side", "both"]);
        assert!(!rendered.contains(&true), "accepted: {label}");
    }
    for name in ["long-lived", "old-secret", "bound", "expired"] {
        let token = signed(name);
        assert_eq!(planted(&token), 1, "{name}");
        for around in ["", "\n", " \r\n"] {
            let token = format!("{around}{token}{around}");
            let rendered = give(&mut watch, name, token.as_bytes(), &["--side", "both"]);
            assert_eq!(rendered, [true; 4], "{name}");
        }
        let strict = give(
            &mut watch,
            name,
            token.as_bytes(),
            &["--side", "both", "--strict"],
        );
        assert_eq!(strict, [name == "long-lived"; 4], "{name}");
        give(&mut watch, name, token.as_bytes(), &["--side", "compute"]);
        let refused = give(
            &mut watch,
            name,
            token.as_bytes(),
            &["--output-dir", "refused"],
        );
        assert_eq!(refused, [false; 4], "{name}");
        let flags = ["--output-dir", "out", "--plaintext-secrets"];
        assert_eq!(
            give(&mut watch, name, token.as_bytes(), &flags),
            [true; 4],
            "{name}"
        );
        watch.check_files("out");
    }
    watch.has_seen(100, 250);
}

/// The fixtures' own tokens have signatures without a sentinel, so these are searched for.
#[test]
fn fixture_tokens_are_never_shown() {
    let mut watch = watch();
    let mut count = 0;
    for name in fixture_names("tokens") {
        let text = fixture_text(&format!("tokens/{name}.token"));
        let path = fixture(&format!("tokens/{name}.token"));
        let mut command = watch.sandbox().render_command(&["--side", "both"]);
        let run = watch.run(&name, command.args(["--token-file", &path]), "");
        for part in text.split(['.', '\n', ' ']).filter(|part| part.len() >= 40) {
            count += 1;
            for piece in [&part[..40], &part[part.len() - 40..]] {
                assert!(!run.stderr.contains(piece), "{name}: {}", run.stderr);
                assert!(!run.stdout.contains(piece), "{name}: {}", run.stdout);
            }
        }
    }
    assert!(count > 20, "{count} parts of tokens");
}

#[test]
fn tokens_beside_other_mistakes_are_never_shown() {
    let mut watch = watch();
    let token = jwt();
    watch.write("token", &token);
    watch.write("taken", "not a folder");
    watch.write(
        "out/compute/c0/10-serviceaccount-ray-manager.yaml",
        "by hand",
    );
    for arguments in [
        &[
            "--token-file",
            "token",
            "--output-dir",
            "taken",
            "--plaintext-secrets",
        ][..],
        &[
            "--token-file",
            "token",
            "--output-dir",
            "out",
            "--plaintext-secrets",
        ],
        &["--token-file", "token", "--side", "compute"],
        &["--token-file", "token"],
        &[
            "--token-file",
            "token",
            "--side",
            "both",
            "--context",
            "none",
        ],
        &[
            "--token-file",
            "token",
            "--side",
            "both",
            "--templates",
            ".",
        ],
        &[
            "--token-file",
            "token",
            "--side",
            "both",
            "--values",
            "token",
        ],
        &["--token-file", "-", "--values", "-", "--side", "both"],
        &["--token-file", "kubeconfig", "--side", "both"],
        &["--token-file", ".", "--side", "both"],
    ] {
        let mut command = watch.sandbox().command();
        if !arguments.contains(&"--values") {
            command.args(["--values", "c0.yaml"]);
        }
        let mut full = watch.sandbox().command();
        full.arg("render")
            .args(command.get_args())
            .args(["--kubeconfig", "kubeconfig"]);
        assert_eq!(
            watch
                .run(&format!("{arguments:?}"), full.args(arguments), &token)
                .code,
            2
        );
    }
    // As values file, kubeconfig and template.
    watch.write("t/compute/10-serviceaccount.yaml.j2", &token);
    for arguments in [
        ["-f", "token", "--kubeconfig", "kubeconfig"],
        ["-f", "-", "--kubeconfig", "kubeconfig"],
        ["-f", "c0.yaml", "--kubeconfig", "token"],
        ["-f", "c0.yaml", "--kubeconfig", "-"],
    ] {
        let mut command = watch.sandbox().command();
        command
            .args(["render", "--side", "compute"])
            .args(arguments);
        assert_eq!(
            watch
                .run(&format!("{arguments:?}"), &mut command, &token)
                .code,
            2
        );
    }
}

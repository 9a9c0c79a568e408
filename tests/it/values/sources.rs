//! Where values come from: files and standard input, and what flags say besides.

use std::fs;

use crate::objects::{object, yaml};
use crate::support::{Sandbox, ca_data_line, fixture_bytes, fixture_text, kubeconfig, values};

const RENDER: [&str; 3] = ["render", "--side", "both"];

fn absolute(sandbox: &Sandbox, name: &str) -> String {
    sandbox.path().join(name).to_str().unwrap().to_owned()
}

#[test]
fn paths_are_relative_to_the_values_file() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "deep/er/c0.yaml",
        "name: c0
kubeconfig: {path: ../k, certificateAuthority: ca.crt}
storage:
  credentials: {accessKeyId: {file: ../id}, secretAccessKey: {file: secrets/key}}
token: {file: ./token}
",
    );
    sandbox.write("deep/k", kubeconfig("server: https://203.0.113.7:6443"));
    sandbox.write("deep/er/ca.crt", fixture_bytes("certificates/ca.crt"));
    sandbox.write("deep/id", "the-id");
    sandbox.write("deep/er/secrets/key", "the-key");
    sandbox.write("deep/er/token", fixture_text("tokens/long-lived.token"));
    let from_above = sandbox.run(RENDER.iter().chain(&["-f", "deep/er/c0.yaml"]));
    let config = object(
        from_above.succeeds_quietly(),
        "ConfigMap",
        "michelangelo-config",
    );
    assert_eq!(config["data"]["AWS_ACCESS_KEY_ID"], yaml("the-id"));
    assert_eq!(config["data"]["AWS_SECRET_ACCESS_KEY"], yaml("the-key"));
    for (folder, file) in [("deep/er", "c0.yaml"), ("deep/er/secrets", "../c0.yaml")] {
        let mut command = sandbox.command();
        command
            .current_dir(sandbox.path().join(folder))
            .args(RENDER)
            .args(["-f", file]);
        assert_eq!(
            crate::support::run(&mut command, ""),
            from_above,
            "{folder}"
        );
    }
}

#[test]
fn a_kubeconfigs_paths_are_relative_to_the_kubeconfig() {
    let sandbox = Sandbox::new();
    let with_file = kubeconfig("server: https://203.0.113.7:6443").replace(
        &ca_data_line(fixture_bytes("certificates/ca.crt")),
        "certificate-authority: ca.crt",
    );
    sandbox.write("sub/k", with_file);
    sandbox.write("sub/ca.crt", fixture_bytes("certificates/ca.crt"));
    sandbox.write(
        "c0.yaml",
        values("token: none\nkubeconfig: {path: sub/k}\n"),
    );
    sandbox
        .run(RENDER.iter().chain(&["-f", "c0.yaml"]))
        .succeeds_quietly();
    sandbox.write("c1.yaml", values("token: none\n"));
    sandbox
        .run(
            RENDER
                .iter()
                .chain(&["-f", "c1.yaml", "--kubeconfig", "sub/k"]),
        )
        .succeeds_quietly();
}

#[test]
fn absolute_paths_are_taken_as_they_are() {
    let sandbox = Sandbox::with_cluster();
    let path = absolute(&sandbox, "kubeconfig");
    sandbox.write(
        "sub/c0.yaml",
        values(&format!("token: none\nkubeconfig: {{path: '{path}'}}\n")),
    );
    sandbox
        .run(RENDER.iter().chain(&["-f", "sub/c0.yaml"]))
        .succeeds_quietly();
}

#[test]
fn values_come_from_standard_input() {
    let sandbox = Sandbox::with_cluster();
    let arguments = [
        "render",
        "--side",
        "both",
        "--kubeconfig",
        "kubeconfig",
        "-f",
    ];
    let from_file = sandbox.run(arguments.iter().chain(&["c0.yaml"]));
    let from_input =
        sandbox.run_with_input(arguments.iter().chain(&["-"]), &sandbox.read("c0.yaml"));
    assert_eq!(from_input.succeeds_quietly(), from_file.succeeds_quietly());
    sandbox
        .run_with_input(arguments.iter().chain(&["-"]), "name: c0\nstorag: {}\n")
        .fails_with(&[
            "the values file standard input",
            "line 2",
            "did you mean `storage`?",
        ]);
    sandbox
        .run_with_input(arguments.iter().chain(&["-"]), "")
        .fails_with(&["standard input", "it is empty"]);
}

#[test]
fn standard_input_has_no_folder_for_relative_paths() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("token", fixture_text("tokens/long-lived.token"));
    sandbox.write("ca.crt", fixture_bytes("certificates/ca.crt"));
    for key in [
        "kubeconfig: {path: FILE}",
        "kubeconfig: {path: kubeconfig, certificateAuthority: FILE}",
        "kubeconfig: {path: kubeconfig}\ntoken: {file: FILE}",
    ] {
        let file = match key {
            _ if key.contains("token") => "token",
            _ if key.contains("Authority") => "ca.crt",
            _ => "kubeconfig",
        };
        let with = |path: &str| {
            let own = absolute(&sandbox, "kubeconfig");
            let key = key.replace("path: kubeconfig", &format!("path: '{own}'"));
            let token = if key.contains("token") {
                ""
            } else {
                "token: none\n"
            };
            let text = values(&format!("{token}{}\n", key.replace("FILE", path)));
            sandbox.run_with_input(RENDER.iter().chain(&["-f", "-"]), &text)
        };
        println!("case: {key}");
        with(file).fails_with(&[
            "standard input",
            &format!("`{file}` is relative"),
            "absolute path",
        ]);
        with(&absolute(&sandbox, file)).succeeds_quietly();
    }
}

#[test]
fn a_values_file_that_can_not_be_read_is_named() {
    let sandbox = Sandbox::with_cluster();
    fs::create_dir(sandbox.path().join("folder")).unwrap();
    for (file, part) in [
        ("missing.yaml", "No such file"),
        ("folder", "it is a folder"),
        ("c0.yaml/x", ""),
    ] {
        sandbox
            .run(RENDER.iter().chain(&["-f", file]))
            .fails_with(&["failed to read the values file", &format!("`{file}`"), part]);
    }
}

#[test]
fn values_files_are_required() {
    Sandbox::with_cluster()
        .run(RENDER)
        .fails_with(&["--values"]);
}

#[test]
fn flags_do_not_override_the_values_file() {
    let sandbox = Sandbox::with_cluster();
    let token = "token: none\n";
    for (further, flags, parts) in [
        (
            format!("{token}kubeconfig: {{path: kubeconfig}}\n"),
            ["--kubeconfig", "kubeconfig"],
            ["`kubeconfig.path`", "`--kubeconfig`"],
        ),
        (
            format!("{token}kubeconfig: {{path: kubeconfig, context: ctx}}\n"),
            ["--context", "ctx"],
            ["`kubeconfig.context`", "`--context`"],
        ),
        (
            "token: {file: token}\nkubeconfig: {path: kubeconfig}\n".to_owned(),
            ["--token-file", "token"],
            ["`token`", "`--token-file`"],
        ),
        (
            format!("{token}kubeconfig: {{path: kubeconfig}}\n"),
            ["--token-file", "token"],
            ["`token`", "`--token-file`"],
        ),
    ] {
        sandbox.write("c0.yaml", values(&further));
        let run = sandbox.run(RENDER.iter().chain(&["-f", "c0.yaml"]).chain(&flags));
        println!("case: {further:?} {flags:?}");
        run.fails_with(&["`c0.yaml`", parts[0], parts[1], "remove one"]);
    }
}

#[test]
fn flags_say_what_the_values_file_leaves_open() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("token", fixture_text("tokens/long-lived.token"));
    sandbox.write("sub/c0.yaml", values(""));
    // Paths in flags are relative to the working directory, as everywhere.
    let run = sandbox.run(RENDER.iter().chain(&[
        "-f",
        "sub/c0.yaml",
        "--kubeconfig",
        "kubeconfig",
        "--context",
        "ctx",
        "--token-file",
        "token",
    ]));
    object(run.succeeds_quietly(), "Secret", "cluster-c0-client-token");
}

#[test]
fn the_kubeconfig_is_found_as_kubectl_finds_it() {
    let sandbox = Sandbox::with_cluster();
    let expected = sandbox.render(&[]);
    fs::create_dir(sandbox.path().join(".kube")).unwrap();
    fs::rename(
        sandbox.path().join("kubeconfig"),
        sandbox.path().join(".kube/config"),
    )
    .unwrap();
    let arguments = ["render", "--side", "both", "-f", "c0.yaml"];
    assert_eq!(sandbox.run(arguments), expected);
    sandbox.write("other", kubeconfig("server: https://203.0.113.8"));
    let mut command = sandbox.command();
    command
        .args(arguments)
        .env("KUBECONFIG", absolute(&sandbox, "other"));
    assert!(
        crate::support::run(&mut command, "")
            .succeeds_quietly()
            .contains("203.0.113.8")
    );
    fs::remove_dir_all(sandbox.path().join(".kube")).unwrap();
    sandbox
        .run(arguments)
        .fails_with(&[".kube/config", "`kubeconfig.path`", "`--kubeconfig`"]);
}

//! `render` to standard output.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::Stdio;

use crate::objects::{documents, identities, object, yaml};
use crate::support::{Run, Sandbox, fixture, fixture_text, kubeconfig, run, values};

const COMPUTE: [&str; 6] = [
    "ServiceAccount/ray-manager",
    "ClusterRole/ray-manager",
    "ClusterRoleBinding/ray-manager-binding",
    "ConfigMap/michelangelo-config",
    "Secret/aws-credentials",
    "Secret/ray-manager-token",
];
const CONTROL_PLANE: [&str; 3] = [
    "Secret/cluster-c0-ca-data",
    "Secret/cluster-c0-client-token",
    "Cluster/c0",
];

/// A sandbox in which each side has every object that it can have.
fn with_everything() -> Sandbox {
    let sandbox = Sandbox::with_cluster();
    sandbox.write(
        "c0.yaml",
        "name: c0\nstorage: {credentials: {accessKeyId: id-1, secretAccessKey: key-1}}\n\
         token: {file: token}\n",
    );
    sandbox.write("token", fixture_text("tokens/long-lived.token"));
    sandbox
}

fn render_side(sandbox: &Sandbox, side: &str) -> Run {
    sandbox.run([
        "render",
        "-f",
        "c0.yaml",
        "--kubeconfig",
        "kubeconfig",
        "--side",
        side,
    ])
}

#[test]
fn each_side_has_its_objects_in_an_order_that_works() {
    let sandbox = with_everything();
    let compute = render_side(&sandbox, "compute");
    assert_eq!(identities(compute.succeeds_quietly()), COMPUTE);
    let control_plane = render_side(&sandbox, "control-plane");
    assert_eq!(identities(control_plane.succeeds_quietly()), CONTROL_PLANE);
}

#[test]
fn both_sides_are_the_one_and_then_the_other() {
    let sandbox = with_everything();
    assert_eq!(
        render_side(&sandbox, "both").stdout,
        render_side(&sandbox, "compute").stdout + &render_side(&sandbox, "control-plane").stdout
    );
}

#[test]
fn every_document_begins_with_a_separator() {
    let sandbox = with_everything();
    let rendered = render_side(&sandbox, "both");
    let stream = rendered.succeeds();
    let separators = stream.lines().filter(|line| *line == "---").count();
    assert!(stream.starts_with("---\n"));
    assert_eq!(separators, COMPUTE.len() + CONTROL_PLANE.len());
    assert_eq!(documents(stream).len(), separators);
    assert!(stream.ends_with('\n') && !stream.ends_with("\n\n"));
}

#[test]
fn without_a_side_the_choice_is_explained() {
    let sandbox = Sandbox::with_cluster();
    let run = sandbox.run(["render", "-f", "c0.yaml", "--kubeconfig", "kubeconfig"]);
    run.fails_with(&[
        "--side compute",
        "--side control-plane",
        "--side both",
        "--output-dir DIR",
        "two clusters",
    ]);
}

#[test]
fn a_wrong_side_is_answered_with_the_right_ones() {
    let run = render_side(&Sandbox::with_cluster(), "controlplane");
    run.fails_with(&["compute, control-plane, both"]);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let sandbox = Sandbox::with_cluster();
    let mut child = sandbox
        .command()
        .args([
            "render",
            "-f",
            "-",
            "--kubeconfig",
            "kubeconfig",
            "--side",
            "both",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The pipe's end is closed before the program has got anything that it could render.
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    input.write_all(values("token: none\n").as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), messages.as_str()), (Some(0), ""));
}

#[test]
fn output_that_can_not_be_written_is_an_error() {
    let sandbox = Sandbox::with_cluster();
    let output = sandbox
        .command()
        .args([
            "render",
            "-f",
            "c0.yaml",
            "--kubeconfig",
            "kubeconfig",
            "--side",
            "both",
        ])
        .stdout(File::options().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{messages}");
    assert!(
        messages.starts_with("error: failed to write to standard output\ncaused by: "),
        "{messages}"
    );
}

#[test]
fn a_token_comes_from_a_file_or_from_standard_input() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", values(""));
    let arguments = [
        "render",
        "-f",
        "c0.yaml",
        "--kubeconfig",
        "kubeconfig",
        "--side",
        "both",
    ];
    let token = fixture("tokens/long-lived.token");
    let from_file = sandbox.run(arguments.iter().chain(&["--token-file", &token]));
    let from_input = sandbox.run_with_input(
        arguments.iter().chain(&["--token-file", "-"]),
        &fixture_text("tokens/long-lived-newline.token"),
    );
    assert_eq!(from_file.succeeds_quietly(), from_input.succeeds_quietly());
    let secret = object(&from_input.stdout, "Secret", "cluster-c0-client-token");
    assert_eq!(
        secret["data"],
        yaml(&format!(
            "token: {}",
            crate::support::base64(fixture_text("tokens/long-lived.token"))
        ))
    );
}

#[test]
fn only_one_input_is_standard_input() {
    let sandbox = Sandbox::with_cluster();
    for (flags, named) in [
        (
            ["-f", "-", "--token-file", "-", "--kubeconfig", "kubeconfig"],
            ["--values", "--token-file"],
        ),
        (
            ["-f", "-", "--kubeconfig", "-", "--token-file", "x"],
            ["--values", "--kubeconfig"],
        ),
        (
            ["-f", "c0.yaml", "--kubeconfig", "-", "--token-file", "-"],
            ["--kubeconfig", "--token-file"],
        ),
    ] {
        let run = sandbox.run(["render", "--side", "both"].iter().chain(&flags));
        run.fails_with(&["standard input", named[0], named[1]]);
    }
}

#[test]
fn a_kubeconfig_comes_from_standard_input_too() {
    let sandbox = Sandbox::with_cluster();
    let from_file = sandbox.render(&[]);
    let from_input = sandbox.run_with_input(
        [
            "render",
            "-f",
            "c0.yaml",
            "--kubeconfig",
            "-",
            "--side",
            "both",
        ],
        &sandbox.read("kubeconfig"),
    );
    assert_eq!(from_input.succeeds_quietly(), from_file.succeeds_quietly());
}

#[test]
fn secrets_of_the_other_side_are_not_read() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write(
        "c0.yaml",
        "name: c0\nstorage: {credentials: {accessKeyId: {env: UNSET}, secretAccessKey: {file: no}}}\n\
         token: none\n",
    );
    render_side(&sandbox, "control-plane").succeeds_quietly();
    render_side(&sandbox, "compute").fails_with(&["UNSET"]);
    for token in ["{env: UNSET}", "{file: no-such-file}"] {
        sandbox.write("c0.yaml", values(&format!("token: {token}\n")));
        render_side(&sandbox, "compute").succeeds_quietly();
        let expected = token.trim_matches(['{', '}']).split_once(": ").unwrap().1;
        render_side(&sandbox, "control-plane").fails_with(&[expected]);
    }
}

#[test]
fn the_control_plane_side_needs_a_decision_about_the_token() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", values(""));
    render_side(&sandbox, "compute").succeeds_quietly();
    for side in ["control-plane", "both"] {
        render_side(&sandbox, side).fails_with(&[
            "--token-file FILE",
            "{file: PATH}",
            "{env: NAME}",
            "token: none",
            "--side compute",
        ]);
    }
}

#[test]
fn a_token_that_someone_else_makes_is_still_named_by_the_cluster() {
    let sandbox = Sandbox::with_cluster();
    let run = render_side(&sandbox, "control-plane");
    let stream = run.succeeds_quietly();
    assert_eq!(
        identities(stream),
        ["Secret/cluster-c0-ca-data", "Cluster/c0"]
    );
    assert_eq!(
        object(stream, "Cluster", "c0")["spec"]["kubernetes"]["rest"]["tokenTag"],
        yaml("cluster-c0-client-token")
    );
}

#[test]
fn a_token_is_refused_where_none_is_rendered() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", values(""));
    let run = sandbox.run([
        "render",
        "-f",
        "c0.yaml",
        "--kubeconfig",
        "kubeconfig",
        "--side",
        "compute",
        "--token-file",
        "token",
    ]);
    run.fails_with(&["--token-file", "compute"]);
}

#[test]
fn colours_are_for_terminals_and_those_who_ask() {
    let sandbox = Sandbox::new();
    sandbox.write("c0.yaml", values("token: none\n"));
    // A warning and an error.
    for (server, code) in [("https://api.local", 0), ("http://api.example.com", 2)] {
        sandbox.write("kubeconfig", kubeconfig(&format!("server: {server}")));
        let render = |variables: &[(&str, &str)]| {
            let mut command = sandbox.command();
            command.args(["render", "-f", "c0.yaml", "--kubeconfig", "kubeconfig"]);
            command
                .args(["--side", "both"])
                .envs(variables.iter().copied());
            let run = run(&mut command, "");
            assert_eq!(run.code, code, "{}", run.stderr);
            assert!(!run.stderr.is_empty());
            assert!(!run.stdout.contains('\x1b'), "{server} {variables:?}");
            run.stderr
        };
        let force = ("CLICOLOR_FORCE", "1");
        assert!(!render(&[]).contains('\x1b'), "{server}");
        assert!(
            !render(&[("TERM", "xterm-256color")]).contains('\x1b'),
            "{server}"
        );
        assert!(render(&[force]).contains('\x1b'), "{server}");
        assert!(
            !render(&[force, ("NO_COLOR", "1")]).contains('\x1b'),
            "{server}"
        );
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes_everywhere() {
    let sandbox = with_everything();
    let expected = sandbox.render(&[]);
    expected.succeeds_quietly();
    let elsewhere = sandbox.path().join("else/where");
    fs::create_dir_all(&elsewhere).unwrap();
    let of_sandbox = |name: &str| sandbox.path().join(name);
    let mut command = sandbox.command();
    command
        .current_dir(&elsewhere)
        .env("HOME", &elsewhere)
        .env("TZ", "Pacific/Kiritimati")
        .env("LANG", "tr_TR.UTF-8")
        .env("LC_ALL", "tr_TR.UTF-8")
        .env("USER", "someone")
        .env("HOSTNAME", "elsewhere")
        .args(["render", "--side", "both", "-f"])
        .arg(of_sandbox("c0.yaml"))
        .arg("--kubeconfig")
        .arg(of_sandbox("kubeconfig"));
    assert_eq!(run(&mut command, ""), expected);
    for _ in 0..3 {
        assert_eq!(sandbox.render(&[]), expected);
    }
    assert!(!expected.stdout.contains(sandbox.path().to_str().unwrap()));
    assert!(!expected.stdout.contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn standard_output_is_empty_where_anything_is_wrong() {
    let sandbox = Sandbox::with_cluster();
    // The last template of the last side, when all others have been rendered.
    sandbox.write(
        "own/control-plane/90-broken.yaml.j2",
        "kind: {{ nothing_of_this_name }}\n",
    );
    sandbox
        .render(&["--templates", "own"])
        .fails_with(&["90-broken.yaml.j2"]);
}

//! `render` to standard output.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

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
    run(&mut sandbox.render_command(&["--side", side]), "")
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
    let run = run(&mut sandbox.render_command(&[]), "");
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
        .render_command(&["--side", "both"])
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
    let token = fixture("tokens/long-lived.token");
    let from_file = sandbox.render(&["--token-file", &token]);
    let from_input = run(
        &mut sandbox.render_command(&["--side", "both", "--token-file", "-"]),
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
    let mut command = sandbox.render_command(&["--side", "compute", "--token-file", "token"]);
    run(&mut command, "").fails_with(&["--token-file", "compute"]);
}

/// What a run writes to standard error where that is a terminal.
pub fn on_a_terminal(command: &mut Command) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let other_end = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(other_end.try_clone().unwrap());
    command.status().unwrap();
    // A terminal says that nothing more will come by an error, and only once nobody holds it.
    command.stderr(Stdio::null());
    drop(other_end);
    let mut written = Vec::new();
    let _ = File::from(terminal).read_to_end(&mut written);
    String::from_utf8(written).unwrap()
}

#[test]
fn colours_are_for_terminals() {
    let sandbox = Sandbox::new();
    sandbox.write("c0.yaml", values("token: none\n"));
    // A warning and an error.
    for server in ["https://api.local", "http://api.example.com"] {
        sandbox.write("kubeconfig", kubeconfig(&format!("server: {server}")));
        let command = |variables: &[(&str, &str)]| {
            let mut command = sandbox.render_command(&["--side", "both"]);
            command.env("TERM", "xterm-256color");
            command.envs(variables.iter().copied());
            command
        };
        assert!(
            on_a_terminal(&mut command(&[])).contains('\x1b'),
            "{server}"
        );
        let plain = on_a_terminal(&mut command(&[("NO_COLOR", "1")]));
        assert!(!plain.is_empty() && !plain.contains('\x1b'), "{plain}");
        for variables in [&[][..], &[("CLICOLOR_FORCE", "1")]] {
            let piped = run(&mut command(variables), "");
            assert!(!piped.stderr.is_empty());
            assert!(!piped.stderr.contains('\x1b'), "{server} {variables:?}");
            assert!(!piped.stdout.contains('\x1b'), "{server} {variables:?}");
        }
    }
}

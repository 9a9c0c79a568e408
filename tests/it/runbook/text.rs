//! What a script says, and what the program refuses to make one of.

use insta::assert_snapshot;

use super::{CONTROL_PLANE, DEREGISTER, REGISTER, ROTATE, TWO_TOKENS, world};
use crate::shellcheck::shellcheck;
use crate::support::{
    Sandbox, fixture, fixture_names, fixture_text, kubeconfig, project, run, values,
};

#[test]
fn scripts_pass_shellcheck() {
    assert_ne!(shellcheck("#!/bin/bash\necho $1\n"), "", "it finds things");
    let odd = world(TWO_TOKENS);
    for procedure in [REGISTER, ROTATE, DEREGISTER] {
        let script = odd.script(procedure);
        assert_eq!(shellcheck(script.succeeds_quietly()), "", "{procedure}");
        for name in fixture_names("values") {
            let values = fixture(&format!("values/{name}.yaml"));
            let has_two_tokens =
                fixture_text(&format!("values/{name}.yaml")).contains("tokenSecrets:");
            if procedure == ROTATE && !has_two_tokens {
                continue;
            }
            let arguments = [
                "runbook",
                procedure,
                "-f",
                &values,
                "--control-plane-context",
                "cp",
            ];
            // No variable and no token file that the values name is read.
            let script = odd.sandbox.run(arguments);
            assert_eq!(shellcheck(script.succeeds()), "", "{procedure} {name}");
            if procedure == DEREGISTER {
                let gone = [&arguments[..], &["--compute-is-gone"]].concat();
                let script = odd.sandbox.run(gone);
                assert_eq!(shellcheck(script.succeeds()), "", "gone {name}");
            }
        }
    }
}

#[test]
fn the_script_for_openshift() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    command.current_dir(project()).args([
        "runbook",
        ROTATE,
        "-f",
        "fixtures/values/openshift.yaml",
        "--control-plane-context",
        "control-plane",
        "--control-plane-kubeconfig",
        "control-plane.kubeconfig",
    ]);
    let run = run(&mut command, "");
    assert_snapshot!(run.succeeds());
    // The script may be meant for another machine.
    assert!(
        run.stderr
            .starts_with("note: `--control-plane-kubeconfig` can't be used here: "),
        "{}",
        run.stderr
    );
}

#[test]
fn flags_reach_the_commands_of_the_script() {
    let sandbox = Sandbox::new();
    sandbox.write("-c0.yaml", "name: c0\n");
    sandbox.write("d.yaml", "storage: {credentials: workloadIdentity}\n");
    sandbox.write("my config", kubeconfig("server: https://203.0.113.7:6443"));
    let script = sandbox.run([
        "runbook",
        REGISTER,
        "--values=-c0.yaml",
        "--defaults=d.yaml",
        "--kubeconfig=my config",
        "--strict",
        "--control-plane-context=--help",
    ]);
    let script = script.succeeds_quietly();
    for line in [
        "      render=(ma-register render -f ./-c0.yaml --defaults=d.yaml '--kubeconfig=my config' --strict --context=ctx)",
        "      compute=(kubectl '--kubeconfig=my config' --context=ctx)",
        "control_plane=(kubectl --context=--help)",
        "      storage_secret=no",
    ] {
        assert!(
            script.lines().any(|other| other == line),
            "{line} not in {script}"
        );
    }
}

#[test]
fn the_kubeconfig_of_the_environment_stays_there() {
    let sandbox = Sandbox::with_cluster();
    let arguments = [
        "runbook",
        REGISTER,
        "-f",
        "c0.yaml",
        "--control-plane-context",
        "ctxx",
    ];
    let mut command = sandbox.command();
    command.args(arguments).env("KUBECONFIG", "kubeconfig");
    let run = run(&mut command, "");
    assert_eq!(
        run.stderr,
        "note: no kubeconfig here has the context `ctxx` of `--control-plane-context` (did you mean `ctx`?); right only where the script is for another machine\n"
    );
    // The current context may change, so it is named to both programs.
    let script = run.succeeds();
    assert!(
        script.contains("compute=(kubectl --context=ctx)\n"),
        "{script}"
    );
    assert!(script.contains("render=(ma-register render -f c0.yaml --context=ctx)\n"));
}

#[test]
fn the_same_context_for_both_sides_is_mentioned() {
    let sandbox = Sandbox::with_cluster();
    let run = sandbox.run([
        "runbook",
        REGISTER,
        "-f",
        "c0.yaml",
        "--kubeconfig",
        "kubeconfig",
        "--control-plane-kubeconfig",
        "kubeconfig",
        "--control-plane-context",
        "ctx",
    ]);
    run.succeeds();
    assert!(
        run.stderr.starts_with(
            "note: the control plane and the compute cluster `c0` are the same context"
        )
    );
}

#[test]
fn what_no_script_can_be_made_of_is_refused() {
    let sandbox = Sandbox::with_cluster();
    let refuses = |arguments: &[&str], parts: &[&str]| {
        let common = ["runbook", ROTATE, "--kubeconfig", "kubeconfig"];
        sandbox.run([&common, arguments].concat()).fails_with(parts);
    };
    let cp = "--control-plane-context=cp";
    refuses(&["-f", "-", cp], &["`--values`", "standard input"]);
    refuses(
        &["-f", "c0.yaml", "--defaults=-", cp],
        &["`--defaults`", "standard input"],
    );
    refuses(
        &["-f", "c0.yaml", "--control-plane-kubeconfig=-", cp],
        &["standard input"],
    );
    refuses(
        &["-f", "c0.yaml", "--control-plane-context="],
        &["`--control-plane-context`", "empty"],
    );
    // As is what `<(…)` gives.
    refuses(
        &["-f", "/dev/null", cp],
        &["`--values`", "`/dev/null`, which is no file"],
    );
    refuses(&["-f", "c0.yaml", "--token-file=t", cp], &["--token-file"]);
    refuses(&["-f", "c0.yaml"], &["--control-plane-context"]);
    refuses(
        &["-f", "c0.yaml", cp],
        &[
            "`serviceAccount.tokenSecrets`",
            "append",
            "[ray-manager-token, ray-manager-token-2]",
        ],
    );
    refuses(&["-f", "c0.yaml", "--templates=none", cp], &["none"]);
    sandbox.write("c0.yaml", values("nosuchkey: 1\n"));
    refuses(&["-f", "c0.yaml", cp], &["nosuchkey"]);
    refuses(
        &["-f", "c0.yaml", "none.yaml", cp],
        &["failed to write a script for 2 of 2 clusters"],
    );
    let nul = kubeconfig("server: https://203.0.113.7:6443").replace("ctx", "\"c\\0x\"");
    sandbox.write("kubeconfig", nul);
    sandbox.write("c0.yaml", values(TWO_TOKENS));
    refuses(&["-f", "c0.yaml", cp], &["no script can hold"]);
}

#[test]
fn each_of_several_clusters_of_a_file_is_rendered_alone() {
    let sandbox = Sandbox::with_cluster();
    let one = values("kubeconfig: {context: ctx, path: kubeconfig}\n");
    let two = one
        .replace("c0", "c1")
        .replace("path: kubeconfig", "path: other");
    sandbox.write("two.yaml", format!("{one}---\n{two}"));
    sandbox.write("other", kubeconfig("server: https://203.0.113.8:6443"));
    let arguments = [
        "runbook",
        REGISTER,
        "-f",
        "two.yaml",
        "--control-plane-context",
        "cp",
    ];
    let both = sandbox.run(arguments);
    let script = both.succeeds_quietly();
    for cluster in ["c0", "c1"] {
        let render = format!(" render -f two.yaml --cluster={cluster})\n");
        assert!(script.contains(&render), "{script}");
    }
    let one = sandbox.run(arguments.iter().chain(&["--cluster", "c1"]));
    let script = one.succeeds_quietly();
    assert!(
        script.contains(" --cluster=c1 --control-plane-context=cp"),
        "{script}"
    );
    assert!(!script.contains("c0"), "{script}");
}

#[test]
fn the_current_context_is_pinned() {
    let sandbox = Sandbox::with_cluster();
    let again = |arguments: &[&str]| {
        let begin = [
            "runbook",
            REGISTER,
            "-f",
            "c0.yaml",
            "--kubeconfig",
            "kubeconfig",
        ];
        let end = ["--control-plane-context", "cp"];
        let run = sandbox.run([&begin, arguments, &end].concat());
        run.succeeds_quietly().to_owned()
    };
    let script = again(&[]);
    assert!(
        script.contains(" --context=ctx --control-plane-context=cp"),
        "{script}"
    );
    // Made again by these words it is the same, and what is current is another matter.
    assert_eq!(again(&["--context=ctx"]), script);
    let other = sandbox
        .read("kubeconfig")
        .replace("current-context: ctx", "current-context: other");
    sandbox.write("kubeconfig", other);
    assert_eq!(again(&["--context=ctx"]), script);
}

#[test]
fn findings_are_told_here_already() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("kubeconfig", kubeconfig("server: https://127.0.0.1:6443"));
    let run = sandbox.run([
        "runbook",
        REGISTER,
        "-f",
        "c0.yaml",
        "--kubeconfig",
        "kubeconfig",
        "--control-plane-context",
        CONTROL_PLANE,
    ]);
    run.fails_with(&["error[loopback-server]"]);
}

//! The program as a plugin of kubectl: by the names of links to it.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::kubectl::program;
use crate::readme::{blocks, readme};
use crate::support::{Run, Sandbox, fixture, project, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ma-register");

/// A folder in which both links are, made as the README says.
fn linked() -> Sandbox {
    let sandbox = Sandbox::with_cluster();
    let readme = readme();
    let links = blocks(&readme, "sh")
        .into_iter()
        .find(|block| block.starts_with("ln -s"))
        .unwrap();
    assert_eq!(links.lines().count(), 2);
    fs::create_dir_all(sandbox.path().join(".local/bin")).unwrap();
    let path = Path::new(PROGRAM).parent().unwrap().display();
    let mut bash = Command::new("bash");
    bash.args(["-ec", links])
        .env_clear()
        .env("HOME", sandbox.path())
        .env("PATH", format!("{path}:/usr/bin:/bin"));
    run(&mut bash, "").succeeds_quietly();
    sandbox
}

fn folder(sandbox: &Sandbox) -> PathBuf {
    sandbox.path().join(".local/bin")
}

/// Runs a link.
fn call(sandbox: &Sandbox, link: &str, arguments: &[&str]) -> Run {
    let mut command = Command::new(folder(sandbox).join(link));
    command
        .current_dir(sandbox.path())
        .env_clear()
        .env("HOME", sandbox.path())
        .args(arguments);
    run(&mut command, "")
}

/// Runs kubectl with the links on its path; nothing where it is missing and doesn't have to be there.
fn kubectl(sandbox: &Sandbox, arguments: &[&str], input: &str) -> Option<Run> {
    let program = program()?;
    let mut folders = vec![folder(sandbox)];
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let mut command = Command::new(program);
    command
        .current_dir(project())
        .env("PATH", env::join_paths(folders).unwrap())
        .env("HOME", sandbox.path())
        .env("KUBECONFIG", sandbox.path().join("kubeconfig"))
        .args(arguments);
    Some(run(&mut command, input))
}

#[test]
fn kubectl_runs_it_with_its_input_output_and_exit_code() {
    let sandbox = linked();
    let seed = fixture("values/seed.yaml");
    let token = project().join("fixtures/tokens/long-lived.token");
    let token = fs::read_to_string(token).unwrap();
    let arguments = ["render", "-f", &seed, "--token-file", "-", "--side", "both"];
    let with_name: Vec<&str> = ["ma-register"].into_iter().chain(arguments).collect();
    let Some(by_kubectl) = kubectl(&sandbox, &with_name, &token) else {
        return;
    };
    let mut itself = sandbox.command();
    itself.current_dir(project()).args(arguments);
    let itself = run(&mut itself, &token);
    itself.succeeds();
    assert_eq!(by_kubectl, itself);
    let wrong = kubectl(&sandbox, &["ma-register", "render"], "").unwrap();
    assert_eq!((wrong.code, wrong.stdout.as_str()), (2, ""));
}

#[test]
fn help_shows_it_as_it_is_called() {
    let sandbox = linked();
    let help = call(&sandbox, "kubectl-ma_register", &["render", "--help"]);
    let help = help.succeeds_quietly();
    assert!(
        help.contains("Usage: kubectl ma-register render [OPTIONS]"),
        "{help}"
    );
    assert!(
        help.contains("\n  kubectl ma-register render -f c0.yaml --side compute |\n    kubectl "),
        "{help}"
    );
    assert!(!help.contains("\n  ma-register"), "{help}");
    let wrong = call(&sandbox, "kubectl-ma_register", &["rendr"]);
    assert!(
        wrong
            .stderr
            .contains("'render'\n\nUsage: kubectl ma-register <COMMAND>"),
        "{}",
        wrong.stderr
    );
    let own = sandbox.run(["render", "--help"]);
    assert!(
        own.succeeds_quietly()
            .contains("Usage: ma-register render [OPTIONS]"),
        "{}",
        own.stdout
    );
    // A link of any other name is the program itself.
    symlink(PROGRAM, folder(&sandbox).join("register")).unwrap();
    let other = call(&sandbox, "register", &["schema"]);
    assert_eq!(other, sandbox.run(["schema"]));
}

#[test]
fn it_answers_what_completes_its_arguments() {
    let sandbox = linked();
    sandbox.write("clusters/a.yaml", "");
    for (arguments, answer) in [
        (
            &["render", "--side", "c"][..],
            "compute\tWhat the compute cluster gets\ncontrol-plane\tWhat the control-plane cluster gets\n:4\n",
        ),
        (
            &["init", "--kubeconfig", "kubeconfig", "--context", ""],
            "ctx\tvalue\n:4\n",
        ),
        (&["render", "-f", "cl"], "clusters/\tvalue\n:6\n"),
        (
            &["render", "-f", "clusters/a"],
            "clusters/a.yaml\tvalue\n:4\n",
        ),
        (
            &["sch"],
            "schema\tWrite the JSON Schema of the values file, for editors\n:4\n",
        ),
        (&["nosuchcommand", "a"], ":4\n"),
    ] {
        let run = call(&sandbox, "kubectl_complete-ma_register", arguments);
        assert_eq!(run.succeeds_quietly(), answer, "{arguments:?}");
    }
}

#[test]
fn kubectls_script_gets_nothing_that_it_could_run() {
    let sandbox = linked();
    for name in [
        "$(touch pwned)",
        "`touch pwned`",
        "x;touch pwned",
        "a b",
        "a'b",
        "~b",
        "c\n:1",
        "good",
    ] {
        sandbox.write(&format!("odd/{name}.yaml"), "");
    }
    let run = call(
        &sandbox,
        "kubectl_complete-ma_register",
        &["render", "-f", "odd/"],
    );
    assert_eq!(run.succeeds_quietly(), "odd/good.yaml\tvalue\n:4\n");
}

#[test]
fn kubectl_takes_its_answers() {
    let sandbox = linked();
    let words = ["__complete", "ma-register", "render", "--context", ""];
    let Some(run) = kubectl(&sandbox, &words, "") else {
        return;
    };
    assert!(
        run.succeeds().starts_with("ctx\tvalue\n:4\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn the_help_of_both_is_that_of_the_same_commands() {
    let sandbox = linked();
    let plugin = call(&sandbox, "kubectl-ma_register", &["--help"]).stdout;
    let own = sandbox.run(["--help"]).stdout;
    assert_eq!(plugin.replace("kubectl ma-register", "ma-register"), own);
}

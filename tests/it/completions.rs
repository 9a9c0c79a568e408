//! `completions` and `man`: the help in other forms.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use clap::CommandFactory as _;
use ma_register::cli::Cli;

use crate::shellcheck::shellcheck;
use crate::support::{Sandbox, run};

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

/// Every command, with the one that it is in, as `runbook-rotate`.
fn commands() -> Vec<String> {
    fn add(within: &clap::Command, prefix: &str, names: &mut Vec<String>) {
        for command in within.get_subcommands() {
            let name = format!("{prefix}{}", command.get_name());
            add(command, &format!("{name}-"), names);
            names.push(name);
        }
    }
    let mut names = Vec::new();
    add(&Cli::command(), "", &mut names);
    names
}

#[test]
fn every_shell_has_a_script_that_asks_the_program() {
    let sandbox = Sandbox::new();
    for shell in SHELLS {
        let run = sandbox.run(["completions", shell]);
        let script = run.succeeds_quietly();
        assert!(script.ends_with('\n'), "{shell}");
        assert!(script.contains("MA_REGISTER_COMPLETE"), "{script}");
        // By its name, wherever it is.
        assert!(!script.contains("/ma-register"), "{script}");
        assert_eq!(sandbox.run(["completions", shell]), run);
    }
    let run = sandbox.run(["completions", "csh"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    for shell in SHELLS {
        assert!(run.stderr.contains(shell), "{}", run.stderr);
    }
}

#[test]
fn the_script_of_bash_passes_shellcheck() {
    let run = Sandbox::new().run(["completions", "bash"]);
    let script = format!("#!/usr/bin/env bash\n{}", run.succeeds_quietly());
    assert_eq!(shellcheck(&script), "");
}

/// A folder with files and kubeconfigs to choose from, in which the program is on the path.
struct Shell(Sandbox);

const CONTEXTS: &str = "contexts:
- {name: arn:aws:eks:us-east-1:123456789012:cluster/a, context: {cluster: c}}
- {name: arn:aws:eks:us-east-1:123456789012:cluster/b, context: {cluster: c}}
- {name: gke_project_us-central1_jobs, context: {cluster: c}}
- {name: with space, context: {cluster: c}}
- {name: \"with\\nline\", context: {cluster: c}}
";

impl Shell {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("clusters/c0.yaml", "");
        sandbox.write("clusters/notes.txt", "");
        sandbox.write("my clusters/c1.yaml", "");
        sandbox.write(".kube/config", CONTEXTS);
        sandbox.write("other", CONTEXTS.replace("name: gke", "name: other"));
        sandbox.write("broken", "contexts: [");
        Self(sandbox)
    }

    fn bash(&self, script: &str) -> String {
        let program = Path::new(env!("CARGO_BIN_EXE_ma-register"));
        let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
        let mut bash = Command::new("bash");
        bash.args(["-c", script])
            .current_dir(self.0.path())
            .env_clear()
            .env("HOME", self.0.path())
            .env("PATH", path);
        run(&mut bash, "").succeeds_quietly().to_owned()
    }

    /// What bash inserts for the end of a line that is typed; it has split the line into words.
    fn offers(&self, line: &str) -> Vec<String> {
        let words = split(line);
        let array: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let script = format!(
            "source <(ma-register completions bash)
             COMP_LINE='{line}' COMP_POINT=${{#COMP_LINE}}
             COMP_WORDS=({}) COMP_CWORD={}
             $(complete -p ma-register | grep -o '_ma[^ ]*')
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            array.join(" "),
            words.len() - 1
        );
        self.bash(&script).lines().map(str::to_owned).collect()
    }
}

/// Splits a line into words as bash's line editor does: at blanks, and around `=` and `:`, which are
/// words of their own.
fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for character in line.chars() {
        let is_mark = |word: &String| word.starts_with([':', '=']);
        let last = words.last_mut().unwrap();
        match character {
            ' ' if last.is_empty() => {}
            ' ' => words.push(String::new()),
            ':' | '=' if last.is_empty() || is_mark(last) => last.push(character),
            ':' | '=' => words.push(character.to_string()),
            _ if is_mark(last) => words.push(character.to_string()),
            _ => last.push(character),
        }
    }
    words
}

#[test]
fn a_line_is_split_as_bash_does() {
    assert_eq!(
        split("a -b=c d:e "),
        ["a", "-b", "=", "c", "d", ":", "e", ""]
    );
    assert_eq!(split("a -b="), ["a", "-b", "="]);
}

#[test]
fn bash_completes_commands_flags_values_and_files() {
    let shell = Shell::new();
    for (line, expected) in [
        ("ma-register di", &["diff"][..]),
        ("ma-register runbook d", &["deregister"]),
        ("ma-register render --plain", &["--plaintext-secrets"]),
        ("ma-register render --side c", &["compute", "control-plane"]),
        ("ma-register render --side=b", &["both"]),
        ("ma-register render -f c", &["clusters/"]),
        ("ma-register render -f clusters/", &["clusters/c0.yaml"]),
        (
            "ma-register render -f a.yaml clusters/",
            &["clusters/c0.yaml"],
        ),
        ("ma-register render -f m", &["my\\ clusters/"]),
        (
            "ma-register render --defaults=clusters/",
            &["clusters/c0.yaml"],
        ),
        (
            "ma-register inspect --token-file ~/clusters/n",
            &["~/clusters/notes.txt"],
        ),
        ("ma-register completions f", &["fish"]),
        ("ma-register nosuchcommand x", &[""]),
    ] {
        assert_eq!(shell.offers(line), expected, "{line}");
    }
}

#[test]
fn bash_completes_contexts_colons_and_all() {
    const CLUSTERS: [&str; 2] = ["cluster/a", "cluster/b"];
    let shell = Shell::new();
    let arn = "arn:aws:eks:us-east-1:123456789012:";
    let whole = CLUSTERS.map(|cluster| format!("{arn}{cluster}"));
    for flag in [
        "render --context ",
        "init --context ",
        "runbook rotate --control-plane-context ",
    ] {
        let line = format!("ma-register {flag}");
        assert_eq!(shell.offers(&format!("{line}a")), whole, "{line}");
        assert_eq!(shell.offers(&format!("{line}{arn}c")), CLUSTERS, "{line}");
        assert_eq!(
            shell.offers(&format!("{line}{arn}cluster/b")),
            [CLUSTERS[1]]
        );
        // That with a line's end couldn't be typed.
        assert_eq!(shell.offers(&format!("{line}w")), ["with\\ space"]);
    }
    assert_eq!(
        shell.offers(&format!("ma-register render --context={arn}")),
        CLUSTERS
    );
    assert_eq!(
        shell.offers("ma-register render --context=g"),
        ["gke_project_us-central1_jobs"]
    );
    for kubeconfig in [
        "--kubeconfig other",
        "--kubeconfig=other",
        "--kubeconfig ~/other",
    ] {
        let line = format!("ma-register inspect {kubeconfig} --context o");
        assert_eq!(
            shell.offers(&line),
            ["other_project_us-central1_jobs"],
            "{line}"
        );
    }
    let line = "ma-register runbook rotate --kubeconfig none --control-plane-kubeconfig other --control-plane-context o";
    assert_eq!(shell.offers(line), ["other_project_us-central1_jobs"]);
}

#[test]
fn what_goes_wrong_while_completing_is_not_told() {
    let shell = Shell::new();
    for kubeconfig in ["broken", "none", "clusters", "-"] {
        let line = format!("ma-register render --kubeconfig {kubeconfig} --context ");
        assert_eq!(shell.offers(&line), [""], "{line}");
    }
}

#[test]
fn every_command_has_a_page() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(["man", "--output-dir", "new/man1"]);
    let pages = commands().len() + 1;
    assert_eq!(run.succeeds(), "");
    assert_eq!(run.stderr, format!("`new/man1`: {pages} pages written\n"));
    let mut names: Vec<String> = commands()
        .iter()
        .map(|name| format!("ma-register-{name}.1"))
        .chain(["ma-register.1".to_owned()])
        .collect();
    names.sort();
    assert_eq!(sandbox.files("new/man1"), names);
    let version = env!("CARGO_PKG_VERSION");
    for name in &names {
        let page = sandbox.read(&format!("new/man1/{name}"));
        let stem = name.strip_suffix(".1").unwrap();
        // Name, section, no date, source.
        let title = format!("\n.TH {stem} 1 \" \" \"ma-register {version}\" \n");
        assert!(page.contains(&title), "{page}");
        let is_of_command = stem != "ma-register";
        for section in [".SH EXAMPLES\n.nf\n", ".SH \"FILES AND EXIT CODE\"\n"] {
            assert_eq!(page.contains(section), is_of_command, "{page}");
        }
    }
    let main = sandbox.run(["man"]);
    assert_eq!(
        main.succeeds_quietly(),
        sandbox.read("new/man1/ma-register.1")
    );
    for name in &names {
        let within = match name.starts_with("ma-register-runbook-") {
            true => "ma-register-runbook.1",
            false => "ma-register.1",
        };
        if name != "ma-register.1" {
            let reference = name.replace(".1", "(1)").replace('-', "\\-");
            let page = sandbox.read(&format!("new/man1/{within}"));
            assert!(page.contains(&reference), "{reference}");
        }
    }
}

#[test]
fn older_pages_are_replaced_and_links_are_not_followed() {
    let sandbox = Sandbox::new();
    sandbox.write("man1/ma-register.1", "old");
    sandbox.write("man1/other.1", "other");
    sandbox.write("elsewhere", "mine");
    let link = sandbox.path().join("man1/ma-register-diff.1");
    symlink(sandbox.path().join("elsewhere"), &link).unwrap();
    sandbox.run(["man", "-o", "man1"]).succeeds();
    assert_eq!(
        sandbox.read("man1/ma-register.1"),
        sandbox.run(["man"]).stdout
    );
    assert_eq!(sandbox.read("man1/other.1"), "other");
    assert_eq!(sandbox.read("elsewhere"), "mine");
    assert!(!link.is_symlink());
    assert_eq!(sandbox.files("man1").len(), commands().len() + 2);
    sandbox.run(["man", "-o", "elsewhere"]).fails_with(&[
        "error: failed to write into `elsewhere`\ncaused by: `elsewhere` is not a folder\n",
    ]);
}

#[test]
fn what_a_killed_run_has_left_is_in_nobodys_way() {
    let sandbox = Sandbox::new();
    let left = [
        "ma-register.1.tmp",
        ".ma-register-0.tmp",
        ".ma-register-1.tmp",
    ];
    for name in left {
        sandbox.write(&format!("man1/{name}"), "left");
    }
    sandbox.run(["man", "-o", "man1"]).succeeds();
    for name in left {
        assert_eq!(sandbox.read(&format!("man1/{name}")), "left");
    }
    assert_eq!(
        sandbox.files("man1").len(),
        commands().len() + 1 + left.len()
    );
}

#[test]
fn runs_at_once_write_the_same_pages() {
    let sandbox = Sandbox::new();
    let runs: Vec<_> = (0..8)
        .map(|_| {
            let mut command = sandbox.command();
            command.args(["man", "-o", "man1"]).stderr(Stdio::null());
            command.spawn().unwrap()
        })
        .collect();
    for mut run in runs {
        assert!(run.wait().unwrap().success());
    }
    assert_eq!(sandbox.files("man1").len(), commands().len() + 1);
}

#[test]
fn no_page_is_replaced_where_one_cannot_be() {
    let sandbox = Sandbox::new();
    sandbox.write("man1/ma-register.1", "old");
    sandbox.write("man1/ma-register-init.1/page", "mine");
    sandbox.write("man1/ma-register-schema.1/page", "mine");
    sandbox.run(["man", "-o", "man1"]).fails_with(&[
        "error: failed to write into `man1`\ncaused by: there is a folder at `man1/ma-register-init.1`, `man1/ma-register-schema.1`, where a file is to be: remove it, or name another folder\n",
    ]);
    assert_eq!(sandbox.read("man1/ma-register.1"), "old");
    assert_eq!(sandbox.files("man1").len(), 3);
}

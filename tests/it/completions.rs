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
- {name: kubernetes-admin@kubernetes, context: {cluster: c}}
- {name: '{a,b}', context: {cluster: c}}
- {name: ~home, context: {cluster: c}}
- {name: eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln, context: {cluster: c}}
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

    /// What bash inserts for the end of a line that is typed.
    fn offers(&self, line: &str) -> Vec<String> {
        self.offers_with(r#"$' \t\n"\'@><=;|&(:'"#, line)
    }

    /// As above, where these characters begin a word.
    fn offers_with(&self, breaks: &str, line: &str) -> Vec<String> {
        self.0.write("line", line);
        let script = format!(
            "source <(ma-register completions bash)
             COMP_LINE=$(<line) COMP_POINT=1000 COMP_WORDBREAKS={breaks}
             $(complete -p ma-register | grep -o '_ma[^ ]*')
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        self.bash(&script).lines().map(str::to_owned).collect()
    }
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
        (
            "ma-register render --defaults=clusters/",
            &["clusters/c0.yaml"],
        ),
        ("ma-register render -o ", &["clusters/", "my\\ clusters/"]),
        (
            "ma-register inspect --token-file ~/clusters/n",
            &["~/clusters/notes.txt"],
        ),
        ("ma-register completions f", &["fish"]),
        ("ma-register nosuchcommand x", &[""]),
        // Where output goes is the shell's own to complete.
        ("ma-register init > clus", &[""]),
        ("ma-register init >clus", &[""]),
        ("ma-register init > c0.yaml --na", &["--name"]),
    ] {
        assert_eq!(shell.offers(line), expected, "{line}");
    }
}

#[test]
fn bash_completes_what_is_quoted() {
    let shell = Shell::new();
    for (line, expected) in [
        ("render -f m", "my\\ clusters/"),
        ("render -f my\\ c", "my\\ clusters/"),
        ("render -f \"my c", "my clusters/"),
        ("render -f 'my clusters/", "my clusters/c1.yaml"),
        ("render -f \"my clusters\"/", "my\\ clusters/c1.yaml"),
        (
            "render -f \"my clusters/c1.yaml\" clusters/",
            "clusters/c0.yaml",
        ),
        ("render --defaults=\"my c", "my clusters/"),
        ("init --context \"wi", "with space"),
        ("init --context with\\ s", "with\\ space"),
        (
            "init --kubeconfig 'other' --context o",
            "other_project_us-central1_jobs",
        ),
    ] {
        let line = format!("ma-register {line}");
        assert_eq!(shell.offers(&line), [expected], "{line}");
    }
}

#[test]
fn bash_completes_contexts_whatever_is_in_them() {
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
        // bash counts the `@` to the word that it replaces.
        assert_eq!(
            shell.offers(&format!("{line}kubernetes-admin@k")),
            ["@kubernetes"]
        );
        // That with a line's end couldn't be typed, and a token isn't shown.
        assert_eq!(shell.offers(&format!("{line}w")), ["with\\ space"]);
        assert_eq!(shell.offers(&format!("{line}e")), [""]);
        assert_eq!(shell.offers(&format!("{line}{{")), ["\\{a\\,b\\}"]);
        assert_eq!(shell.offers(&format!("{line}~")), ["\\~home"]);
    }
    let line = format!("ma-register render --context={arn}");
    assert_eq!(shell.offers(&line), CLUSTERS);
    let line = "ma-register render --context=g";
    assert_eq!(shell.offers(line), ["gke_project_us-central1_jobs"]);
    // As some have it, for the sake of other programs.
    let breaks = r#"$' \t\n"\'><;|&('"#;
    let line = format!("ma-register render --context={arn}c");
    assert_eq!(
        shell.offers_with(breaks, &line),
        whole.each_ref().map(|name| format!("--context={name}"))
    );
    assert_eq!(
        shell.offers_with(breaks, "ma-register render --context kubernetes-admin@k"),
        ["kubernetes-admin@kubernetes"]
    );
    for kubeconfig in [
        "--kubeconfig other",
        "--kubeconfig=other",
        "--kubeconfig ~/other",
        "--kubeconfig $HOME/other",
        "--kubeconfig=${HOME}/other",
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
fn nothing_that_is_offered_is_run() {
    let shell = Shell::new();
    for name in [
        "$(touch pwned).yaml",
        "`touch pwned`.yaml",
        "x;touch pwned;.yaml",
    ] {
        shell.0.write(&format!("odd/{name}"), "");
    }
    let offers = shell.offers("ma-register render -f odd/");
    assert_eq!(
        offers,
        [
            "odd/\\$\\(touch\\ pwned\\).yaml",
            "odd/\\`touch\\ pwned\\`.yaml",
            "odd/x\\;touch\\ pwned\\;.yaml"
        ]
    );
    // Within double quotes those would be run that have a meaning there.
    let offers = shell.offers("ma-register render -f \"odd/");
    assert_eq!(offers, ["odd/x;touch pwned;.yaml"]);
    assert!(!shell.0.path().join("pwned").exists());
}

#[test]
fn what_goes_wrong_while_completing_is_not_told() {
    let shell = Shell::new();
    // One that is waited for without end.
    let pipe = shell.0.path().join("pipe");
    make_pipe(&pipe);
    for kubeconfig in ["broken", "none", "clusters", "-", "pipe"] {
        let line = format!("ma-register render --kubeconfig {kubeconfig} --context ");
        assert_eq!(shell.offers(&line), [""], "{line}");
    }
}

fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
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
        for section in [".SH EXAMPLES\n.nf\n", ".SH \"FILES AND EXIT CODE\"\n"] {
            assert!(page.contains(section), "{page}");
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

//! `completions` and `man`: the help in other forms.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use clap::CommandFactory as _;
use ma_register::cli::Cli;

use crate::support::{Sandbox, run};

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

fn commands() -> Vec<String> {
    let program = Cli::command();
    let names = program.get_subcommands().map(clap::Command::get_name);
    names.map(str::to_owned).collect()
}

#[test]
fn every_shell_completes_every_command() {
    let sandbox = Sandbox::new();
    for shell in SHELLS {
        let run = sandbox.run(["completions", shell]);
        let script = run.succeeds_quietly();
        assert!(script.ends_with('\n'), "{shell}");
        for name in commands() {
            assert!(script.contains(&name), "{shell} doesn't complete {name}");
        }
        assert_eq!(sandbox.run(["completions", shell]), run);
    }
    let run = sandbox.run(["completions", "csh"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    for shell in SHELLS {
        assert!(run.stderr.contains(shell), "{}", run.stderr);
    }
}

/// What bash offers for the last of some words.
fn offers(sandbox: &Sandbox, words: &str) -> String {
    let script = format!(
        "source <(ma-register completions bash)
         COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
         $(complete -p ma-register | grep -o '_ma[^ ]*') ma-register \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\" 2>/dev/null
         printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let program = Path::new(env!("CARGO_BIN_EXE_ma-register"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let mut bash = Command::new("bash");
    bash.args(["-c", &script])
        .current_dir(sandbox.path())
        .env_clear()
        .env("PATH", path);
    run(&mut bash, "").succeeds_quietly().to_owned()
}

#[test]
fn bash_completes_commands_flags_values_and_files() {
    let sandbox = Sandbox::new();
    sandbox.write("clusters/c0.yaml", "");
    for (words, expected) in [
        ("ma-register di", "diff\n"),
        ("ma-register render --plain", "--plaintext-secrets\n"),
        ("ma-register render --side c", "compute\ncontrol-plane\n"),
        ("ma-register render -f clusters/c", "clusters/c0.yaml\n"),
        (
            "ma-register render --defaults clusters/c",
            "clusters/c0.yaml\n",
        ),
        ("ma-register completions f", "fish\n"),
    ] {
        assert_eq!(offers(&sandbox, words), expected, "{words}");
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
        for section in [
            ".SH EXAMPLES\n.nf\nma\\-register ",
            ".SH \"FILES AND EXIT CODE\"\n",
        ] {
            assert_eq!(page.contains(section), is_of_command, "{page}");
        }
    }
    let main = sandbox.run(["man"]);
    assert_eq!(
        main.succeeds_quietly(),
        sandbox.read("new/man1/ma-register.1")
    );
    for name in &names {
        if name != "ma-register.1" {
            let reference = name.replace(".1", "(1)").replace('-', "\\-");
            assert!(main.stdout.contains(&reference), "{reference}");
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
    sandbox
        .run(["man", "-o", "elsewhere"])
        .fails_with(&["error: failed to write into `elsewhere`\ncaused by: "]);
}

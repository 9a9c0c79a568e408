//! The README's examples, run as they stand.

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Parser;
use ma_register::cli::Cli;
use ma_register::registration::finding::{Code, Level};
use ma_register::render::{VARIABLES, Variables};
use ma_register::side::Side;

use crate::support::{Sandbox, project, run};

pub fn readme() -> String {
    fs::read_to_string(project().join("README.md")).unwrap()
}

/// The contents of the code blocks of a language.
pub fn blocks<'a>(readme: &'a str, language: &str) -> Vec<&'a str> {
    let start = format!("\n```{language}\n");
    let blocks: Vec<&str> = readme
        .split(&start)
        .skip(1)
        .map(|rest| rest.split("\n```").next().unwrap())
        .collect();
    assert!(!blocks.is_empty(), "{language}");
    blocks
}

/// A folder with the fixtures, in which the program is on the PATH.
fn shell(sandbox: &Sandbox, script: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_ma-register"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let script = format!("exec 2>&1\nset -o pipefail\n{script}\n");
    let mut command = Command::new("bash");
    command
        .args(["-c", &script])
        .current_dir(sandbox.path())
        .env_clear()
        .env("HOME", sandbox.path())
        .env("PATH", path);
    run(&mut command, "").stdout
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    std::os::unix::fs::symlink(project().join("fixtures"), sandbox.path().join("fixtures"))
        .unwrap();
    sandbox
}

#[test]
fn transcripts_show_what_the_program_prints() {
    let sandbox = sandbox();
    for block in blocks(&readme(), "console") {
        let mut actual = String::new();
        for command in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
            actual.push_str(&format!("$ {command}\n{}", shell(&sandbox, command)));
        }
        assert_eq!(actual.trim_end(), block);
    }
}

#[test]
fn the_command_that_is_to_be_tried_works() {
    let readme = readme();
    let command = blocks(&readme, "sh")[0];
    let arguments = command
        .strip_prefix("cargo run --release --quiet -- ")
        .unwrap();
    let output = shell(&sandbox(), &format!("ma-register {arguments}"));
    assert!(output.starts_with("---\napiVersion: v1\n"), "{output}");
    assert!(output.ends_with("skus: []\n"), "{output}");
}

#[test]
fn every_command_is_one_that_the_program_takes() {
    let readme = readme();
    let mut count = 0;
    for block in blocks(&readme, "sh") {
        for line in block.lines().filter(|line| line.contains("ma-register ")) {
            let (_, command) = line.split_once("ma-register ").unwrap();
            let command = command.split(['|', '>', '#', ')']).next().unwrap();
            let words = std::iter::once("ma-register").chain(command.split_whitespace());
            Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
            count += 1;
        }
    }
    assert!(count >= 2, "{count}");
}

#[test]
fn every_finding_is_listed_with_its_level() {
    let readme = readme();
    for code in Code::ALL {
        let level = match code.level() {
            Level::Deny => "deny",
            Level::Warn => "warn",
        };
        assert!(
            readme.contains(&format!("| `{code}` | {level} |")),
            "{code}"
        );
    }
}

#[test]
fn every_variable_of_templates_is_listed() {
    let readme = readme();
    let (_, table) = readme
        .split_once("| variable | sides | meaning |\n")
        .unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let line = |variables: &Variables| {
        let sides = match variables.side {
            None => "both",
            Some(Side::Compute) => "compute",
            Some(Side::ControlPlane) => "control plane",
        };
        format!("| {} | {sides} | {} |", variables.names, variables.meaning)
    };
    let lines: Vec<String> = VARIABLES.iter().map(line).collect();
    assert_eq!(table.lines().skip(1).collect::<Vec<_>>(), lines);
}

#[test]
fn the_own_template_works() {
    let readme = readme();
    let template = blocks(&readme, "yaml")
        .into_iter()
        .find(|block| block.contains("NetworkPolicy"))
        .unwrap();
    let sandbox = Sandbox::with_cluster();
    sandbox.write("own/compute/70-networkpolicy.yaml.j2", template);
    let run = sandbox.render(&["--templates", "own"]);
    assert!(run.succeeds_quietly().contains("name: \"allow-c0\""));
}

#[test]
fn every_key_of_the_values_file_is_listed() {
    let readme = readme();
    let sandbox = Sandbox::with_cluster();
    for section in [
        "",
        "kubeconfig",
        "cluster",
        "storage",
        "serviceAccount",
        "externalSecrets",
    ] {
        // The program's own list of keys, from its message about an unknown one.
        let values = match section {
            "" => "nosuchkey: 1\n".to_owned(),
            section => format!("{section}:\n  nosuchkey: 1\n"),
        };
        sandbox.write("c0.yaml", values);
        let run = sandbox.render(&[]);
        let known = run
            .fails()
            .lines()
            .find_map(|line| line.split_once("known: "));
        let (_, known) = known.unwrap();
        for key in known.trim_end().split(", ") {
            let key = key.trim_matches('`');
            let written = if section.is_empty() {
                vec![format!("`{key}`"), format!("`{key}.")]
            } else {
                vec![format!("`{section}.{key}`"), format!("`{section}.{key}[]`")]
            };
            let is_listed = written.iter().any(|written| readme.contains(written));
            assert!(is_listed, "{section}.{key}");
        }
    }
}

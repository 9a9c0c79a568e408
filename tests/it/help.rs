//! What `-h` and `--help` say.

use clap::CommandFactory as _;
use insta::assert_snapshot;
use ma_register::cli::Cli;

use crate::support::{Sandbox, run};

/// Lines of a screen.
const SCREEN: usize = 30;

/// The program's commands, and nothing for the program itself.
fn commands() -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        commands.push(vec![name.to_owned()]);
        for procedure in command.get_subcommands() {
            commands.push(vec![name.to_owned(), procedure.get_name().to_owned()]);
        }
    }
    assert!(commands.len() > 2);
    commands
}

fn help(command: &[String], flag: &str) -> String {
    let sandbox = Sandbox::new();
    let mut program = sandbox.command();
    program.env("COLUMNS", "80").args(command).arg(flag);
    run(&mut program, "").succeeds_quietly().to_owned()
}

#[test]
fn a_summary_fits_a_screen() {
    for command in commands() {
        let help = help(&command, "-h");
        assert!(help.lines().count() <= SCREEN, "{help}");
        // The usage aside, which clap doesn't wrap.
        let mut lines = help.lines().filter(|line| !line.starts_with("Usage: "));
        assert!(lines.all(|line| line.chars().count() <= 80), "{help}");
    }
}

#[test]
fn every_command_says_what_it_reads_and_writes() {
    for command in commands().iter() {
        let help = help(command, "--help");
        for part in [
            "\nExamples:\n  ",
            "\nReads: ",
            "\nWrites: ",
            "\nExit code: 0 ",
        ] {
            assert!(help.contains(part), "{command:?}: {part:?}\n{help}");
        }
    }
}

#[test]
fn summaries() {
    for command in commands() {
        let name = format!("help_{}", command.join("_"));
        assert_snapshot!(name.trim_end_matches('_'), help(&command, "-h"));
    }
}

#[test]
fn what_is_misspelt_is_suggested() {
    for (arguments, meant) in [
        (&["rendr"][..], "'render'"),
        (&["render", "--vales", "a"], "'--values'"),
        (&["render", "-f", "a", "--side", "compte"], "'compute'"),
        (&["runbook", "regster"], "'register'"),
        (&["completions", "fsh"], "'fish'"),
        (
            &["init", "config"],
            "a kubeconfig stands after '--kubeconfig'",
        ),
        (
            &["inspect", "c0.yaml"],
            "'c0.yaml' found\n\n  tip: values files stand after '-f'\n",
        ),
    ] {
        let run = Sandbox::new().run(arguments);
        assert!(run.stderr.contains(meant), "{}", run.stderr);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    }
}

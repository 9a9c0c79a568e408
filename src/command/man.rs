//! `man`: the help as manual pages.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::{Outcome, Outside};
use crate::cli::{Cli, ManArgs};
use crate::output::files::{NewFile, replace};
use crate::text::shown_path;

/// Writes the program's page, or the pages of all commands into a directory.
///
/// # Errors
/// Where they can't be written.
pub fn run(args: &ManArgs, outside: &mut Outside<'_>) -> Result<Outcome> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let Some(root) = &args.output_dir else {
        let text = page(program).text;
        outside
            .out
            .write_all(text.as_bytes())
            .and_then(|()| outside.out.flush())
            .context("failed to write to standard output")?;
        return Ok(Outcome::Done);
    };
    let mut pages = Vec::new();
    add_pages(program, &mut pages);
    replace(root, &pages)?;
    outside.report.line(&format!(
        "{}: {} pages written",
        shown_path(root),
        pages.len()
    ));
    Ok(Outcome::Done)
}

/// Adds the page of a command, and those of the commands in it.
fn add_pages(command: Command, pages: &mut Vec<NewFile>) {
    let within: Vec<Command> = command.get_subcommands().cloned().collect();
    pages.push(page(command));
    for command in within {
        add_pages(command, pages);
    }
}

/// The page of a command. It has no date, since the same program writes the same page every day.
fn page(mut command: Command) -> NewFile {
    let more = command.get_after_long_help().map(ToString::to_string);
    // It would be set as one paragraph.
    command = command.after_long_help(None);
    // An empty date would be left out, and what follows taken for it.
    let man = Man::new(command)
        .date(" ")
        .source(concat!("ma-register ", env!("CARGO_PKG_VERSION")));
    let mut bytes = Vec::new();
    // Writing into memory doesn't fail.
    drop(man.render(&mut bytes));
    if let Some(more) = more {
        bytes.extend(about_use(&more).render().into_bytes());
    }
    NewFile {
        path: PathBuf::from(man.get_filename()),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// The end of a command's help: examples, a line each, and what the command reads and writes.
fn about_use(help: &str) -> Roff {
    let (examples, rest) = help.split_once("\n\n").unwrap_or((help, ""));
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    for example in examples.lines().filter_map(|line| line.strip_prefix("  ")) {
        roff.text([roman(example)]);
    }
    roff.control("fi", []);
    roff.control("SH", ["FILES AND EXIT CODE"]);
    for line in rest.lines() {
        roff.control("PP", []);
        roff.text([roman(line)]);
    }
    roff
}

//! What a shell is offered while arguments are typed.
//!
//! Only names are looked up: of files, and of the contexts of a kubeconfig. What goes wrong on the way
//! is nothing to tell in the middle of a line, so nothing is offered then.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, complete};
use clap_complete::env::{Bash, CompleteEnv, Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh};

use super::Cli;
use crate::input::file::Source;
use crate::input::kubeconfig::{Kubeconfigs, Search};

/// The variable by which the shells' scripts ask what completes a line.
const VARIABLE: &str = "MA_REGISTER_COMPLETE";

/// The shells that there is a script for.
const SHELLS: Shells<'static> = Shells(&[&BashByWords, &Elvish, &Fish, &Powershell, &Zsh]);

/// Answers a shell's question and ends the process, if it is one.
pub fn answer_shell() {
    CompleteEnv::with_factory(Cli::command)
        .var(VARIABLE)
        .shells(SHELLS)
        .complete();
}

/// The script by which a shell asks this program.
///
/// # Errors
/// Where `out` can't be written.
pub fn write_script(shell: &str, out: &mut dyn Write) -> io::Result<()> {
    let name = Cli::command().get_name().to_owned();
    match SHELLS.completer(shell) {
        Some(shell) => shell.write_registration(VARIABLE, &name, &name, &name, out),
        None => Ok(()),
    }
}

/// Answers kubectl's question what completes the arguments of a plugin, by lines as Cobra's programs
/// write them: candidates with their descriptions, and at last what the shell is to do with them.
///
/// # Errors
/// Where the arguments can't be completed, or `out` can't be written.
pub fn answer_kubectl(arguments: &[OsString], out: &mut dyn Write) -> io::Result<()> {
    // ShellCompDirectiveNoFileComp and ShellCompDirectiveNoSpace of Cobra: the paths are among the
    // candidates already, and a folder's goes on.
    const NO_FILES: u8 = 4;
    const NO_SPACE: u8 = 2;
    let last = arguments.len().saturating_sub(1);
    let folder = env::current_dir().ok();
    let candidates = complete(
        &mut Cli::command(),
        arguments.to_vec(),
        last,
        folder.as_deref(),
    )?;
    let mut directive = NO_FILES;
    for candidate in &candidates {
        let value = candidate.get_value().to_string_lossy();
        if value.ends_with(['/', '=']) {
            directive |= NO_SPACE;
        }
        write!(out, "{value}")?;
        let help = candidate.get_help().map(ToString::to_string);
        if let Some(help) = help.as_deref().and_then(|help| help.lines().next()) {
            write!(out, "\t{help}")?;
        }
        writeln!(out)?;
    }
    writeln!(out, ":{directive}")?;
    out.flush()
}

/// Completes a values file: one whose name says that it is YAML or JSON.
pub fn values_file() -> ArgValueCompleter {
    ArgValueCompleter::new(PathCompleter::file().filter(|path| {
        let extension = path.extension().and_then(OsStr::to_str);
        path.is_dir() || matches!(extension, Some("yaml" | "yml" | "json"))
    }))
}

/// Completes a context of the compute kubeconfig.
pub fn context() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| contexts("--kubeconfig", current))
}

/// Completes a context of the control plane's kubeconfig.
pub fn control_plane_context() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| contexts("--control-plane-kubeconfig", current))
}

/// The contexts that begin with what is typed, of the kubeconfig that a flag names, or of the default
/// one.
fn contexts(flag: &str, current: &OsStr) -> Vec<CompletionCandidate> {
    let search = match value_of(flag, env::args_os()) {
        Some(path) => Ok(Search::Named(Source::Path(path))),
        None => Search::from_environment(),
    };
    let names = search.and_then(|search| Kubeconfigs::contexts(&search));
    let typed = current.to_string_lossy();
    (names.unwrap_or_default().into_iter())
        .filter(|name| name.starts_with(&*typed) && !name.contains(char::is_control))
        .map(CompletionCandidate::new)
        .collect()
}

/// The path that a flag has among the words that are typed so far.
fn value_of(flag: &str, words: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let mut words = words.filter_map(|word| word.into_string().ok());
    while let Some(word) = words.next() {
        let value = match word.strip_prefix(flag) {
            Some("") => words.next()?,
            Some(rest) => rest.strip_prefix('=')?.to_owned(),
            None => continue,
        };
        // The shell hasn't replaced it yet.
        let of_home = value.strip_prefix("~/").zip(env::home_dir());
        return Some(match of_home {
            Some((rest, home)) => home.join(rest),
            None => Path::new(&value).to_owned(),
        });
    }
    None
}

/// bash splits words at `=` and `:`, which stand in `--flag=value` and in the names of contexts. The
/// script of clap takes the parts for words; this one puts them together again.
struct BashByWords;

impl EnvCompleter for BashByWords {
    fn name(&self) -> &'static str {
        Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        Bash.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        _: &str,
        program: &str,
        completer: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let script = include_str!("completion.bash")
            .replace("VARIABLE", variable)
            .replace("COMPLETER", completer)
            .replace("PROGRAM", program);
        out.write_all(script.as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        folder: Option<&Path>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        Bash.write_complete(command, words, folder, out)
    }
}

//! What a shell is offered while arguments are typed.
//!
//! Only names are looked up: of files, and of the contexts of a kubeconfig. What goes wrong on the way
//! is nothing to tell in the middle of a line, so nothing is offered then.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _, complete,
};
use clap_complete::env::{CompleteEnv, Elvish, EnvCompleter, Fish, Powershell, Shells};

use super::{Cli, ShellArg};
use crate::input::file::Source;
use crate::input::kubeconfig::{Kubeconfigs, Search};
use crate::text::{holds_credential, is_unsafe_to_show};

/// The variable by which the shells' scripts ask what completes a line.
const VARIABLE: &str = "MA_REGISTER_COMPLETE";

/// Answers a shell's question and ends the process, if it is one.
pub fn answer_shell() {
    CompleteEnv::with_factory(Cli::command)
        .var(VARIABLE)
        .shells(Shells(&[&BASH, &ZSH, &Fish, &Elvish, &Powershell]))
        .complete();
}

/// The script by which a shell asks this program.
///
/// # Errors
/// Where `out` can't be written.
pub fn write_script(shell: ShellArg, out: &mut dyn Write) -> io::Result<()> {
    let shell: &dyn EnvCompleter = match shell {
        ShellArg::Bash => &BASH,
        ShellArg::Elvish => &Elvish,
        ShellArg::Fish => &Fish,
        ShellArg::Powershell => &Powershell,
        ShellArg::Zsh => &ZSH,
    };
    let name = Cli::command().get_name().to_owned();
    shell.write_registration(VARIABLE, &name, &name, &name, out)
}

/// Answers kubectl's question what completes the arguments of a plugin, by lines as Cobra's programs
/// write them: candidates with their descriptions, and at last what the shell is to do with them.
///
/// kubectl's script for bash inserts a candidate as it is, and where none has a description it even
/// runs what it holds; so only what a shell takes for plain text is offered.
///
/// # Errors
/// Where the arguments can't be completed, or `out` can't be written.
pub fn answer_kubectl(arguments: &[OsString], out: &mut dyn Write) -> io::Result<()> {
    // ShellCompDirectiveNoFileComp and ShellCompDirectiveNoSpace of Cobra: the paths are among the
    // candidates already, and a folder's goes on.
    const NO_FILES: u8 = 4;
    const NO_SPACE: u8 = 2;
    let last = arguments.len().saturating_sub(1);
    let mut directive = NO_FILES;
    for (value, help) in candidates(&mut Cli::command(), arguments.to_vec(), last)? {
        if !is_plain(&value) {
            continue;
        }
        if value.ends_with(['/', '=']) {
            directive |= NO_SPACE;
        }
        writeln!(out, "{value}\t{}", help.as_deref().unwrap_or("value"))?;
    }
    writeln!(out, ":{directive}")?;
    out.flush()
}

/// Whether a shell takes a word for what it is, without quotes. A `~/` was typed so.
fn is_plain(word: &str) -> bool {
    let word = word.strip_prefix("~/").unwrap_or(word);
    let is_plain =
        |character: char| character.is_alphanumeric() || "-_./:=@%+,".contains(character);
    word.chars().all(is_plain)
}

/// What completes the word at a position, with the first line of its description.
fn candidates(
    command: &mut Command,
    words: Vec<OsString>,
    position: usize,
) -> io::Result<Vec<(String, Option<String>)>> {
    let folder = env::current_dir().ok();
    let found = complete(command, words, position, folder.as_deref())?;
    let candidates = found.iter().filter_map(|candidate| {
        let value = candidate.get_value().to_str()?.to_owned();
        let help = candidate.get_help().map(ToString::to_string);
        let line = help.and_then(|help| help.lines().next().map(str::to_owned));
        Some((value, line))
    });
    Ok(candidates.collect())
}

/// Completes a file.
pub fn file() -> ArgValueCompleter {
    paths(|_| true)
}

/// Completes a folder.
pub fn folder() -> ArgValueCompleter {
    paths(Path::is_dir)
}

/// Completes a values file: one whose name says that it is YAML or JSON.
pub fn values_file() -> ArgValueCompleter {
    paths(is_values_file)
}

/// Whether a name says that a file is YAML or JSON.
pub fn is_values_file(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    matches!(extension, Some("yaml" | "yml" | "json"))
}

/// Completes the paths that are wanted, and the folders on the way to them.
fn paths(is_wanted: fn(&Path) -> bool) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| {
        let mut found = PathCompleter::any().filter(is_wanted).complete(current);
        // The folder itself is no answer, and no line takes some of what a name may hold.
        found.retain(|candidate| {
            let path = candidate.get_value().to_str();
            path.is_some_and(|path| path != "." && !path.contains(is_unsafe_to_show))
        });
        found
    })
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
    // What isn't a file, as a pipe, could be waited for without end.
    let names = match search {
        Ok(search) if search.is_lasting() => Kubeconfigs::contexts(&search),
        _ => return Vec::new(),
    };
    let typed = current.to_string_lossy();
    let is_offered = |name: &String| {
        name.starts_with(&*typed) && !name.contains(is_unsafe_to_show) && !holds_credential(name)
    };
    (names.unwrap_or_default().into_iter())
        .filter(is_offered)
        .map(CompletionCandidate::new)
        .collect()
}

/// The path that a flag has among the words that are typed so far.
fn value_of(flag: &str, mut words: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    while let Some(word) = words.next() {
        let Some(rest) = word.to_str().and_then(|word| word.strip_prefix(flag)) else {
            continue;
        };
        let value = match rest.strip_prefix('=') {
            Some(value) => OsString::from(value),
            None if rest.is_empty() => words.next()?,
            None => continue,
        };
        // The shell hasn't put the home directory in yet.
        let path = Path::new(&value);
        let below_home = ["~", "$HOME", "${HOME}"]
            .iter()
            .find_map(|home| path.strip_prefix(home).ok());
        return Some(match below_home.zip(env::home_dir()) {
            Some((rest, home)) => home.join(rest),
            None => path.to_owned(),
        });
    }
    None
}

/// A shell with a script of ours in place of clap's: what is asked and answered is the same, a candidate
/// a line, with its description after a tab.
struct OwnScript {
    shell: &'static str,
    script: &'static str,
}

/// bash splits words at `=`, `:` and `@`, which stand in `--flag=value` and in the names of contexts,
/// and clap's script takes the parts for words.
const BASH: OwnScript = OwnScript {
    shell: "bash",
    script: include_str!("completion.bash"),
};

/// clap's script has zsh quote the `~` of a path, which is another path then.
const ZSH: OwnScript = OwnScript {
    shell: "zsh",
    script: include_str!("completion.zsh"),
};

impl EnvCompleter for OwnScript {
    fn name(&self) -> &'static str {
        self.shell
    }

    fn is(&self, name: &str) -> bool {
        name == self.shell
    }

    fn write_registration(
        &self,
        variable: &str,
        _: &str,
        program: &str,
        completer: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let script = (self.script)
            .replace("VARIABLE", variable)
            .replace("COMPLETER", completer)
            .replace("PROGRAM", program);
        out.write_all(script.as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        _: Option<&Path>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let position = env::var("_CLAP_COMPLETE_INDEX").ok();
        let position = position.and_then(|position| position.parse().ok());
        let last = words.len().saturating_sub(1);
        for (value, help) in candidates(command, words, position.unwrap_or(last))? {
            match help {
                Some(help) => writeln!(out, "{value}\t{help}")?,
                None => writeln!(out, "{value}")?,
            }
        }
        Ok(())
    }
}

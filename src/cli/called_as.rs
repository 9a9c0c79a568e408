//! The name by which the program is called: its own, or that of a plugin of kubectl.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _, Error, FromArgMatches as _};

use super::Cli;

/// The name by which the program is called: that of the link to it, if it is one.
///
/// kubectl runs `kubectl-ma_register` for `kubectl ma-register`, and asks
/// `kubectl_complete-ma_register` what completes its arguments.
/// (<https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/>)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalledAs {
    /// Its own, or any other.
    Program,
    /// `kubectl-ma_register`
    Plugin,
    /// `kubectl_complete-ma_register`
    PluginCompletion,
}

impl CalledAs {
    /// Tells by the arguments, of which the first is the name.
    pub fn of(arguments: &[OsString]) -> Self {
        let name = arguments
            .first()
            .and_then(|path| Path::new(path).file_name());
        match name.and_then(OsStr::to_str) {
            Some("kubectl-ma_register") => Self::Plugin,
            Some("kubectl_complete-ma_register") => Self::PluginCompletion,
            _ => Self::Program,
        }
    }

    /// The parser of the arguments, whose help shows the program as it is called.
    pub fn parser(self) -> Command {
        let command = Cli::command();
        match self {
            Self::Program | Self::PluginCompletion => command,
            Self::Plugin => command
                .bin_name("kubectl ma-register")
                .mut_subcommands(with_examples_of_plugin),
        }
    }

    /// Parses the arguments.
    ///
    /// # Errors
    /// Where they are wrong, or ask for help, which is an error to the parser as well.
    pub fn parse(self, arguments: &[OsString]) -> Result<Cli, Error> {
        let mut parser = self.parser();
        let cli = parser
            .try_get_matches_from_mut(arguments)
            .and_then(|matches| Cli::from_arg_matches(&matches));
        cli.map_err(|error| with_tip(error).format(&mut parser))
    }
}

/// Says after which flag a file stands.
fn with_tip(mut error: Error) -> Error {
    let is_file = matches!(
        error.get(ContextKind::InvalidArg),
        Some(ContextValue::String(argument)) if !argument.starts_with('-')
    );
    if error.kind() != ErrorKind::UnknownArgument || !is_file {
        return error;
    }
    let usage = error.get(ContextKind::Usage).map(ToString::to_string);
    let usage = usage.unwrap_or_default();
    let tip = if usage.contains("--values") {
        "values files stand after '-f'"
    } else if usage.contains(" init") {
        "a kubeconfig stands after '--kubeconfig', and one of its contexts after '--context'"
    } else {
        return error;
    };
    let tip = ContextValue::StyledStrs(vec![tip.into()]);
    error.insert(ContextKind::Suggested, tip);
    error
}

fn with_examples_of_plugin(command: Command) -> Command {
    let Some(help) = command.get_after_long_help().map(ToString::to_string) else {
        return command;
    };
    command.after_long_help(help.replace("ma-register ", "kubectl ma-register "))
}

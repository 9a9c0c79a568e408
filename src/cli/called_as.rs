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

    /// Parses the arguments; ends the process where they are wrong or ask for help.
    pub fn parse(self, arguments: &[OsString]) -> Cli {
        let mut parser = self.parser();
        let cli = parser
            .try_get_matches_from_mut(arguments)
            .and_then(|matches| Cli::from_arg_matches(&matches));
        cli.unwrap_or_else(|error| with_tip(error).format(&mut parser).exit())
    }
}

/// Says where a file stands that isn't after a flag.
fn with_tip(mut error: Error) -> Error {
    let is_file = matches!(
        error.get(ContextKind::InvalidArg),
        Some(ContextValue::String(argument)) if !argument.starts_with('-') && is_yaml(argument)
    );
    let has_values = |usage: &ContextValue| usage.to_string().contains("--values");
    if error.kind() == ErrorKind::UnknownArgument
        && is_file
        && error.get(ContextKind::Usage).is_some_and(has_values)
    {
        let tip = "values files stand after '-f'";
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![tip.into()]),
        );
    }
    error
}

fn is_yaml(argument: &str) -> bool {
    argument.ends_with(".yaml") || argument.ends_with(".yml")
}

fn with_examples_of_plugin(command: Command) -> Command {
    let Some(help) = command.get_after_long_help().map(ToString::to_string) else {
        return command;
    };
    command.after_long_help(help.replace("ma-register ", "kubectl ma-register "))
}

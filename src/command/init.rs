//! `init`: a starter values file from a kubeconfig's context.

use anyhow::{Context as _, Result};

use super::{Outcome, Outside};
use crate::cli::InitArgs;
use crate::input::file::Source;
use crate::input::kubeconfig::{Kubeconfigs, Search};
use crate::input::{endpoint, place::Place};
use crate::starter::{Kubeconfig, Starter, name_of_context};

/// Writes a starter to standard output.
///
/// # Errors
/// Where the context can't be told or read.
pub fn run(args: InitArgs, outside: &mut Outside<'_>) -> Result<Outcome> {
    let InitArgs {
        kubeconfig,
        context,
        name,
    } = args;
    let search = match &kubeconfig {
        Some(path) => Search::Named(Source::from_flag(path)),
        None => Search::from_environment()?,
    };
    let mut notes = Vec::new();
    let chosen = Kubeconfigs::choose_only(&search, context.as_deref(), &mut notes);
    for note in notes {
        outside.report.note(&note);
    }
    let endpoint = endpoint::read(chosen?, None, &Place::of(Source::Stdin))?;
    let kubeconfig = match &search {
        Search::Named(Source::Path(path)) => {
            path.to_str().map_or(Kubeconfig::Unknown, Kubeconfig::At)
        }
        Search::Named(Source::Stdin) => Kubeconfig::Unknown,
        Search::List(_) | Search::Home(_) => Kubeconfig::Default,
    };
    let starter = Starter {
        name: &name.unwrap_or_else(|| name_of_context(&endpoint.context)),
        kubeconfig,
        endpoint: &endpoint,
    };
    write!(outside.out, "{}", starter.text(outside.now))
        .and_then(|()| outside.out.flush())
        .context("failed to write to standard output")?;
    Ok(Outcome::Done)
}

//! `init`: a starter values file from a kubeconfig's context.

use anyhow::{Context as _, Result, bail};

use super::{Outcome, Outside};
use crate::cli::InitArgs;
use crate::input::file::Source;
use crate::input::kubeconfig::{Kubeconfigs, Search};
use crate::input::{endpoint, place::Place};
use crate::registration::name::check_label;
use crate::starter::{Name, Starter};
use crate::text::{holds_credential, is_unsafe_to_show, shown};

/// Writes a starter to standard output.
///
/// # Errors
/// Where the context can't be told or read.
pub fn run(args: InitArgs, outside: &mut Outside<'_>) -> Result<Outcome> {
    let InitArgs {
        kubeconfig,
        context,
        name,
        schema,
    } = args;
    if schema.is_empty() || schema.contains(|c: char| c.is_whitespace() || is_unsafe_to_show(c)) {
        bail!(
            "failed to use `--schema`: it is {}, and a path or URL that editors find in a comment has no white space: write `%20` for a space of a URL, or put the schema elsewhere",
            shown(&schema)
        );
    }
    if holds_credential(&schema) || (schema.contains("://") && schema.contains(['@', '?'])) {
        bail!(
            "failed to use `--schema`: it has a user, a password, a query or a token in it, and it stands in a file that others read: write a place that needs none"
        );
    }
    if let Some(name) = &name {
        check_label(name).context("failed to use `--name`")?;
    }
    let search = match &kubeconfig {
        Some(path) => Search::Named(Source::from_flag(path)),
        None => Search::from_environment()?,
    };
    let mut notes = Vec::new();
    let chosen = Kubeconfigs::choose_only(&search, context.as_deref(), &mut notes);
    for note in notes {
        outside.report.note(&note);
    }
    let endpoint = endpoint::read(chosen?, None, &Place::of(Source::Stdin));
    let kubeconfig = match &search {
        Search::Named(source @ Source::Path(path)) if source.is_lasting() => path.to_str(),
        Search::Named(_) | Search::List(_) | Search::Home(_) => None,
    };
    let starter = Starter {
        name: match name {
            Some(name) => Name::Given(name),
            None => Name::of_context(&endpoint.context),
        },
        schema: &schema,
        kubeconfig,
        endpoint,
    };
    write!(outside.out, "{}", starter.text(outside.now))
        .and_then(|()| outside.out.flush())
        .context("failed to write to standard output")?;
    Ok(Outcome::Done)
}

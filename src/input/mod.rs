//! read: files, environment and standard input become plain values.
//!
//! This is the only part that reads the outside. It finds and parses; whether what it found makes
//! sense is decided in [`crate::registration`].

pub mod endpoint;
pub mod file;
pub mod kubeconfig;
mod locate;
mod merge;
mod mistake;
pub mod place;
pub mod schema;
pub mod secret;
pub mod templates;
mod tree;
pub mod values;
pub mod values_file;
pub mod words;
pub mod yaml;

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};

use endpoint::Endpoint;
use file::Source;
use kubeconfig::{AskedBy, Kubeconfigs, Search};
use place::{PathKey, Place};
use secret::Secret;
use values::{CredentialsValues, TokenValues, Values};
use values_file::{ClusterValues, Unread};

use crate::parallel::in_parallel;
use crate::problems::Problems;
use crate::text::{shown, shown_first};

/// What is to be read: the flags of a command, by what they mean.
pub struct Request {
    /// `--values`: the values files.
    pub values: Vec<Source>,
    /// `--cluster`: the names of those that are wanted; all where there are none.
    pub clusters: Vec<String>,
    /// `--defaults`: what is merged under the values of every cluster.
    pub defaults: Option<Source>,
    /// `--kubeconfig`: the kubeconfig, unless the values name one.
    pub kubeconfig: Option<Source>,
    /// `--context`: the context, unless the values name one.
    pub context: Option<String>,
    /// `--token-file`: the service account's token, unless the values have a decision.
    pub token_file: Option<Source>,
    /// Which secrets are needed.
    pub needs: Needs,
}

/// Which secrets a run needs, by the sides that it renders.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// The storage's keys, for the compute side.
    pub storage_keys: bool,
    /// The token, for the control-plane side.
    pub token: bool,
}

/// Everything that was read about one compute cluster. What could not be read is told together with
/// what is wrong with the rest.
pub struct Inputs {
    /// Where the values stand, for messages.
    pub place: Place,
    /// The values.
    pub values: Values,
    /// The API server and its certificate authority.
    pub endpoint: Result<Endpoint>,
    /// The storage's keys, where the values have some and they are needed.
    pub storage_keys: Option<StorageKeys>,
    /// What was decided about the token.
    pub token: Result<TokenInput>,
    /// What is wrong with the values beside the flags.
    pub problems: Problems,
}

/// A pair of S3 keys, each as far as it could be read.
pub struct StorageKeys {
    /// `AWS_ACCESS_KEY_ID`
    pub access_key_id: Result<Secret>,
    /// `AWS_SECRET_ACCESS_KEY`
    pub secret_access_key: Result<Secret>,
}

/// What was decided about the service account's token.
pub enum TokenInput {
    /// The side that needs it isn't rendered.
    NotNeeded,
    /// Nothing was decided.
    Undecided,
    /// Someone else makes the Secret.
    None,
    /// The External Secrets Operator moves it, which concerns both sides.
    External,
    /// It was read.
    Read {
        /// The token as it was found, white space around it dropped.
        token: Secret,
        /// Where it was found, for messages.
        origin: String,
    },
}

/// Reads the values of every cluster that is wanted. What can't be read counts as one of them, unless its
/// name says otherwise.
///
/// # Errors
/// Where two inputs are standard input, the defaults can't be used, or a cluster that is wanted isn't
/// there.
pub fn read_values(request: &Request) -> Result<Vec<Result<ClusterValues, Unread>>> {
    only_one_reads_standard_input(request)?;
    let defaults = match &request.defaults {
        Some(source) => Some(values_file::Defaults::read(source)?),
        None => None,
    };
    let defaults = defaults.as_ref();
    let clusters = in_parallel(&request.values, |source| {
        values_file::read(source, defaults)
    });
    only_wanted(clusters.into_iter().flatten().collect(), &request.clusters)
}

fn only_wanted(
    mut clusters: Vec<Result<ClusterValues, Unread>>,
    wanted: &[String],
) -> Result<Vec<Result<ClusterValues, Unread>>> {
    if wanted.is_empty() {
        return Ok(clusters);
    }
    let name_of = |cluster: &Result<ClusterValues, Unread>| match cluster {
        Ok(cluster) => Some(cluster.values.name.clone()),
        Err(unread) => unread.name.clone(),
    };
    let mut names: Vec<String> = clusters.iter().filter_map(name_of).collect();
    names.sort_unstable();
    let missing: BTreeSet<&String> = wanted.iter().filter(|name| !names.contains(name)).collect();
    clusters.retain(|cluster| name_of(cluster).is_none_or(|name| wanted.contains(&name)));
    if missing.is_empty() {
        return Ok(clusters);
    }
    // One that can't be read may be the one that is wanted, so what is wrong with it is told as well.
    let without_name = clusters
        .iter_mut()
        .filter_map(|cluster| cluster.as_mut().err())
        .find(|unread| unread.name.is_none());
    match without_name {
        None => Err(not_there("no values file has", &missing, &names)),
        Some(unread) => {
            let values = "none of the values that can be read has";
            unread.problems.push(not_there(values, &missing, &names));
            Ok(clusters)
        }
    }
}

/// Says that clusters aren't there, and which ones were perhaps meant.
fn not_there(none_has: &str, missing: &BTreeSet<&String>, names: &[String]) -> anyhow::Error {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let missing = missing.iter().map(|name| {
        let question = words::did_you_mean(name, &names);
        format!("{}{question}", shown(name))
    });
    let there_are = match names.is_empty() {
        true => String::new(),
        false => format!(
            "; there are {}",
            shown_first(names.iter().map(|name| shown(name)))
        ),
    };
    anyhow::anyhow!(
        "failed to use `--cluster`: {none_has} the name {}{there_are}",
        shown_first(missing)
    )
}

/// Reads everything else about one cluster. `notes` gets lines for the user.
pub fn read(
    cluster: ClusterValues,
    request: &Request,
    kubeconfigs: &Kubeconfigs,
    notes: &mut Vec<String>,
) -> Inputs {
    let ClusterValues { place, values } = cluster;
    let within = || place.failed_to_use();
    let mut problems = Problems::default();
    for twice in said_twice(request, &values) {
        problems.push(twice.context(within()));
    }
    Inputs {
        endpoint: read_endpoint(request, &values, &place, kubeconfigs, notes),
        storage_keys: read_storage_keys(request, &values, &place),
        token: read_token(request, &values, &place),
        place,
        values,
        problems,
    }
}

/// Reads the kubeconfigs that several clusters share, once.
pub fn read_kubeconfigs(
    clusters: &[Result<ClusterValues, Unread>],
    request: &Request,
    notes: &mut Vec<String>,
) -> Kubeconfigs {
    let searches = clusters.iter().filter_map(|cluster| {
        let cluster = cluster.as_ref().ok()?;
        search(request, &cluster.values, &cluster.place).ok()
    });
    Kubeconfigs::read_shared(searches, notes)
}

fn only_one_reads_standard_input(request: &Request) -> Result<()> {
    let flags = [
        ("`--defaults`", &request.defaults),
        ("`--kubeconfig`", &request.kubeconfig),
        ("`--token-file`", &request.token_file),
    ];
    let of_values = request.values.iter().map(|source| ("`--values`", source));
    let others = flags
        .iter()
        .filter_map(|(flag, source)| Some((*flag, source.as_ref()?)));
    let readers: Vec<&str> = of_values
        .chain(others)
        .filter_map(|(flag, source)| (*source == Source::Stdin).then_some(flag))
        .collect();
    if readers.len() > 1 {
        bail!(
            "failed to read standard input: {} are `-`, and only one can be",
            readers.join(" and ")
        );
    }
    Ok(())
}

/// What stands both in the values file and in a flag can't be told apart from a mistake.
fn said_twice(request: &Request, values: &Values) -> impl Iterator<Item = anyhow::Error> {
    let kubeconfig = values.kubeconfig.as_ref();
    let twice = [
        (
            "kubeconfig.path",
            "--kubeconfig",
            kubeconfig.is_some_and(|kubeconfig| kubeconfig.path.is_some())
                && request.kubeconfig.is_some(),
        ),
        (
            "kubeconfig.context",
            "--context",
            kubeconfig.is_some_and(|kubeconfig| kubeconfig.context.is_some())
                && request.context.is_some(),
        ),
        (
            "token",
            "--token-file",
            values.token.is_some() && request.token_file.is_some(),
        ),
    ];
    let both = twice.into_iter().filter(|(.., both)| *both);
    both.map(|(key, flag, _)| {
        anyhow::anyhow!(
            "it has the key {}, and the flag {} is given too: remove one of them",
            shown(key),
            shown(flag)
        )
    })
}

/// Where the kubeconfig of a cluster is looked for.
///
/// # Errors
/// Where that can't be told.
pub fn search(request: &Request, values: &Values, place: &Place) -> Result<Search> {
    let within = || place.failed_to_use();
    let kubeconfig = values.kubeconfig.as_ref();
    let path = kubeconfig.and_then(|kubeconfig| kubeconfig.path.as_deref());
    match (path, &request.kubeconfig) {
        (Some(""), _) => Err(anyhow::anyhow!("`kubeconfig.path` is empty")).with_context(within),
        (Some(path), _) => {
            let path = place
                .resolve(PathKey::Kubeconfig, path)
                .with_context(within)?;
            Ok(Search::Named(Source::Path(path)))
        }
        (None, Some(source)) => Ok(Search::Named(source.clone())),
        (None, None) => Search::from_environment(),
    }
}

fn read_endpoint(
    request: &Request,
    values: &Values,
    place: &Place,
    kubeconfigs: &Kubeconfigs,
    notes: &mut Vec<String>,
) -> Result<Endpoint> {
    let kubeconfig = values.kubeconfig.as_ref();
    let search = search(request, values, place)?;
    let of_values =
        |key: fn(&values::KubeconfigValues) -> Option<&String>| kubeconfig.and_then(key);
    let path = of_values(|kubeconfig| kubeconfig.path.as_ref());
    let context = of_values(|kubeconfig| kubeconfig.context.as_ref());
    let wanted = context.or(request.context.as_ref());
    let by = |key: &str| format!("failed to use `kubeconfig.{key}` of {place}");
    let asked_by = AskedBy {
        path: path.map(|_| by("path")),
        context: context.map(|_| by("context")),
    };
    let chosen = kubeconfigs.choose(&search, wanted.map(String::as_str), &asked_by, notes)?;
    Ok(endpoint::read(chosen, kubeconfig, place))
}

fn read_storage_keys(request: &Request, values: &Values, place: &Place) -> Option<StorageKeys> {
    let credentials = values.storage.as_ref()?.credentials.as_ref()?;
    match credentials {
        CredentialsValues::Keys {
            access_key_id,
            secret_access_key,
        } if request.needs.storage_keys => Some(StorageKeys {
            access_key_id: secret::read_value(access_key_id, place, PathKey::AccessKeyId),
            secret_access_key: secret::read_value(
                secret_access_key,
                place,
                PathKey::SecretAccessKey,
            ),
        }),
        _ => None,
    }
}

fn read_token(request: &Request, values: &Values, place: &Place) -> Result<TokenInput> {
    match (&values.token, &request.token_file) {
        (Some(TokenValues::ExternalSecret), _) => Ok(TokenInput::External),
        _ if !request.needs.token => Ok(TokenInput::NotNeeded),
        (Some(TokenValues::From(source)), _) => Ok(TokenInput::Read {
            token: secret::read_source(source, place, PathKey::Token)
                .with_context(|| format!("failed to read `token` of {place}"))?,
            origin: format!("`token` of {place}"),
        }),
        (Some(TokenValues::None), _) => Ok(TokenInput::None),
        (None, Some(source)) => Ok(TokenInput::Read {
            token: secret::read_file(source).context("failed to read `--token-file`")?,
            origin: format!("`--token-file` {source}"),
        }),
        (None, None) => Ok(TokenInput::Undecided),
    }
}

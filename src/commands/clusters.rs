//! From the arguments to what is concluded about each cluster.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rayon::prelude::*;

use crate::cli::SourceArgs;
use crate::diagnostic::{Diagnostic, Severity};
use crate::input::file;
use crate::kubeconfig::{AuthoritySource, Chosen, Kubeconfig, Location};
use crate::registration::{self, Inputs, Resolution, SecretResult};
use crate::show::count;
use crate::values::{self, Cluster, Credentials, SecretForm, SecretSource, TokenForm};

/// What a command needs beside values.
#[derive(Clone, Copy, Debug)]
pub struct Needs<'a> {
    /// The kubeconfig.
    pub kubeconfig: bool,
    /// The S3 keys.
    pub keys: bool,
    /// The token.
    pub token: TokenNeed,
    /// `--token-file`
    pub token_file: Option<&'a Path>,
}

/// How much a command needs the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenNeed {
    /// Not at all.
    None,
    /// If something says where it is.
    Optional,
    /// Something has to say where it is.
    Required,
}

/// Reads and resolves every cluster that can be read, with what is wrong otherwise. Warnings are errors
/// with `--strict`.
///
/// # Errors
/// Where the arguments don't fit the values.
pub fn read(
    args: &SourceArgs,
    needs: Needs<'_>,
) -> Result<(Vec<Resolution>, Vec<Diagnostic>), Vec<Diagnostic>> {
    check_standard_input(args, needs).map_err(|error| vec![error])?;
    let (clusters, mut diagnostics) =
        values::load(&args.values, args.defaults.as_deref(), &args.clusters);
    // What couldn't be read may be the one cluster.
    let is_complete = diagnostics.iter().all(|one| one.severity != Severity::Error);
    if let Some(error) = check_single(args, needs, clusters.len()).err().filter(|_| is_complete) {
        diagnostics.push(error);
        return Err(diagnostics);
    }
    let locations = clusters.iter().filter(|_| needs.kubeconfig).map(|one| location(one, args));
    let locations: HashSet<Location> = locations.collect();
    let kubeconfigs: Kubeconfigs =
        locations.into_par_iter().map(|at| (at.clone(), Kubeconfig::read(&at))).collect();
    let now = Timestamp::now();
    let mut resolutions: Vec<Resolution> = clusters
        .into_par_iter()
        .map(|cluster| registration::resolve(read_inputs(cluster, args, needs, &kubeconfigs), now))
        .collect();
    registration::find_shared_servers(&mut resolutions);
    if args.strict {
        let all = resolutions.iter_mut().flat_map(|resolution| &mut resolution.diagnostics);
        for diagnostic in all.filter(|one| one.severity == Severity::Warning) {
            diagnostic.severity = Severity::Error;
        }
    }
    Ok((resolutions, diagnostics))
}

/// The kubeconfigs of a run, each parsed once.
type Kubeconfigs = HashMap<Location, Result<Kubeconfig, Diagnostic>>;

/// Reads and resolves every cluster, for a command that needs all of them to be right.
///
/// # Errors
/// Everything that there is to say, where any of it is an error.
pub fn read_right(
    args: &SourceArgs,
    needs: Needs<'_>,
) -> Result<(Vec<Resolution>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (resolutions, mut diagnostics) = read(args, needs)?;
    diagnostics.extend(resolutions.iter().flat_map(|resolution| &resolution.diagnostics).cloned());
    match diagnostics.iter().any(|one| one.severity == Severity::Error) {
        true => Err(diagnostics),
        false => Ok((resolutions, diagnostics)),
    }
}

fn check_standard_input(args: &SourceArgs, needs: Needs<'_>) -> Result<(), Diagnostic> {
    let files =
        args.values.iter().chain(&args.defaults).chain(&args.kubeconfig).map(PathBuf::as_path);
    let uses = files.chain(needs.token_file).filter(|path| *path == Path::new("-")).count();
    match uses {
        0 | 1 => Ok(()),
        _ => Err(Diagnostic::error("standard input (`-`) can be read only once")),
    }
}

/// Flags about one cluster need one cluster.
fn check_single(args: &SourceArgs, needs: Needs<'_>, clusters: usize) -> Result<(), Diagnostic> {
    let flags = [
        ("--kubeconfig", args.kubeconfig.is_some()),
        ("--context", args.context.is_some()),
        ("--token-file", needs.token_file.is_some()),
    ];
    match flags.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) if clusters != 1 => {
            let message = format!(
                "`{flag}` is for one cluster, and the values have {}",
                count(clusters, "cluster")
            );
            Err(Diagnostic::error(message).help("choose one with `--cluster NAME`"))
        }
        _ => Ok(()),
    }
}

/// Where a cluster's kubeconfig is: a flag wins over the values.
pub fn location(cluster: &Cluster, args: &SourceArgs) -> Location {
    let values = cluster.values.kubeconfig.as_ref();
    let path = values.and_then(|values| values.path.as_deref()).map(PathBuf::from);
    match args.kubeconfig.clone().or(path) {
        Some(path) => Location::File(path),
        None => Location::of_kubectl(),
    }
}

fn read_inputs(
    cluster: Cluster,
    args: &SourceArgs,
    needs: Needs<'_>,
    kubeconfigs: &Kubeconfigs,
) -> Inputs {
    let kubeconfig = kubeconfigs
        .get(&location(&cluster, args))
        .map(|kubeconfig| choose(&cluster, args, kubeconfig));
    Inputs {
        authority_file: authority_file(&cluster, kubeconfig.as_ref()),
        kubeconfig,
        keys: if needs.keys { keys(&cluster) } else { None },
        token: if needs.token == TokenNeed::None { None } else { token(&cluster, needs) },
        needs_token: needs.token == TokenNeed::Required,
        cluster,
    }
}

/// The chosen context of a kubeconfig: a flag wins over the values.
fn choose(
    cluster: &Cluster,
    args: &SourceArgs,
    kubeconfig: &Result<Kubeconfig, Diagnostic>,
) -> Result<Chosen, Diagnostic> {
    let values = cluster.values.kubeconfig.as_ref();
    let path_key = match (&args.kubeconfig, values.and_then(|values| values.path.as_ref())) {
        (Some(_), _) => "--kubeconfig",
        (None, Some(_)) => "kubeconfig.path",
        (None, None) => "$KUBECONFIG",
    };
    let kubeconfig = kubeconfig.as_ref();
    let kubeconfig = kubeconfig.map_err(|error| error.clone().at(&cluster.place(path_key)))?;
    let (context, key) = match (&args.context, values) {
        (Some(context), _) => (Some(context.as_str()), "--context"),
        (None, values) => {
            (values.and_then(|values| values.context.as_deref()), "kubeconfig.context")
        }
    };
    kubeconfig.choose(context).map_err(|error| error.at(&cluster.place(key)))
}

/// The file of the certificate authority, where values or kubeconfig name one.
fn authority_file(
    cluster: &Cluster,
    kubeconfig: Option<&Result<Chosen, Diagnostic>>,
) -> Option<Result<Vec<u8>, Diagnostic>> {
    let values = cluster.values.kubeconfig.as_ref();
    let path = match values.and_then(|values| values.certificate_authority.as_deref()) {
        Some("system") => return None,
        Some(path) => Path::new(path),
        None => match &kubeconfig?.as_ref().ok()?.certificate_authority {
            AuthoritySource::File(path) => path,
            _ => return None,
        },
    };
    Some(file::read(path))
}

/// The halves of the S3 key, where the values have one.
fn keys(cluster: &Cluster) -> Option<[SecretResult; 2]> {
    let storage = cluster.values.storage.as_ref()?;
    let Some(Credentials::Keys(pair)) = &storage.credentials else {
        return None;
    };
    let half = |form: &Option<SecretForm>| match form {
        Some(form) => form.read(),
        None => Err(Diagnostic::error("half of the S3 key is missing")
            .help("write both, in quotes if a value begins with `#`, `&` or `*`")),
    };
    Some([half(&pair.access_key_id), half(&pair.secret_access_key)])
}

/// The token, where something says where it is, and what does.
fn token(cluster: &Cluster, needs: Needs<'_>) -> Option<(&'static str, SecretResult)> {
    match (needs.token_file, &cluster.values.token) {
        (Some(path), _) => Some(("--token-file", SecretSource::File(path.to_owned()).read())),
        (None, Some(TokenForm::From(source))) => Some(("token", source.read())),
        (None, _) => None,
    }
}

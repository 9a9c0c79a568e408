//! From the arguments to what is concluded about each cluster.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use rayon::prelude::*;

use crate::cli::SourceArgs;
use crate::diagnostic::{Diagnostic, Severity};
use crate::input::file;
use crate::kubeconfig::{AuthoritySource, Chosen, Kubeconfig, Location};
use crate::registration::{self, Inputs, Resolution};
use crate::show::count;
use crate::values::{self, Cluster, Credentials, SecretForm, SecretSource, Sources, TokenForm};

/// What a command needs beside values.
#[derive(Clone, Copy, Debug)]
pub struct Needs<'a> {
    /// The kubeconfig.
    pub kubeconfig: bool,
    /// The S3 keys.
    pub keys: bool,
    /// The token, where something says where it is.
    pub token: bool,
    /// That something says where it is.
    pub token_decision: bool,
    /// `--token-file`
    pub token_file: Option<&'a Path>,
}

/// Reads and resolves every cluster. Warnings are errors with `--strict`.
///
/// # Errors
/// Where values can't be read. What is wrong with a cluster is in its resolution.
pub fn resolve(args: &SourceArgs, needs: Needs<'_>) -> Result<Vec<Resolution>, Vec<Diagnostic>> {
    check_standard_input(args, needs).map_err(|error| vec![error])?;
    let clusters = values::load(&Sources {
        values: args.values.clone(),
        defaults: args.defaults.clone(),
        clusters: args.clusters.clone(),
    })?;
    check_single(args, needs, clusters.len()).map_err(|error| vec![error])?;
    let kubeconfigs = Kubeconfigs::default();
    let now = Timestamp::now();
    let mut resolutions: Vec<Resolution> = clusters
        .into_par_iter()
        .map(|cluster| registration::resolve(read(cluster, args, needs, &kubeconfigs), now))
        .collect();
    registration::find_shared_servers(&mut resolutions);
    if args.strict {
        let diagnostics = resolutions.iter_mut().flat_map(|resolution| &mut resolution.diagnostics);
        for diagnostic in diagnostics.filter(|diagnostic| diagnostic.severity == Severity::Warning)
        {
            diagnostic.severity = Severity::Error;
        }
    }
    Ok(resolutions)
}

/// Separates what is printed from what is rendered.
///
/// # Errors
/// Everything that there is to say, where any of it is an error.
pub fn accept(
    resolutions: Vec<Resolution>,
) -> Result<(Vec<Resolution>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let diagnostics: Vec<Diagnostic> =
        resolutions.iter().flat_map(|resolution| &resolution.diagnostics).cloned().collect();
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

type Parsed = OnceLock<Result<Kubeconfig, Diagnostic>>;

/// The kubeconfigs of a run, each parsed once.
#[derive(Default)]
struct Kubeconfigs {
    known: Mutex<HashMap<Location, Arc<Parsed>>>,
}

impl Kubeconfigs {
    fn choose(
        &self,
        location: &Location,
        context: Option<&str>,
    ) -> Result<Result<Chosen, Diagnostic>, Diagnostic> {
        let cell = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(location.clone()).or_default())
        };
        let kubeconfig = cell.get_or_init(|| Kubeconfig::read(location));
        kubeconfig.as_ref().map(|kubeconfig| kubeconfig.choose(context)).map_err(Clone::clone)
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

fn read(
    cluster: Cluster,
    args: &SourceArgs,
    needs: Needs<'_>,
    kubeconfigs: &Kubeconfigs,
) -> Inputs {
    let values = &cluster.values;
    let kubeconfig = needs.kubeconfig.then(|| {
        let own = values.kubeconfig.as_ref().and_then(|values| values.context.as_deref());
        let context = args.context.as_deref().or(own);
        let location = location(&cluster, args);
        let chosen = kubeconfigs.choose(&location, context);
        let path_key = match (&args.kubeconfig, &location) {
            (Some(_), _) => "--kubeconfig",
            (None, Location::OfKubectl(_)) => "$KUBECONFIG",
            (None, Location::File(_)) => "kubeconfig.path",
        };
        let context_key = args.context.as_ref().map_or("kubeconfig.context", |_| "--context");
        let chosen = chosen.map_err(|error| error.at(&cluster.place(path_key)))?;
        chosen.map_err(|error| error.at(&cluster.place(context_key)))
    });
    let own = values.kubeconfig.as_ref().and_then(|values| values.certificate_authority.as_deref());
    let authority_file = match (own, &kubeconfig) {
        (Some("system"), _) | (None, None | Some(Err(_))) => None,
        (Some(path), _) => Some(PathBuf::from(path)),
        (None, Some(Ok(chosen))) => match &chosen.certificate_authority {
            AuthoritySource::File(path) => Some(path.clone()),
            _ => None,
        },
    };
    let pair = match values.storage.as_ref().and_then(|storage| storage.credentials.as_ref()) {
        Some(Credentials::Keys(pair)) if needs.keys => Some(pair),
        _ => None,
    };
    let half = |form: &Option<SecretForm>| match form {
        Some(form) => form.read(),
        None => Err(Diagnostic::error("half of the key is missing")
            .help("write `accessKeyId` and `secretAccessKey`")),
    };
    let token = match (needs.token_file, &values.token) {
        _ if !needs.token => None,
        (Some(path), _) => Some(("--token-file", SecretSource::File(path.to_owned()).read())),
        (None, Some(TokenForm::From(source))) => Some(("token", source.read())),
        (None, _) => None,
    };
    Inputs {
        kubeconfig,
        authority_file: authority_file.map(|path| file::read(&path)),
        keys: pair.map(|pair| [half(&pair.access_key_id), half(&pair.secret_access_key)]),
        token,
        needs_token: needs.token_decision,
        cluster,
    }
}

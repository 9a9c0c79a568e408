//! Decides the source of each cluster's server, CA, token and S3 key, and reads those that a run needs.
//!
//! A flag wins over the values, and the values over the kubeconfig. The decision doesn't depend on which of them a run
//! reads, so the two sides of a cluster agree even if two runs render them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use crate::diagnostic::{Diagnostic, Place};
use crate::input::{file, yaml};
use crate::kubeconfig::{GivenCa, Kubeconfig, KubeconfigCluster, Location};
use crate::secret::Secret;
use crate::show::shown;
use crate::values::{Credentials, MergedValues, SecretForm, SecretSource, TokenForm};

/// Flags that are for one cluster.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flags<'a> {
    pub kubeconfig: Option<&'a PathBuf>,
    pub context: Option<&'a String>,
    /// `--token-file`
    pub token_file: Option<&'a PathBuf>,
}

/// The inputs that a run reads besides the values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    /// The kubeconfig and the CA.
    pub kubeconfig: bool,
    /// The S3 key, and the variables of `extraEnv` that come from the environment or files.
    pub compute_secrets: bool,
    /// The token, if it has a source. Only the control-plane side has one.
    pub token: bool,
    /// Whether a token without a source is an error.
    pub requires_token: bool,
}

/// The source of an API server's address or CA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// `kubeconfig.server` or `kubeconfig.certificateAuthority`
    Values,
    /// The chosen cluster of the kubeconfig.
    Kubeconfig,
    /// The controller's own roots, for a CA.
    System,
}

/// The source of the service account's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// `--token-file`
    Flag(PathBuf),
    /// `token` names an environment variable or a file.
    Values(SecretSource),
    /// The External Secrets Operator moves it.
    ExternalSecret,
    /// Someone else creates its Secret.
    Elsewhere,
    /// Neither the values nor a flag set it. A runbook then passes the token.
    Undecided,
}

/// How a Secret gets into its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Rendered,
    /// From a store, through a rendered ExternalSecret.
    ExternalSecret,
    /// Someone else creates it, or it isn't needed.
    Elsewhere,
}

impl TokenSource {
    /// Returns how the token's Secret gets to the control plane.
    pub fn delivery(&self) -> Delivery {
        match self {
            Self::Flag(_) | Self::Values(_) | Self::Undecided => Delivery::Rendered,
            Self::ExternalSecret => Delivery::ExternalSecret,
            Self::Elsewhere => Delivery::Elsewhere,
        }
    }

    /// Returns the key or flag that sets it, for messages.
    pub fn key(&self) -> &'static str {
        if matches!(self, Self::Flag(_)) { "--token-file" } else { "token" }
    }
}

/// The sources of one cluster.
#[derive(Clone, Debug)]
pub struct Sources {
    /// An error if `kubeconfig.path` is relative and the values come from a pipe.
    pub kubeconfig: Result<Location, Diagnostic>,
    /// The key, flag or variable that names it.
    kubeconfig_key: &'static str,
    /// `None` for the current one.
    context: Option<String>,
    context_key: &'static str,
    pub server: Source,
    pub ca: Source,
    pub token: TokenSource,
    pub s3_key: Delivery,
}

impl Sources {
    pub fn decide(cluster: &MergedValues, flags: Flags<'_>) -> Self {
        let values = cluster.values.kubeconfig.as_ref();
        let path = values.and_then(|values| values.path.as_deref());
        let authority = values.and_then(|values| values.certificate_authority.as_deref());
        let has_server = values.is_some_and(|values| values.server.is_some());
        let (kubeconfig, kubeconfig_key) = match (flags.kubeconfig, path) {
            (Some(path), _) => (Ok(Location::File(path.clone())), "--kubeconfig"),
            (None, Some(path)) => {
                let key = "kubeconfig.path";
                (cluster.path(key, path).map(Location::File), key)
            }
            (None, None) => (Ok(Location::of_kubectl()), "$KUBECONFIG"),
        };
        let own_context = values.and_then(|values| values.context.as_deref());
        let (context, context_key) = match flags.context {
            Some(context) => (Some(context.clone()), "--context"),
            None => (own_context.map(str::to_owned), "kubeconfig.context"),
        };
        Self {
            kubeconfig,
            kubeconfig_key,
            context,
            context_key,
            server: if has_server { Source::Values } else { Source::Kubeconfig },
            ca: match authority {
                Some("system") => Source::System,
                Some(_) => Source::Values,
                None => Source::Kubeconfig,
            },
            token: match (flags.token_file, &cluster.values.token) {
                (Some(path), _) => TokenSource::Flag(path.clone()),
                (None, Some(TokenForm::From(source))) => TokenSource::Values(source.clone()),
                (None, Some(TokenForm::ExternalSecret)) => TokenSource::ExternalSecret,
                (None, Some(TokenForm::None)) => TokenSource::Elsewhere,
                (None, None) => TokenSource::Undecided,
            },
            s3_key: match cluster.values.storage.as_ref().and_then(|it| it.credentials.as_ref()) {
                Some(Credentials::Keys(_)) => Delivery::Rendered,
                Some(Credentials::ExternalSecret(_)) => Delivery::ExternalSecret,
                _ => Delivery::Elsewhere,
            },
        }
    }
}

/// An API server before it is checked.
pub struct GivenServer {
    pub kubeconfig: KubeconfigCluster,
    /// `kubeconfig.server` if set, else the kubeconfig's server.
    pub url: String,
    pub place: Place,
    pub ca: Result<GivenCa, Diagnostic>,
    pub ca_place: Place,
}

/// The halves of the S3 key in the values.
pub const KEY_PLACES: [&str; 2] =
    ["storage.credentials.accessKeyId", "storage.credentials.secretAccessKey"];

/// A secret, or why it couldn't be read.
pub type ReadSecret = Result<Secret, Diagnostic>;

/// The inputs of one cluster, before they are checked.
pub struct Inputs {
    pub cluster: MergedValues,
    pub sources: Sources,
    /// `None` if this run reads no kubeconfig.
    pub server: Option<Result<GivenServer, Diagnostic>>,
    /// `accessKeyId` and `secretAccessKey`; `None` if the values have no keys or this run doesn't read them.
    pub s3_key: Option<[Option<ReadSecret>; 2]>,
    /// The variables of `extraEnv` that come from the environment or files, if this run reads them.
    pub extra_env: BTreeMap<String, ReadSecret>,
    /// `None` if it has no source or this run doesn't read it.
    pub token: Option<ReadSecret>,
    pub requires_token: bool,
}

/// Decides the sources of all clusters and reads those that a run needs. Parses each kubeconfig once.
pub fn read(clusters: Vec<MergedValues>, flags: Flags<'_>, needs: Needs) -> Vec<Inputs> {
    let decide = |cluster| (Sources::decide(&cluster, flags), cluster);
    let decided: Vec<(Sources, MergedValues)> = clusters.into_par_iter().map(decide).collect();
    let locations = decided.iter().filter_map(|(sources, _)| sources.kubeconfig.as_ref().ok());
    let locations: HashSet<&Location> = locations.filter(|_| needs.kubeconfig).collect();
    let kubeconfigs: Kubeconfigs =
        locations.into_par_iter().map(|at| (at.clone(), Kubeconfig::read(at))).collect();
    let read_inputs = |(sources, cluster): (Sources, MergedValues)| Inputs {
        server: needs.kubeconfig.then(|| read_server(&cluster, &sources, &kubeconfigs)),
        s3_key: if needs.compute_secrets { read_s3_key(&cluster) } else { None },
        extra_env: if needs.compute_secrets { read_extra_env(&cluster) } else { BTreeMap::new() },
        token: if needs.token { read_token(&cluster, &sources) } else { None },
        requires_token: needs.requires_token,
        sources,
        cluster,
    };
    decided.into_par_iter().map(read_inputs).collect()
}

type Kubeconfigs = HashMap<Location, Result<Kubeconfig, Diagnostic>>;

fn read_server(
    cluster: &MergedValues,
    sources: &Sources,
    kubeconfigs: &Kubeconfigs,
) -> Result<GivenServer, Diagnostic> {
    let location = sources.kubeconfig.as_ref().map_err(Diagnostic::clone)?;
    let kubeconfig = kubeconfigs[location].as_ref().map_err(Diagnostic::clone);
    let kubeconfig =
        kubeconfig.map_err(|error| error.at(&cluster.place(sources.kubeconfig_key)))?;
    let kubeconfig = kubeconfig.choose(sources.context.as_deref());
    let kubeconfig = kubeconfig.map_err(|error| error.at(&cluster.place(sources.context_key)))?;
    let values = cluster.values.kubeconfig.as_ref();
    let (url, place) = match values.and_then(|values| values.server.as_ref()) {
        Some(url) => (url.0.clone(), cluster.place("kubeconfig.server")),
        None => (kubeconfig.server.clone(), kubeconfig.place("server")),
    };
    let authority = values.and_then(|values| values.certificate_authority.as_deref());
    let key = "kubeconfig.certificateAuthority";
    let (ca, ca_place) = match (sources.ca, authority) {
        (Source::System, _) => (Ok(GivenCa::System), cluster.place(key)),
        (Source::Values, Some(path)) => {
            let read = |path: PathBuf| file::read(&path).map(GivenCa::Pem);
            (cluster.path(key, path).and_then(read), cluster.place(key))
        }
        (Source::Values | Source::Kubeconfig, _) => {
            (kubeconfig.ca.clone(), kubeconfig.place(kubeconfig.ca_key))
        }
    };
    Ok(GivenServer { kubeconfig, url, place, ca, ca_place })
}

fn read_s3_key(cluster: &MergedValues) -> Option<[Option<ReadSecret>; 2]> {
    let Some(Credentials::Keys([id, secret])) = &cluster.values.storage.as_ref()?.credentials
    else {
        return None;
    };
    let read = |key, form: &Option<SecretForm>| match form.as_ref()? {
        SecretForm::Literal(secret) => Some(Ok(secret.clone())),
        SecretForm::From(source) => Some(read_secret(cluster, key, source)),
    };
    Some([read(KEY_PLACES[0], id), read(KEY_PLACES[1], secret)])
}

fn read_extra_env(cluster: &MergedValues) -> BTreeMap<String, ReadSecret> {
    let storage = cluster.values.storage.as_ref();
    let variables = storage.and_then(|storage| storage.extra_env.as_ref());
    let read = variables.into_iter().flatten().filter_map(|(name, form)| match form {
        SecretForm::Literal(_) => None,
        SecretForm::From(source) => {
            let key = format!("storage.extraEnv.{}", name.0);
            Some((name.0.clone(), read_secret(cluster, &key, source)))
        }
    });
    read.collect()
}

fn read_token(cluster: &MergedValues, sources: &Sources) -> Option<ReadSecret> {
    match &sources.token {
        TokenSource::Flag(path) => Some(read_secret_file(path)),
        TokenSource::Values(source) => Some(read_secret(cluster, "token", source)),
        TokenSource::ExternalSecret | TokenSource::Elsewhere | TokenSource::Undecided => None,
    }
}

/// Reads the secret at a key from its source, without white space around it. Fails if it can't be read or is empty.
fn read_secret(cluster: &MergedValues, key: &str, source: &SecretSource) -> ReadSecret {
    let secret = match source {
        SecretSource::Env(name) => read_variable(name),
        SecretSource::File(path) => {
            cluster.path(key, path).and_then(|path| read_secret_file(&path))
        }
    };
    secret.map_err(|error| error.at(&cluster.place(key)))
}

fn read_variable(name: &str) -> ReadSecret {
    if let Ok(text) = std::env::var(name) {
        return trimmed(&text, &format!("the environment variable {}", shown(name)));
    }
    // It may be the secret itself.
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    if file::looks_like_token(name) || !name.chars().all(is_of_name) {
        let message = "not the name of an environment variable, but perhaps the secret itself";
        return Err(Diagnostic::error(message).help("write `{env: NAME}`"));
    }
    let message = format!("the environment variable {} is not set", shown(name));
    let error = Diagnostic::error(message);
    Err(match name.strip_prefix('$') {
        Some(name) => error.help(format!("write the name alone, {}", shown(name))),
        None => error,
    })
}

fn read_secret_file(path: &Path) -> ReadSecret {
    let name = file::name(path);
    let text = yaml::decode(file::read(path)?).map_err(|error| error.in_file(&name))?;
    let source = if path == Path::new("-") { name } else { format!("the file {}", shown(name)) };
    trimmed(&text, &source)
}

fn trimmed(text: &str, source: &str) -> ReadSecret {
    // The control plane sends a token byte for byte: with a final newline, every request would fail.
    match text.trim() {
        "" => {
            let error = Diagnostic::error(format!("{source} is empty"));
            Err(error.help("check the step that sets it"))
        }
        text => Ok(Secret::new(text)),
    }
}

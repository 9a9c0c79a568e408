//! read: files, environment and standard input become plain values.
//!
//! This is the only part that reads the outside. It finds and parses; whether what it found makes
//! sense is decided in [`crate::registration`].

pub mod endpoint;
pub mod file;
pub mod kubeconfig;
mod locate;
pub mod secret;
pub mod templates;
mod tree;
pub mod values;
pub mod words;
pub mod yaml;

use anyhow::{Context, Result, bail};

use endpoint::Endpoint;
use file::Source;
use kubeconfig::Search;
use secret::Secret;
use values::{CredentialsValues, TokenValues, Values};

use crate::text::shown;

/// What is to be read: the flags of a command, by what they mean.
pub struct Request {
    /// `--values`: the values file.
    pub values: Source,
    /// `--kubeconfig`: the kubeconfig, unless the values file names one.
    pub kubeconfig: Option<Source>,
    /// `--context`: the context, unless the values file names one.
    pub context: Option<String>,
    /// `--token-file`: the service account's token, unless the values file has a decision.
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

/// Everything that was read about one compute cluster.
pub struct Inputs {
    /// Where the values were read, for messages.
    pub source: Source,
    /// The values file.
    pub values: Values,
    /// The API server and its certificate authority.
    pub endpoint: Endpoint,
    /// The storage's keys, where the values file has some and they are needed.
    pub storage_keys: Option<StorageKeys>,
    /// What was decided about the token.
    pub token: TokenInput,
}

/// A pair of S3 keys.
pub struct StorageKeys {
    /// `AWS_ACCESS_KEY_ID`
    pub access_key_id: Secret,
    /// `AWS_SECRET_ACCESS_KEY`
    pub secret_access_key: Secret,
}

/// What was decided about the service account's token.
pub enum TokenInput {
    /// The side that needs it isn't rendered.
    NotNeeded,
    /// Nothing was decided.
    Undecided,
    /// Someone else makes the Secret.
    None,
    /// It was read.
    Read {
        /// The token as it was found, white space around it dropped.
        token: Secret,
        /// Where it was found, for messages.
        origin: String,
    },
}

/// Reads everything about one cluster. `notes` gets lines for the user.
///
/// # Errors
/// Where something can't be read or parsed, or is said twice.
pub fn read(request: &Request, notes: &mut Vec<String>) -> Result<Inputs> {
    only_one_reads_standard_input(request)?;
    let values = values::read(&request.values)?;
    let within = || format!("failed to use the values file {}", request.values);
    refuse_unsupported(&values).with_context(within)?;
    refuse_said_twice(request, &values).with_context(within)?;
    let endpoint = read_endpoint(request, &values, notes)?;
    let storage_keys = read_storage_keys(request, &values).with_context(within)?;
    let token = read_token(request, &values)?;
    Ok(Inputs {
        source: request.values.clone(),
        values,
        endpoint,
        storage_keys,
        token,
    })
}

fn only_one_reads_standard_input(request: &Request) -> Result<()> {
    let readers: Vec<&str> = [
        ("`--values`", Some(&request.values)),
        ("`--kubeconfig`", request.kubeconfig.as_ref()),
        ("`--token-file`", request.token_file.as_ref()),
    ]
    .into_iter()
    .filter_map(|(flag, source)| (source == Some(&Source::Stdin)).then_some(flag))
    .collect();
    if readers.len() > 1 {
        bail!(
            "failed to read standard input: {} are `-`, and only one can be",
            readers.join(" and ")
        );
    }
    Ok(())
}

fn refuse_unsupported(values: &Values) -> Result<()> {
    let by_operator = |key: &str, instead: &str| -> Result<()> {
        bail!(
            "{}: `externalSecret` is not supported by this version yet; use {instead}",
            shown(key)
        )
    };
    if let Some(storage) = &values.storage
        && matches!(storage.credentials, Some(CredentialsValues::ExternalSecret))
    {
        by_operator(
            "storage.credentials",
            "`{existingSecret: true}` and make the ExternalSecret yourself",
        )?;
    }
    if values.token == Some(TokenValues::ExternalSecret) {
        by_operator("token", "`none` and make the ExternalSecret yourself")?;
    }
    if values.external_secrets.is_some() {
        bail!(
            "`externalSecrets` is not supported by this version yet: nothing here would use it; remove the key"
        );
    }
    Ok(())
}

/// What stands both in the values file and in a flag can't be told apart from a mistake.
fn refuse_said_twice(request: &Request, values: &Values) -> Result<()> {
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
    for (key, flag, both) in twice {
        if both {
            bail!(
                "it has the key {}, and the flag {} is given too: remove one of them",
                shown(key),
                shown(flag)
            );
        }
    }
    Ok(())
}

fn read_endpoint(request: &Request, values: &Values, notes: &mut Vec<String>) -> Result<Endpoint> {
    let within = || format!("failed to use the values file {}", request.values);
    let kubeconfig = values.kubeconfig.as_ref();
    let path = kubeconfig.and_then(|kubeconfig| kubeconfig.path.as_deref());
    let search = match (path, &request.kubeconfig) {
        (Some(""), _) => Err(anyhow::anyhow!("`kubeconfig.path` is empty")).with_context(within)?,
        (Some(path), _) => {
            let path = request.values.resolve(path).with_context(within)?;
            Search::Named(Source::Path(path))
        }
        (None, Some(source)) => Search::Named(source.clone()),
        (None, None) => Search::from_environment()?,
    };
    let context = kubeconfig
        .and_then(|kubeconfig| kubeconfig.context.as_deref())
        .or(request.context.as_deref());
    let chosen = kubeconfig::read(&search, context, notes)?;
    endpoint::read(chosen, kubeconfig, &request.values)
}

fn read_storage_keys(request: &Request, values: &Values) -> Result<Option<StorageKeys>> {
    let credentials = values
        .storage
        .as_ref()
        .and_then(|storage| storage.credentials.as_ref());
    match credentials {
        Some(CredentialsValues::Keys {
            access_key_id,
            secret_access_key,
        }) if request.needs.storage_keys => Ok(Some(StorageKeys {
            access_key_id: secret::read_value(access_key_id, &request.values)
                .context("`storage.credentials.accessKeyId`")?,
            secret_access_key: secret::read_value(secret_access_key, &request.values)
                .context("`storage.credentials.secretAccessKey`")?,
        })),
        _ => Ok(None),
    }
}

fn read_token(request: &Request, values: &Values) -> Result<TokenInput> {
    if !request.needs.token {
        return Ok(TokenInput::NotNeeded);
    }
    match (&values.token, &request.token_file) {
        (Some(TokenValues::From(source)), _) => Ok(TokenInput::Read {
            token: secret::read_source(source, &request.values)
                .with_context(|| format!("failed to read `token` of {}", request.values))?,
            origin: format!("`token` of {}", request.values),
        }),
        (Some(TokenValues::None | TokenValues::ExternalSecret), _) => Ok(TokenInput::None),
        (None, Some(source)) => Ok(TokenInput::Read {
            token: secret::read_file(source).context("failed to read `--token-file`")?,
            origin: format!("`--token-file` {source}"),
        }),
        (None, None) => Ok(TokenInput::Undecided),
    }
}

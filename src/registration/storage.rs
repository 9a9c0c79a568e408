//! The storage that jobs use: a file system, an S3 endpoint and a way in.

use std::collections::BTreeMap;

use super::checks::Checks;
use super::external_secrets::{self, StoredKeys};
use super::names::{check_filled_in, check_variable};
use super::{SecretResult, server};
use crate::diagnostic::{Code, Diagnostic};
use crate::secret::{Secret, names_a_secret};
use crate::show::shown;
use crate::values::{Credentials, Scheme, StorageValues};

/// The public half of the S3 key, in the ConfigMap and the Secret.
pub const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// The secret half of the S3 key, in the ConfigMap and the Secret.
pub const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// The keys of the ConfigMap that other keys of `storage` set.
const OWN_KEYS: [&str; 5] = [
    "MA_FILE_SYSTEM",
    "MA_FILE_SYSTEM_S3_SCHEME",
    "AWS_ENDPOINT_URL",
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
];
const FORMS: &str = "choose one: `accessKeyId` and `secretAccessKey`, `workloadIdentity`, `externalSecret` or `existingSecret`";

/// The storage, checked.
#[derive(Debug)]
pub struct Storage {
    /// An fsspec URL.
    pub file_system: String,
    /// Scheme of the endpoint.
    pub scheme: Scheme,
    /// URL of an S3 API that isn't AWS's own.
    pub endpoint: Option<String>,
    /// How jobs get access.
    pub access: Access,
    /// Further environment variables of every pod.
    pub extra_env: BTreeMap<String, String>,
}

/// How jobs get access to the storage.
#[derive(Debug)]
pub enum Access {
    /// By the platform.
    WorkloadIdentity,
    /// By objects that someone else manages.
    ExistingSecret,
    /// By an S3 key; none where this run doesn't need it, so that it wasn't read.
    Keys(Option<S3Keys>),
    /// By an S3 key that the External Secrets Operator gets from a store.
    External(StoredKeys),
}

/// An S3 key.
#[derive(Debug)]
pub struct S3Keys {
    /// `AWS_ACCESS_KEY_ID`
    pub access_key_id: Secret,
    /// `AWS_SECRET_ACCESS_KEY`
    pub secret_access_key: Secret,
}

impl Storage {
    /// The keys of the ConfigMap in their order, without the S3 key.
    pub fn environment(&self) -> Vec<(&str, String)> {
        let mut environment = vec![
            ("MA_FILE_SYSTEM", self.file_system.clone()),
            ("MA_FILE_SYSTEM_S3_SCHEME", self.scheme.to_string()),
        ];
        environment.extend(self.endpoint.clone().map(|url| ("AWS_ENDPOINT_URL", url)));
        environment
    }
}

/// Checks and completes `storage`. `keys` are the halves of the S3 key, where this run reads them.
pub fn resolve(
    values: &StorageValues,
    keys: Option<[SecretResult; 2]>,
    checks: &mut Checks<'_>,
) -> Option<Storage> {
    let StorageValues { file_system, scheme, endpoint, credentials, extra_env } = values;
    let file_system = file_system.as_deref().unwrap_or("s3://default");
    let file_system_is_good = checks.take("storage.fileSystem", check_file_system(file_system));
    let endpoint_scheme = match endpoint {
        None => None,
        Some(url) => Some(resolve_endpoint(url, *scheme, checks)?),
    };
    let extra_env =
        extra_env.iter().flatten().map(|(name, value)| (name.0.clone(), value.0.clone())).collect();
    check_extra_env(&extra_env, checks);
    let access = resolve_access(credentials.as_ref(), keys, checks);
    file_system_is_good?;
    Some(Storage {
        file_system: file_system.to_owned(),
        scheme: scheme.or(endpoint_scheme).unwrap_or(Scheme::Https),
        endpoint: endpoint.as_ref().map(|url| url.0.clone()),
        access: access?,
        extra_env,
    })
}

/// Checks `storage.endpoint`, and says what its scheme is.
fn resolve_endpoint(url: &str, scheme: Option<Scheme>, checks: &mut Checks<'_>) -> Option<Scheme> {
    let (found, host) = checks.take("storage.endpoint", scheme_and_host(url))?;
    if let Some(scheme) = scheme.filter(|scheme| *scheme != found) {
        let message =
            format!("`scheme` is `{scheme}`, and the endpoint's URL begins with `{found}://`");
        let finding = Diagnostic::finding(Code::StorageSchemeMismatch, message);
        checks.push("storage.scheme", finding.help("leave `storage.scheme` out"));
    }
    if server::is_loopback(&host) {
        let message =
            format!("the storage {} is a loopback address; a pod would dial itself", shown(host));
        let finding = Diagnostic::finding(Code::LoopbackStorage, message);
        let help = "set `storage.endpoint` to the address at which pods reach it";
        checks.push("storage.endpoint", finding.help(help));
    }
    Some(found)
}

fn resolve_access(
    credentials: Option<&Credentials>,
    keys: Option<[SecretResult; 2]>,
    checks: &mut Checks<'_>,
) -> Option<Access> {
    match credentials {
        None | Some(Credentials::Placeholder) => {
            let error = match credentials {
                None => Diagnostic::error("no credentials for the storage"),
                Some(_) => Diagnostic::error("the credentials are a placeholder"),
            };
            checks.push("storage.credentials", error.help(FORMS));
            None
        }
        Some(Credentials::WorkloadIdentity) => Some(Access::WorkloadIdentity),
        Some(Credentials::ExistingSecret) => Some(Access::ExistingSecret),
        Some(Credentials::Keys(_)) => resolve_keys(keys, checks),
        Some(Credentials::ExternalSecret(remote)) => {
            let message = "Ray pods don't get these keys; they read only the ConfigMap";
            let help = "give the pods workload identity, or mount the Secret `aws-credentials`";
            checks.push(
                "storage.credentials",
                Diagnostic::finding(Code::KeysNotInPods, message).help(help),
            );
            external_secrets::resolve_keys(remote, checks).map(Access::External)
        }
    }
}

fn resolve_keys(keys: Option<[SecretResult; 2]>, checks: &mut Checks<'_>) -> Option<Access> {
    let Some([access_key_id, secret_access_key]) = keys else {
        return Some(Access::Keys(None));
    };
    let mut take = |key: &str, result: SecretResult| {
        let secret = checks.take(key, result.and_then(check_secret))?;
        secret.unresolved().into_iter().for_each(|finding| checks.push(key, finding));
        Some(secret)
    };
    let access_key_id = take("storage.credentials.accessKeyId", access_key_id);
    let secret_access_key = take("storage.credentials.secretAccessKey", secret_access_key);
    Some(Access::Keys(Some(S3Keys {
        access_key_id: access_key_id?,
        secret_access_key: secret_access_key?,
    })))
}

/// Refuses what no HTTP header and no environment variable can carry.
///
/// # Errors
/// Where a secret is empty or has control characters in it.
pub fn check_secret(secret: Secret) -> SecretResult {
    if secret.expose().is_empty() {
        let help = "write the value in quotes if it begins with `#`, `&`, `*` or the like";
        return Err(Diagnostic::error("the secret is empty").help(help));
    }
    if secret.expose().contains(char::is_control) {
        let message = "the secret has a line break or another control character in it";
        return Err(Diagnostic::error(message).help("write it on one line"));
    }
    Ok(secret)
}

fn check_file_system(url: &str) -> Result<(), Diagnostic> {
    // An `@` alone is part of URLs such as `abfs://container@account`.
    let has_password = || {
        let authority = url.split("://").nth(1)?.split('/').next()?;
        Some(authority.split_once('@')?.0.contains(':'))
    };
    if has_password() == Some(true) {
        return Err(has_user());
    }
    check_filled_in(url)?;
    let is_good = url.split_once("://").is_some_and(|(scheme, rest)| {
        let is_of_scheme =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b':');
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(is_of_scheme)
            && !rest.is_empty()
    });
    if is_good && url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let message = format!("{} is not an fsspec URL", shown(url));
    Err(Diagnostic::error(message).help("write one such as `s3://default`"))
}

/// The scheme and host of an S3 endpoint.
fn scheme_and_host(url: &str) -> Result<(Scheme, String), Diagnostic> {
    if url.contains('@') {
        return Err(has_user());
    }
    check_filled_in(url)?;
    let scheme = match (server::has_scheme(url, "http"), server::has_scheme(url, "https")) {
        (true, _) => Some(Scheme::Http),
        (_, true) => Some(Scheme::Https),
        _ => None,
    };
    let uri = server::split(url).ok().filter(|uri| uri.query().is_none());
    let host = uri.and_then(|uri| server::host_and_port(&uri)).map(|(host, _)| host);
    scheme.zip(host).ok_or_else(|| {
        let message = format!("{} is not a URL of an S3 endpoint", shown(url));
        Diagnostic::error(message).help("write one such as `http://minio:9091`")
    })
}

fn has_user() -> Diagnostic {
    let error = Diagnostic::error("the URL has a user or password in it");
    error.help("move it to `storage.credentials`")
}

fn check_extra_env(extra_env: &BTreeMap<String, String>, checks: &mut Checks<'_>) {
    for (name, value) in extra_env {
        let key = format!("storage.extraEnv.{name}");
        if OWN_KEYS.contains(&name.as_str()) {
            let error =
                Diagnostic::error(format!("{} is set by another `storage` key", shown(name)));
            checks.push(&key, error.help("remove it here"));
        }
        checks.take(&key, check_variable(name));
        if name == "PATH" || name.starts_with("LD_") || name.starts_with("RAY_") {
            let message = format!("{} overrides the image's value in every Ray pod", shown(name));
            checks.push(&key, Diagnostic::finding(Code::UnusualEnv, message).help("remove it"));
        }
        if names_a_secret(name) {
            let finding = Secret::new(value).unresolved();
            finding.into_iter().for_each(|finding| checks.push(&key, finding));
        }
    }
}

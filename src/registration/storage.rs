//! The storage that jobs use: a file system, an S3 endpoint and access to it.

use std::collections::BTreeMap;

use super::checks::Checks;
use super::external_secrets::{self, StoredKeys};
use super::names::{check_filled_in, check_variable};
use super::server;
use crate::diagnostic::Diagnostic;
use crate::findings::Code;
use crate::secret::{Secret, has_password, is_secret_variable};
use crate::show::{shown, shown_url};
use crate::sources::ReadSecret;
use crate::values::{Credentials, KeyPair, Scheme, SecretForm, StorageValues, Text};

/// The public half of the S3 key, in the ConfigMap and the Secret.
pub const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// The secret half of the S3 key, in the ConfigMap and the Secret.
pub const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// Keys of the ConfigMap that `storage` sets itself, so `extraEnv` can't.
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
    /// Further environment variables of every pod, as far as this run has read them.
    extra_env: BTreeMap<String, Variable>,
}

/// How jobs get access to the storage.
#[derive(Debug)]
pub enum Access {
    /// The platform gives it to the pods.
    WorkloadIdentity,
    /// Someone else manages the objects with the key.
    ExistingSecret,
    /// An S3 key; `None` if this run doesn't read it.
    Keys(Option<S3Key>),
    /// An S3 key that the External Secrets Operator gets from a store.
    External(StoredKeys),
}

/// An S3 key.
#[derive(Debug)]
pub struct S3Key {
    access_key_id: Secret,
    secret_access_key: Secret,
}

impl S3Key {
    /// Returns both halves, as environment variables.
    pub fn variables(&self) -> [(&str, &str); 2] {
        [
            (ACCESS_KEY_ID, self.access_key_id.expose()),
            (SECRET_ACCESS_KEY, self.secret_access_key.expose()),
        ]
    }
}

#[derive(Debug)]
enum Variable {
    Public(String),
    Secret(Secret),
}

impl Storage {
    /// Returns the S3 key, if there is one and this run reads it.
    pub fn s3_key(&self) -> Option<&S3Key> {
        match &self.access {
            Access::Keys(key) => key.as_ref(),
            Access::WorkloadIdentity | Access::ExistingSecret | Access::External(_) => None,
        }
    }

    /// Returns the environment of every pod, in the order of the ConfigMap.
    pub fn environment(&self) -> Vec<(&str, &str)> {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        let mut environment = vec![
            ("MA_FILE_SYSTEM", self.file_system.as_str()),
            ("MA_FILE_SYSTEM_S3_SCHEME", scheme),
        ];
        environment.extend(self.endpoint.as_deref().map(|url| ("AWS_ENDPOINT_URL", url)));
        environment.extend(self.s3_key().iter().flat_map(|key| key.variables()));
        environment.extend(self.extra_env.iter().map(|(name, value)| match value {
            Variable::Public(text) => (name.as_str(), text.as_str()),
            Variable::Secret(secret) => (name.as_str(), secret.expose()),
        }));
        environment
    }

    /// Returns the secrets that this run has read.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let variables = self.extra_env.values().filter_map(|value| match value {
            Variable::Public(_) => None,
            Variable::Secret(secret) => Some(secret),
        });
        self.s3_key().into_iter().map(|key| &key.secret_access_key).chain(variables)
    }
}

/// Checks and completes `storage`. `key` has the halves of the S3 key, and `read` the variables of `extraEnv` from the
/// environment and files, if this run reads them.
pub fn resolve(
    values: Option<&StorageValues>,
    key: Option<[Option<ReadSecret>; 2]>,
    read: BTreeMap<String, ReadSecret>,
    checks: &mut Checks<'_>,
) -> Option<Storage> {
    let nothing = StorageValues::default();
    let StorageValues { file_system, scheme, endpoint, credentials, extra_env } =
        values.unwrap_or(&nothing);
    let file_system = file_system.as_deref().unwrap_or("s3://default");
    let checked_file_system = checks.take("storage.fileSystem", check_file_system(file_system));
    let endpoint_scheme = endpoint.as_ref().map(|url| resolve_endpoint(url, *scheme, checks));
    let extra_env = resolve_extra_env(extra_env.iter().flatten(), read, checks);
    let access = resolve_access(credentials.as_ref(), key, checks);
    // Return only now, so that one run reports all errors.
    checked_file_system?;
    let endpoint_scheme = match endpoint_scheme {
        Some(scheme) => Some(scheme?),
        None => None,
    };
    Some(Storage {
        file_system: file_system.to_owned(),
        scheme: scheme.or(endpoint_scheme).unwrap_or(Scheme::Https),
        endpoint: endpoint.as_ref().map(|url| url.0.clone()),
        access: access?,
        extra_env,
    })
}

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
    key: Option<[Option<ReadSecret>; 2]>,
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
        Some(Credentials::Keys(pair)) => resolve_key(pair, key, checks).map(Access::Keys),
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

/// Checks the S3 key. Returns `Some(None)` if this run doesn't read it.
fn resolve_key(
    pair: &KeyPair,
    key: Option<[Option<ReadSecret>; 2]>,
    checks: &mut Checks<'_>,
) -> Option<Option<S3Key>> {
    let names = ["storage.credentials.accessKeyId", "storage.credentials.secretAccessKey"];
    for (name, half) in names.iter().zip([&pair.access_key_id, &pair.secret_access_key]) {
        if half.is_none() {
            let error = Diagnostic::error("half of the S3 key is missing");
            let help = "write both, in quotes if a value begins with `#`, `&` or `*`";
            checks.push(name, error.help(help));
        }
    }
    let Some(halves) = key else {
        return Some(None);
    };
    let mut take = |name: &str, half: Option<ReadSecret>| {
        let secret = checks.take(name, half?.and_then(Secret::checked))?;
        secret.unresolved().into_iter().for_each(|finding| checks.push(name, finding));
        Some(secret)
    };
    let [access_key_id, secret_access_key] = halves;
    let access_key_id = take(names[0], access_key_id);
    let secret_access_key = take(names[1], secret_access_key);
    Some(Some(S3Key { access_key_id: access_key_id?, secret_access_key: secret_access_key? }))
}

fn check_file_system(url: &str) -> Result<(), Diagnostic> {
    // A user without a password is fine: `abfs://container@account`.
    server::refuse_secret(url, has_password(url))?;
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
    let message = format!("{} is not an fsspec URL", shown_url(url));
    Err(Diagnostic::error(message).help("write one such as `s3://default`"))
}

fn scheme_and_host(url: &str) -> Result<(Scheme, String), Diagnostic> {
    server::refuse_secret(url, url.contains('@'))?;
    check_filled_in(url)?;
    let scheme = match (server::has_scheme(url, "http"), server::has_scheme(url, "https")) {
        (true, _) => Some(Scheme::Http),
        (_, true) => Some(Scheme::Https),
        _ => None,
    };
    let uri = server::split(url).ok();
    let host = uri.and_then(|uri| server::host_and_port(&uri)).map(|(host, _)| host);
    scheme.zip(host).ok_or_else(|| {
        let message = format!("{} is not a URL of an S3 endpoint", shown_url(url));
        Diagnostic::error(message).help("write one such as `http://minio:9091`")
    })
}

fn resolve_extra_env<'a>(
    forms: impl Iterator<Item = (&'a Text, &'a SecretForm)>,
    mut read: BTreeMap<String, ReadSecret>,
    checks: &mut Checks<'_>,
) -> BTreeMap<String, Variable> {
    let mut variables = BTreeMap::new();
    for (Text(name), form) in forms {
        let key = format!("storage.extraEnv.{name}");
        check_name(name, &key, checks);
        let value = match form {
            SecretForm::Literal(text) if is_secret_variable(name, text.expose()) => {
                Variable::Secret(text.clone())
            }
            SecretForm::Literal(text) => Variable::Public(text.expose().to_owned()),
            SecretForm::From(_) => {
                let secret = read.remove(name).and_then(|read| checks.take(&key, read));
                let Some(secret) = secret else { continue };
                Variable::Secret(secret)
            }
        };
        if let Variable::Secret(secret) = &value {
            secret.unresolved().into_iter().for_each(|finding| checks.push(&key, finding));
        }
        variables.insert(name.clone(), value);
    }
    variables
}

fn check_name(name: &str, key: &str, checks: &mut Checks<'_>) {
    if OWN_KEYS.contains(&name) {
        let error = Diagnostic::error(format!("{} is set by another `storage` key", shown(name)));
        checks.push(key, error.help("remove it here"));
    }
    checks.take(key, check_variable(name));
    // Each key of the ConfigMap becomes a variable of every Ray container.
    if name == "PATH" || name.starts_with("LD_") || name.starts_with("RAY_") {
        let message = format!("{} overrides the image's value in every Ray pod", shown(name));
        checks.push(key, Diagnostic::finding(Code::UnusualEnv, message).help("remove it"));
    }
}

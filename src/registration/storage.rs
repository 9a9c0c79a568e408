//! The storage that jobs use: a file system, an S3 endpoint and access to it.

use std::collections::BTreeMap;

use super::Checks;
use super::credentials::{self, ACCESS_KEY_ID, Access, S3Key, SECRET_ACCESS_KEY};
use super::names::{check_filled_in, check_variable};
use super::server;
use crate::diagnostic::Diagnostic;
use crate::findings::Code;
use crate::secret::{Secret, has_password, is_secret_variable, unresolved};
use crate::show::{shown, shown_url};
use crate::sources::ReadSecret;
use crate::values::{Scheme, SecretForm, StorageValues, Text};

/// Keys of the ConfigMap that `storage` sets itself, so `extraEnv` can't.
const OWN_KEYS: [&str; 5] = [
    "MA_FILE_SYSTEM",
    "MA_FILE_SYSTEM_S3_SCHEME",
    "AWS_ENDPOINT_URL",
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
];
/// The keys that `storage.region` sets.
const REGION_KEYS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

#[derive(Debug)]
pub struct Storage {
    pub file_system: String,
    pub scheme: String,
    /// URL of an S3 API that isn't AWS's own.
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub access: Access,
    /// Further environment variables of every pod; only those that this run reads.
    extra_env: BTreeMap<String, Variable>,
}

#[derive(Debug)]
struct Variable {
    text: Secret,
    is_secret: bool,
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
        let mut environment = vec![
            ("MA_FILE_SYSTEM", self.file_system.as_str()),
            ("MA_FILE_SYSTEM_S3_SCHEME", self.scheme.as_str()),
        ];
        environment.extend(self.endpoint.as_deref().map(|url| ("AWS_ENDPOINT_URL", url)));
        // PyArrow takes either, and botocore only the second.
        let region = self.region.iter();
        environment.extend(region.flat_map(|region| REGION_KEYS.map(|key| (key, region.as_str()))));
        environment.extend(self.s3_key().iter().flat_map(|key| key.variables()));
        let extra = self.extra_env.iter();
        environment.extend(extra.map(|(name, variable)| (name.as_str(), variable.text.expose())));
        environment
    }

    /// Returns the secrets that this run has read.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let secret = self.extra_env.values().filter(|variable| variable.is_secret);
        let key = self.s3_key().into_iter().map(|key| &key.secret_access_key);
        key.chain(secret.map(|variable| &variable.text))
    }
}

/// Checks and completes `storage`. `key` has the halves of the S3 key, and `read` the variables of `extraEnv` from the
/// environment and files, if this run reads them.
pub fn resolve(
    values: &StorageValues,
    key: Option<[Option<ReadSecret>; 2]>,
    read: BTreeMap<String, ReadSecret>,
    checks: &mut Checks<'_>,
) -> Option<Storage> {
    // `collectorSecret` belongs to the outline.
    let StorageValues {
        file_system,
        scheme,
        endpoint,
        credentials,
        region,
        collector_secret: _,
        extra_env,
    } = values;
    let file_system = file_system.as_deref().unwrap_or("s3://default");
    let checked_file_system = checks.take("storage.fileSystem", check_file_system(file_system));
    let endpoint_scheme = endpoint.as_ref().map(|url| resolve_endpoint(url, *scheme, checks));
    let region = region.as_deref();
    checks.take("storage.region", region.map_or(Ok(()), check_filled_in));
    let extra_env = resolve_extra_env(extra_env.iter().flatten(), region, read, checks);
    let access = credentials::resolve(credentials.as_ref(), key, checks);
    if let Some(url) = endpoint {
        let uses_identity = matches!(access, Some(Access::WorkloadIdentity));
        let finding = unusual_endpoint(url, file_system, uses_identity);
        finding.into_iter().for_each(|finding| checks.push("storage.endpoint", finding));
    }
    // Return only now, so that one run reports all errors.
    checked_file_system?;
    let endpoint_scheme = match endpoint_scheme {
        Some(scheme) => Some(scheme?),
        None => None,
    };
    Some(Storage {
        file_system: file_system.to_owned(),
        scheme: scheme.or(endpoint_scheme).unwrap_or(Scheme::Https).to_string(),
        endpoint: endpoint.as_ref().map(|url| url.0.clone()),
        region: region.map(str::to_owned),
        access: access?,
        extra_env,
    })
}

fn resolve_endpoint(url: &str, scheme: Option<Scheme>, checks: &mut Checks<'_>) -> Option<Scheme> {
    let (found, host) = checks.take("storage.endpoint", scheme_and_host(url))?;
    if let Some(scheme) = scheme.filter(|scheme| *scheme != found) {
        let message =
            format!("`scheme` is `{scheme}`, and the endpoint's URL begins with `{found}://`");
        let help = "leave `storage.scheme` out";
        let finding = Diagnostic::finding(Code::StorageSchemeMismatch, message, help);
        checks.push("storage.scheme", finding);
    }
    if server::is_loopback(&host) {
        let message =
            format!("the storage {} is a loopback address; a pod would dial itself", shown(host));
        let help = "set `storage.endpoint` to the address at which pods reach it";
        let finding = Diagnostic::finding(Code::LoopbackStorage, message, help);
        checks.push("storage.endpoint", finding);
    }
    Some(found)
}

fn unusual_endpoint(url: &str, file_system: &str, uses_identity: bool) -> Option<Diagnostic> {
    let (host, _, path) = server::split(url)?;
    let bucket = file_system.strip_prefix("s3://").and_then(|path| path.split('/').next());
    let first_of_path = path.split('/').next();
    let first_of_host = host.split_once('.').map(|(first, _)| first);
    let is_bucket =
        |part: Option<&str>| part.is_some_and(|part| !part.is_empty()) && part == bucket;
    let (message, help) = if is_bucket(first_of_path) || is_bucket(first_of_host) {
        ("the endpoint has the bucket in it, too", "remove the bucket: `fileSystem` names it")
    } else if host.contains('_') {
        ("the endpoint's host has an underscore, which botocore refuses", "use another name")
    } else if uses_identity && host.contains(".amazonaws.com") {
        (
            "the endpoint of AWS would catch the calls for credentials, too",
            "leave it out, or set `AWS_ENDPOINT_URL_S3` in `extraEnv`",
        )
    } else {
        return None;
    };
    Some(Diagnostic::finding(Code::UnusualEndpoint, message, help))
}

fn check_file_system(url: &str) -> Result<(), Diagnostic> {
    // A user without a password is fine: `abfs://container@account`.
    server::refuse_secret(url, has_password(url))?;
    check_filled_in(url)?;
    let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.:".contains(c);
    let parts = url.split_once("://").filter(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(is_of_scheme)
            && !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let Some((scheme, _)) = parts else {
        let message = format!("{} is not an fsspec URL", shown_url(url));
        return Err(Diagnostic::error(message).help("write one such as `s3://default`"));
    };
    let lower = scheme.to_ascii_lowercase();
    if scheme != lower {
        let message = format!("the scheme of {} is not in lower case", shown_url(url));
        return Err(Diagnostic::error(message).help(format!("write `{lower}://`")));
    }
    Ok(())
}

fn scheme_and_host(url: &str) -> Result<(Scheme, String), Diagnostic> {
    server::refuse_secret(url, url.contains('@'))?;
    check_filled_in(url)?;
    let scheme = match (server::has_scheme(url, "http"), server::has_scheme(url, "https")) {
        (true, _) => Some(Scheme::Http),
        (_, true) => Some(Scheme::Https),
        _ => None,
    };
    let host = server::split(url).map(|(host, ..)| host);
    scheme.zip(host).ok_or_else(|| {
        let message = format!("{} is not a URL of an S3 endpoint", shown_url(url));
        Diagnostic::error(message).help("write one such as `http://minio:9091`")
    })
}

fn resolve_extra_env<'a>(
    forms: impl Iterator<Item = (&'a Text, &'a SecretForm)>,
    region: Option<&str>,
    mut read: BTreeMap<String, ReadSecret>,
    checks: &mut Checks<'_>,
) -> BTreeMap<String, Variable> {
    let mut variables = BTreeMap::new();
    for (Text(name), form) in forms {
        let key = format!("storage.extraEnv.{name}");
        let is_own = OWN_KEYS.contains(&name.as_str())
            || region.is_some() && REGION_KEYS.contains(&name.as_str());
        if is_own {
            let message = format!("{} belongs to another key of `storage`", shown(name));
            checks.push(&key, Diagnostic::error(message).help("remove it here"));
        }
        check_name(name, &key, checks);
        let (text, is_secret) = match form {
            SecretForm::Literal(text) => (text.clone(), is_secret_variable(name, text.expose())),
            SecretForm::From(_) => {
                let secret = read.remove(name).and_then(|read| checks.take(&key, read));
                let Some(secret) = secret else { continue };
                (secret, true)
            }
        };
        if is_secret {
            unresolved(&text).into_iter().for_each(|finding| checks.push(&key, finding));
        }
        variables.insert(name.clone(), Variable { text, is_secret });
    }
    variables
}

fn check_name(name: &str, key: &str, checks: &mut Checks<'_>) {
    checks.take(key, check_variable(name));
    // Each key of the ConfigMap becomes a variable of every Ray container.
    if name == "PATH" || name.starts_with("LD_") || name.starts_with("RAY_") {
        let message = format!("{} overrides the image's value in every Ray pod", shown(name));
        checks.push(key, Diagnostic::finding(Code::UnusualEnv, message, "remove it"));
    }
}

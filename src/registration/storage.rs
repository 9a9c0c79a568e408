//! The storage that jobs use: a file system, an S3 endpoint and a way in.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail};

use super::external_secrets::{ExternalSecrets, RemoteKeyPair};
use super::finding::{Code, Finding};
use super::name::check_variable;
use super::server::{is_loopback_host, is_numeric_host, mask_url, placeholder};
use crate::input::StorageKeys;
use crate::input::secret::Secret;
use crate::input::values::{CREDENTIALS_FORMS, CredentialsValues, StorageScheme, StorageValues};
use crate::problems::Problems;
use crate::text::{shown, shown_list};

/// Keys of the ConfigMap `michelangelo-config` that this program gives a meaning.
const OWN_KEYS: [&str; 5] = [
    FILE_SYSTEM,
    SCHEME,
    ENDPOINT,
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
];
/// The fsspec URL of the file system.
pub const FILE_SYSTEM: &str = "MA_FILE_SYSTEM";
/// The scheme of the S3 endpoint.
pub const SCHEME: &str = "MA_FILE_SYSTEM_S3_SCHEME";
/// The URL of the S3 endpoint.
pub const ENDPOINT: &str = "AWS_ENDPOINT_URL";
/// The public half of the S3 key.
pub const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// The secret half of the S3 key.
pub const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";

/// What `extraEnv` may hold, in bytes. A ConfigMap takes 1 MiB, but client-side `kubectl apply` keeps
/// all of it in an annotation, and annotations take 256 KiB.
const EXTRA_ENV_LIMIT: usize = 256 * 1024;

/// The storage, checked.
#[derive(Debug)]
pub struct Storage {
    /// An fsspec URL.
    pub file_system: String,
    /// Scheme of the endpoint.
    pub scheme: StorageScheme,
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
    /// By the platform, or by keys that someone else manages: nothing is rendered for it.
    Elsewhere,
    /// By an S3 key that is rendered.
    Key(KeyPair),
    /// By an S3 key that the External Secrets Operator gets from a store.
    External(RemoteKeyPair),
}

/// An S3 key, read where it is needed.
#[derive(Debug)]
pub enum KeyPair {
    /// The compute side isn't rendered, so the key wasn't read; or it couldn't be, which is a problem.
    NotRead,
    /// The key.
    Read {
        /// `AWS_ACCESS_KEY_ID`
        access_key_id: Secret,
        /// `AWS_SECRET_ACCESS_KEY`
        secret_access_key: Secret,
    },
}

/// What could be told of the storage.
#[derive(Default)]
pub struct Resolved {
    /// The storage, unless a part of it is wrong. A key that is wrong, or couldn't be read, is a problem
    /// only.
    pub storage: Option<Storage>,
    /// What is suspicious.
    pub findings: Vec<Finding>,
    /// Everything where a value isn't what its key asks for.
    pub problems: Problems,
}

/// Checks and completes what the values file says about the storage, for the stores that it names,
/// unless they are wrong.
pub fn resolve(
    values: Option<StorageValues>,
    keys: Option<StorageKeys>,
    external_secrets: Option<&ExternalSecrets>,
) -> Resolved {
    let Some(values) = values else {
        let missing = anyhow!(
            "the key `storage` is missing; it says at least how jobs get access: `storage: {{credentials: …}}`"
        );
        return Resolved {
            problems: missing.into(),
            ..Resolved::default()
        };
    };
    let StorageValues {
        file_system,
        scheme,
        endpoint,
        credentials,
        extra_env,
    } = values;
    let mut problems = Problems::default();
    let mut findings = Vec::new();
    let file_system = file_system.unwrap_or_else(|| "s3://default".to_owned());
    let is_good = problems.take(check_file_system(&file_system).context("`storage.fileSystem`"));
    let file_system = is_good.map(|()| file_system);
    let endpoint = endpoint.map(Endpoint::parse).transpose();
    let endpoint = problems.take(endpoint.context("`storage.endpoint`"));
    if let Some(Some(endpoint)) = &endpoint {
        findings.extend(endpoint.finding(scheme));
        findings.extend(endpoint.loopback_finding());
    }
    let access = problems
        .take(credentials.with_context(|| {
            format!(
                "the key `storage.credentials` is missing; it says how jobs get access: {CREDENTIALS_FORMS}"
            )
        }))
        .and_then(|credentials| resolve_access(credentials, keys, external_secrets, &mut problems));
    findings.extend(access.as_ref().and_then(generic_target_finding));
    let extra_env = extra_env.unwrap_or_default();
    check_extra_env(&extra_env, &mut problems);
    let storage = (|| {
        let endpoint = endpoint?;
        Some(Storage {
            file_system: file_system?,
            scheme: scheme
                .or(endpoint.as_ref().map(|endpoint| endpoint.scheme))
                .unwrap_or(StorageScheme::Https),
            endpoint: endpoint.map(|endpoint| endpoint.url),
            access: access?,
            extra_env,
        })
    })();
    Resolved {
        storage,
        findings,
        problems,
    }
}

fn resolve_access(
    credentials: CredentialsValues,
    keys: Option<StorageKeys>,
    external_secrets: Option<&ExternalSecrets>,
    problems: &mut Problems,
) -> Option<Access> {
    match (credentials, keys) {
        (CredentialsValues::Keys { .. }, Some(keys)) => {
            let mut take = |key: Result<Secret>, place: &'static str| {
                problems.take(key.and_then(check_key).context(place))
            };
            let halves = (
                take(keys.access_key_id, "`storage.credentials.accessKeyId`"),
                take(
                    keys.secret_access_key,
                    "`storage.credentials.secretAccessKey`",
                ),
            );
            Some(Access::Key(match halves {
                (Some(access_key_id), Some(secret_access_key)) => KeyPair::Read {
                    access_key_id,
                    secret_access_key,
                },
                _ => KeyPair::NotRead,
            }))
        }
        (CredentialsValues::Keys { .. }, None) => Some(Access::Key(KeyPair::NotRead)),
        (CredentialsValues::ExternalSecret { remote, config_map }, _) => {
            let key_pair = external_secrets?.key_pair(remote, config_map);
            problems.take(key_pair).map(Access::External)
        }
        (CredentialsValues::WorkloadIdentity | CredentialsValues::ExistingSecret, _) => {
            Some(Access::Elsewhere)
        }
    }
}

fn generic_target_finding(access: &Access) -> Option<Finding> {
    let is_by_operator = matches!(access, Access::External(key_pair) if key_pair.in_config_map);
    is_by_operator.then(|| {
        Finding::new(
            Code::GenericTargetFlag,
            format!(
                "`storage.credentials.configMap` has the External Secrets Operator make the ConfigMap that Ray pods need, which it does only if it runs on the compute cluster with `--unsafe-allow-generic-targets`; and everyone who may read ConfigMaps there reads the key, which isn't encrypted at rest either, as Secrets may be; set the flag, or leave `configMap` out where pods have another way to the storage, and list `{}` under `allow` once that is settled",
                Code::GenericTargetFlag
            ),
        )
    })
}

/// S3 keys travel in HTTP headers, so they are printable ASCII; anything else came along by mistake.
fn check_key(key: Secret) -> Result<Secret> {
    let text = key.expose();
    if text.is_empty() {
        bail!("it is empty; for access without keys write `credentials: workloadIdentity`");
    }
    if let Some(form) = placeholder(text) {
        bail!("it is a placeholder, `{form}`; put the real one there");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!(
            "it has white space, control characters or non-ASCII characters in it, which no S3 key has"
        );
    }
    Ok(key)
}

fn check_file_system(url: &str) -> Result<()> {
    refuse_placeholder(url)?;
    let Some((scheme, rest)) = url.split_once("://") else {
        bail!("it has no scheme: expected an fsspec URL such as `s3://default`");
    };
    let scheme_is_good = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|character| {
            character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.' | ':')
        });
    // `abfs://container@account` and `hdfs://user@host:8020` are fine. A bucket has neither a user
    // nor a port; and where a password has a `/` in it, what is before looks like an odd port.
    let authority = rest.split('/').next().unwrap_or_default();
    let (user, host) = authority.split_once('@').unwrap_or(("", authority));
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    let is_bucket = scheme.starts_with("s3");
    if user.contains(':')
        || (is_bucket && authority.contains(['@', ':']))
        || !(port.bytes().all(|byte| byte.is_ascii_digit()) || host.ends_with(']'))
    {
        bail!("it has credentials in it; they belong under `storage.credentials`");
    }
    if !scheme_is_good || rest.is_empty() || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!(
            "{} is not an fsspec URL: expected one such as `s3://default`",
            shown(&mask_url(url))
        );
    }
    Ok(())
}

fn refuse_placeholder(text: &str) -> Result<()> {
    if let Some(form) = placeholder(text) {
        bail!("it is or holds a placeholder, `{form}`; put the real value there");
    }
    Ok(())
}

/// The endpoint's URL, which goes to the pods as it is, and what was seen in it.
struct Endpoint {
    url: String,
    scheme: StorageScheme,
    host: String,
}

impl Endpoint {
    fn parse(url: String) -> Result<Self> {
        refuse_placeholder(&url)?;
        let Some((scheme, rest)) = url.split_once("://") else {
            bail!("it has no scheme: expected a URL such as `http://minio:9091`");
        };
        let scheme = match scheme {
            "http" => StorageScheme::Http,
            "https" => StorageScheme::Https,
            _ => bail!(
                "{} begins with neither `http://` nor `https://`",
                shown(&mask_url(&url))
            ),
        };
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.contains('@') {
            bail!(
                "it has a user or password in it; credentials belong under `storage.credentials`"
            );
        }
        let Some(host) = host_of(authority) else {
            bail!(
                "{} is not a URL with a host and an optional port: expected one such as `http://minio:9091`",
                shown(&mask_url(&url))
            );
        };
        if url.contains(['?', '#']) || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!(
                "{} has a query, a fragment, white space or non-ASCII characters in it, which an S3 endpoint has not",
                shown(&mask_url(&url))
            );
        }
        Ok(Self {
            host: host.to_owned(),
            scheme,
            url,
        })
    }

    fn finding(&self, scheme: Option<StorageScheme>) -> Option<Finding> {
        let scheme = scheme.filter(|scheme| *scheme != self.scheme)?;
        Some(Finding::new(
            Code::StorageSchemeMismatch,
            format!(
                "`storage.scheme` is `{}`, but `storage.endpoint` is {}: some clients in a job would follow the one, some the other; make them agree, or leave `storage.scheme` out",
                scheme.as_str(),
                shown(&mask_url(&self.url))
            ),
        ))
    }

    fn loopback_finding(&self) -> Option<Finding> {
        is_loopback_host(&self.host).then(|| {
            Finding::new(
                Code::LoopbackStorage,
                format!(
                    "`storage.endpoint` is {}: in a pod that is the pod itself, so no job would reach the storage; write the address that pods of the compute cluster reach",
                    shown(&mask_url(&self.url))
                ),
            )
        })
    }
}

/// The host of `host`, `host:port`, `[v6]` or `[v6]:port`, without brackets.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (
                host,
                after
                    .strip_prefix(':')
                    .or(after.is_empty().then_some("80"))?,
            )
        }
        None => authority.split_once(':').unwrap_or((authority, "80")),
    };
    let port_is_good = port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port != 0);
    let label_is_good = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    // Parsers disagree about addresses such as `127.1`, so only whole ones are taken.
    let host_is_good = host.parse::<std::net::IpAddr>().is_ok()
        || (!is_numeric_host(host)
            && host
                .strip_suffix('.')
                .unwrap_or(host)
                .split('.')
                .all(label_is_good));
    (port_is_good && host_is_good).then_some(host)
}

fn check_extra_env(extra_env: &BTreeMap<String, String>, problems: &mut Problems) {
    let size: usize = extra_env
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if size > EXTRA_ENV_LIMIT {
        problems.push(anyhow!(
            "`storage.extraEnv` holds {size} bytes, and a ConfigMap that is applied takes at most {EXTRA_ENV_LIMIT}"
        ));
    }
    for (name, value) in extra_env {
        problems.take(check_variable(name).context("`storage.extraEnv`"));
        if OWN_KEYS.contains(&name.as_str()) {
            problems.push(anyhow!(
                "`storage.extraEnv` sets {}, which comes from the other keys of `storage`; extraEnv can't set {}",
                shown(name),
                shown_list(OWN_KEYS)
            ));
        }
        if value.contains('\0') {
            problems.push(anyhow!(
                "{} has a NUL character in it, which no environment variable can hold",
                shown(&format!("storage.extraEnv.{name}"))
            ));
        }
    }
}

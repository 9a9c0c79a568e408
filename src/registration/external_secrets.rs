//! The External Secrets Operator: by which store, key and property a secret travels without being read here.

use super::names::{check_filled_in, check_subdomain};
use super::resolve::Checks;
use crate::diagnostic::Diagnostic;
use crate::show::shown;
use crate::values::{ExternalSecretsValues, RemoteKeys, Store, Text};

/// `externalSecrets`, checked. Which of it is needed depends on `token` and `storage.credentials`.
#[derive(Debug)]
pub struct ExternalSecrets {
    compute_store: Option<Store>,
    control_plane_store: Option<Store>,
    key_prefix: String,
    property: Option<String>,
    refresh_interval: String,
}

/// A store as one cluster knows it.
#[derive(Clone, Debug)]
pub struct StoreAccess {
    /// The store.
    pub store: Store,
    /// How often the operator looks, as Go prints a duration.
    pub refresh_interval: String,
}

/// The token's way from the compute cluster to the control plane: pushed by one operator and pulled by
/// the other, at the same key and property.
#[derive(Debug)]
pub struct TokenRoute {
    /// The store as the compute cluster knows it.
    pub compute: StoreAccess,
    /// The store as the control-plane cluster knows it.
    pub control_plane: StoreAccess,
    /// Key in the store.
    pub key: String,
    /// Property of it; none where the store has no properties.
    pub property: Option<String>,
}

/// An S3 key that the operator of the compute cluster pulls from a store.
#[derive(Debug)]
pub struct RemoteKeyPair {
    /// The store.
    pub compute: StoreAccess,
    /// Key in the store.
    pub key: String,
    /// Property of it with `AWS_ACCESS_KEY_ID`.
    pub access_key_id_property: String,
    /// Property of it with `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key_property: String,
}

/// Checks and completes `externalSecrets`.
pub fn resolve(values: &ExternalSecretsValues, checks: &mut Checks<'_>) -> Option<ExternalSecrets> {
    let ExternalSecretsValues {
        compute_store,
        control_plane_store,
        key_prefix,
        property,
        refresh_interval,
    } = values;
    for (key, store) in
        [("computeStore", compute_store), ("controlPlaneStore", control_plane_store)]
    {
        if let Some(store) = store {
            checks.take(&format!("externalSecrets.{key}.name"), check_subdomain(&store.name));
        }
    }
    let key_prefix = key_prefix.as_deref().unwrap_or("michelangelo/");
    checks.take("externalSecrets.keyPrefix", check_key_prefix(key_prefix));
    let property = match property {
        None => Some("token"),
        Some(property) => property.as_deref(),
    };
    checks.take("externalSecrets.property", property.map_or(Ok(()), check_property));
    let interval = go_duration(refresh_interval.as_deref().unwrap_or("1h"));
    Some(ExternalSecrets {
        compute_store: compute_store.clone(),
        control_plane_store: control_plane_store.clone(),
        key_prefix: key_prefix.to_owned(),
        property: property.map(str::to_owned),
        refresh_interval: checks.take("externalSecrets.refreshInterval", interval)?,
    })
}

impl ExternalSecrets {
    /// The way of a cluster's token, for `token: externalSecret`.
    pub fn token_route(&self, cluster: &str, checks: &mut Checks<'_>) -> Option<TokenRoute> {
        let compute = self.access("computeStore", &self.compute_store, checks);
        let control_plane = self.access("controlPlaneStore", &self.control_plane_store, checks);
        Some(TokenRoute {
            compute: compute?,
            control_plane: control_plane?,
            key: format!("{}{cluster}", self.key_prefix),
            property: self.property.clone(),
        })
    }

    /// The S3 key of `storage.credentials.externalSecret`.
    pub fn key_pair(&self, remote: &RemoteKeys, checks: &mut Checks<'_>) -> Option<RemoteKeyPair> {
        let compute = self.access("computeStore", &self.compute_store, checks);
        let mut take = |name: &str, text: &Option<Text>| {
            let key = format!("storage.credentials.externalSecret.{name}");
            let text = match text.as_deref() {
                None | Some("") => Err(Diagnostic::error(format!("`{name}` is missing"))
                    .help("write where the store has the S3 key")),
                Some(text) => check_filled_in(text).map(|()| text.to_owned()),
            };
            checks.take(&key, text)
        };
        let key = take("key", &remote.key);
        let access_key_id_property = take("accessKeyIdProperty", &remote.access_key_id_property);
        let secret_access_key_property =
            take("secretAccessKeyProperty", &remote.secret_access_key_property);
        Some(RemoteKeyPair {
            compute: compute?,
            key: key?,
            access_key_id_property: access_key_id_property?,
            secret_access_key_property: secret_access_key_property?,
        })
    }

    fn access(
        &self,
        key: &str,
        store: &Option<Store>,
        checks: &mut Checks<'_>,
    ) -> Option<StoreAccess> {
        let missing = || {
            Diagnostic::error("an `externalSecret` form needs this store").help(format!(
                "write `{key}: {{name: NAME, kind: ClusterSecretStore}}`, or kind `SecretStore`"
            ))
        };
        let store =
            checks.take(&format!("externalSecrets.{key}"), store.clone().ok_or_else(missing))?;
        Some(StoreAccess { store, refresh_interval: self.refresh_interval.clone() })
    }
}

/// Stores differ in what a key may hold; all of them take these characters.
fn check_key_prefix(prefix: &str) -> Result<(), Diagnostic> {
    let is_of_key = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'/' | b'-')
    };
    match prefix.bytes().all(is_of_key) {
        true => Ok(()),
        false => Err(Diagnostic::error("not every store takes this key")
            .help("use `a-z`, `0-9`, `/` and `-`")),
    }
}

/// A property with a dot is a path to some stores and a name to others.
fn check_property(property: &str) -> Result<(), Diagnostic> {
    let is_of_property = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match !property.is_empty() && property.bytes().all(is_of_property) {
        true => Ok(()),
        false => Err(Diagnostic::error("not every store takes this property")
            .help("use letters, digits, `_` and `-`, or `null` for a store without properties")),
    }
}

/// A duration as Go prints it: the API server writes it so, and a GitOps tool would see any other
/// spelling as a difference for ever.
fn go_duration(text: &str) -> Result<String, Diagnostic> {
    let bad = || {
        let message = format!("{} is not a duration", shown(text));
        Diagnostic::error(message)
            .help("write whole hours, minutes and seconds, such as `1h30m` or `90m`")
    };
    let mut seconds: u64 = 0;
    let mut rest = if text == "0" { "0s" } else { text };
    if rest.is_empty() {
        return Err(bad());
    }
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(['h', 'm', 's']).ok_or_else(bad)?);
        let unit = match after.as_bytes().first() {
            Some(b'h') => 3600,
            Some(b'm') => 60,
            _ => 1,
        };
        let number: u32 = number.parse().map_err(|_| bad())?;
        seconds += u64::from(number) * unit;
        rest = after.get(1..).unwrap_or_default();
    }
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Ok(match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    })
}

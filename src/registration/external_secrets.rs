//! The External Secrets Operator: the stores, keys and properties with which it moves secrets that aren't read here.

use k8s_openapi::jiff::SignedDuration;

use super::Checks;
use super::names::{check_filled_in, check_subdomain, demand};
use crate::diagnostic::Diagnostic;
use crate::show::shown;
use crate::sources::{Delivery, Sources};
use crate::values::{ExternalSecretsValues, RemoteKeys, Store, Text};

/// `externalSecrets`, checked and completed.
#[derive(Debug)]
pub struct ExternalSecrets {
    pub compute_store: Store,
    /// The store as the control-plane cluster knows it; `None` if it has no `controlPlaneStore`.
    pub control_plane_store: Option<Store>,
    pub token_key: String,
    /// The property of that key; `None` for a store without properties.
    pub token_property: Option<String>,
    /// How often the operator reads the store, as a Go duration (`1h0m0s`).
    pub refresh_interval: String,
}

/// An S3 key that the operator of the compute cluster pulls from the store.
#[derive(Debug)]
pub struct StoredKeys {
    pub store_key: String,
    pub access_key_id_property: String,
    pub secret_access_key_property: String,
}

/// Checks and completes `externalSecrets`. A missing store is an error if the outline needs it.
pub fn resolve(
    values: &ExternalSecretsValues,
    cluster: &str,
    sources: &Sources,
    checks: &mut Checks<'_>,
) -> Option<ExternalSecrets> {
    let ExternalSecretsValues {
        compute_store,
        control_plane_store,
        key_prefix,
        property,
        refresh_interval,
    } = values;
    let moves_token = sources.token.delivery() == Delivery::ExternalSecret;
    let moves_any = moves_token || sources.s3_key == Delivery::ExternalSecret;
    let compute_store = store("computeStore", compute_store, moves_any, checks);
    let control_plane_store = store("controlPlaneStore", control_plane_store, moves_token, checks);
    let key_prefix = key_prefix.as_deref().unwrap_or("michelangelo/");
    checks.take("externalSecrets.keyPrefix", check_key_prefix(key_prefix));
    let property = match property {
        None => Some("token"),
        Some(property) => property.as_deref(),
    };
    checks.take("externalSecrets.property", property.map_or(Ok(()), check_property));
    let interval = go_duration(refresh_interval.as_deref().unwrap_or("1h"));
    let refresh_interval = checks.take("externalSecrets.refreshInterval", interval);
    Some(ExternalSecrets {
        compute_store: compute_store?,
        control_plane_store,
        token_key: format!("{key_prefix}{cluster}"),
        token_property: property.map(str::to_owned),
        refresh_interval: refresh_interval?,
    })
}

fn store(
    key: &str,
    store: &Option<Store>,
    is_needed: bool,
    checks: &mut Checks<'_>,
) -> Option<Store> {
    let place = format!("externalSecrets.{key}");
    let Some(store) = store else {
        if is_needed {
            let error = Diagnostic::error("an `externalSecret` form needs this store");
            let fix = format!("{key}: {{name: NAME, kind: ClusterSecretStore}}");
            checks.push(&place, error.help(format!("write `{fix}`, or kind `SecretStore`")));
        }
        return None;
    };
    checks.take(&place, check_subdomain(&store.name)).map(|()| store.clone())
}

/// Checks `storage.credentials.externalSecret`.
pub fn resolve_keys(remote: &RemoteKeys, checks: &mut Checks<'_>) -> Option<StoredKeys> {
    let mut take = |name: &str, text: &Option<Text>| {
        let key = format!("storage.credentials.externalSecret.{name}");
        let missing = || {
            let error = Diagnostic::error(format!("`{name}` is missing"));
            error.help("write where the store has the S3 key")
        };
        let text = text.as_deref().ok_or_else(missing);
        let text = text.and_then(|text| check_filled_in(text).map(|()| text.to_owned()));
        checks.take(&key, text)
    };
    let store_key = take("key", &remote.key);
    let id = take("accessKeyIdProperty", &remote.access_key_id_property);
    let secret = take("secretAccessKeyProperty", &remote.secret_access_key_property);
    Some(StoredKeys {
        store_key: store_key?,
        access_key_id_property: id?,
        secret_access_key_property: secret?,
    })
}

/// Checks for the characters that every store accepts in a key.
fn check_key_prefix(prefix: &str) -> Result<(), Diagnostic> {
    let is_of_key = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'/' | b'-')
    };
    let help = "use `a-z`, `0-9`, `/` and `-`";
    demand(prefix.bytes().all(is_of_key), prefix, "a key prefix that every store accepts", help)
}

/// A property with a dot is a path to some stores and a name to others.
fn check_property(property: &str) -> Result<(), Diagnostic> {
    let is_of_property = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let is_good = !property.is_empty() && property.bytes().all(is_of_property);
    let help = "use letters, digits, `_` and `-`, or `null` for a store without properties";
    demand(is_good, property, "a property that every store accepts", help)
}

/// Rewrites a duration as Go prints it: the API server stores that form, and GitOps tools diff any other forever.
fn go_duration(text: &str) -> Result<String, Diagnostic> {
    let is_of_duration = |byte: u8| byte.is_ascii_digit() || b"hms".contains(&byte);
    let text = if text == "0" { "0s" } else { text };
    let parsed = text.parse::<SignedDuration>().ok().filter(|it| it.subsec_nanos() == 0);
    let Some(duration) = parsed.filter(|_| text.bytes().all(is_of_duration)) else {
        let error = Diagnostic::error(format!("{} is not a duration", shown(text)));
        let help = "write whole hours, minutes and seconds, such as `1h30m` or `90m`";
        return Err(error.help(help));
    };
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Ok(match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    })
}

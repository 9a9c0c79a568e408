//! The External Secrets Operator: by which store, key and property a secret travels without ever
//! being read here.

use std::fmt;

use anyhow::{Context, Result, bail};

use super::name::check_subdomain;
use super::server::placeholder;
use crate::input::values::{ExternalSecretsValues, RemoteKeysValues, StoreKind, StoreValues};
use crate::text::shown;

/// What the values file says about the operator, checked. Which of it is needed depends on the
/// forms that `token` and `storage.credentials` have.
#[derive(Debug)]
pub struct ExternalSecrets {
    compute_store: Option<Store>,
    control_plane_store: Option<Store>,
    key_prefix: String,
    property: Option<String>,
    refresh_interval: RefreshInterval,
}

/// A store as one cluster knows it, and how often the operator there looks.
#[derive(Clone, Debug)]
pub struct StoreAccess {
    /// The store.
    pub store: Store,
    /// How often the operator looks.
    pub refresh_interval: RefreshInterval,
}

/// A SecretStore of namespace `default`, or a ClusterSecretStore.
#[derive(Clone, Debug)]
pub struct Store {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: StoreKind,
}

/// The token's way from the compute cluster to the control plane: pushed by the one operator and
/// pulled by the other, at the same key and property.
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
    /// Whether the operator makes the ConfigMap as well, with the key in it.
    pub in_config_map: bool,
}

/// A duration in whole seconds. It is shown as Go prints it, which is what the API server would
/// make of any other spelling, and a GitOps tool would then see a difference for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshInterval {
    seconds: u64,
}

/// Checks what the values file says about the operator.
///
/// # Errors
/// Where a value isn't what its key asks for.
pub fn resolve(values: ExternalSecretsValues) -> Result<ExternalSecrets> {
    let ExternalSecretsValues {
        compute_store,
        control_plane_store,
        key_prefix,
        property,
        refresh_interval,
    } = values;
    let key_prefix = key_prefix.unwrap_or_else(|| "michelangelo/".to_owned());
    check_key_prefix(&key_prefix).context("`externalSecrets.keyPrefix`")?;
    let property = property.unwrap_or_else(|| Some("token".to_owned()));
    if let Some(property) = &property {
        check_property(property).context("`externalSecrets.property`")?;
    }
    let refresh_interval = refresh_interval
        .map_or(Ok(RefreshInterval::HOUR), |text| {
            RefreshInterval::parse(&text)
        })
        .context("`externalSecrets.refreshInterval`")?;
    Ok(ExternalSecrets {
        compute_store: check_store(compute_store).context("`externalSecrets.computeStore`")?,
        control_plane_store: check_store(control_plane_store)
            .context("`externalSecrets.controlPlaneStore`")?,
        key_prefix,
        property,
        refresh_interval,
    })
}

impl ExternalSecrets {
    /// The way of a cluster's token, for `token: externalSecret`.
    ///
    /// # Errors
    /// Where a store isn't given.
    pub fn token_route(&self, cluster: &str) -> Result<TokenRoute> {
        let form = "`token: externalSecret`";
        let compute = self.compute(&format!("{form}, to push the token to"))?;
        let Some(store) = &self.control_plane_store else {
            bail!(missing(
                "controlPlaneStore",
                &format!("{form}, to pull the token from")
            ));
        };
        Ok(TokenRoute {
            compute,
            control_plane: self.access(store),
            key: format!("{}{cluster}", self.key_prefix),
            property: self.property.clone(),
        })
    }

    /// The S3 key of `storage.credentials.externalSecret`.
    ///
    /// # Errors
    /// Where the store isn't given, or a value isn't what its key asks for.
    pub fn key_pair(&self, remote: RemoteKeysValues, in_config_map: bool) -> Result<RemoteKeyPair> {
        let RemoteKeysValues {
            key,
            access_key_id_property,
            secret_access_key_property,
        } = remote;
        let place = "storage.credentials.externalSecret";
        for (name, text) in [
            ("key", &key),
            ("accessKeyIdProperty", &access_key_id_property),
            ("secretAccessKeyProperty", &secret_access_key_property),
        ] {
            check_remote(text).with_context(|| shown(&format!("{place}.{name}")).to_string())?;
        }
        if access_key_id_property == secret_access_key_property {
            bail!(
                "`{place}` has the same property twice: `accessKeyIdProperty` and `secretAccessKeyProperty` are the two halves of the key"
            );
        }
        Ok(RemoteKeyPair {
            compute: self.compute(&format!("`{place}`, to pull the key from"))?,
            key,
            access_key_id_property,
            secret_access_key_property,
            in_config_map,
        })
    }

    fn compute(&self, needed_by: &str) -> Result<StoreAccess> {
        match &self.compute_store {
            Some(store) => Ok(self.access(store)),
            None => bail!(missing("computeStore", needed_by)),
        }
    }

    fn access(&self, store: &Store) -> StoreAccess {
        StoreAccess {
            store: store.clone(),
            refresh_interval: self.refresh_interval,
        }
    }
}

fn missing(key: &str, needed_by: &str) -> String {
    format!(
        "the key `externalSecrets.{key}` is missing, which is needed by {needed_by}: write `externalSecrets: {{{key}: {{name: NAME, kind: ClusterSecretStore}}}}`, or kind `SecretStore` for one in namespace `default`"
    )
}

fn check_store(values: Option<StoreValues>) -> Result<Option<Store>> {
    let Some(StoreValues { name, kind }) = values else {
        return Ok(None);
    };
    check_subdomain(&name).context("`name`")?;
    Ok(Some(Store { name, kind }))
}

/// Stores differ in what a key may hold; all of them take these characters.
fn check_key_prefix(prefix: &str) -> Result<()> {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'/' | b'-')
    };
    if !prefix.bytes().all(allowed) {
        bail!(
            "it has something else than `a-z`, `0-9`, `/` and `-` in it, which not every store takes in a key"
        );
    }
    Ok(())
}

/// A property with a dot would be a path to some stores and a name to others.
fn check_property(property: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if property.is_empty() {
        bail!("it is empty; for a store without properties write `property: null`");
    }
    if !property.bytes().all(allowed) {
        bail!(
            "it has something else than letters, digits, `_` and `-` in it, which not every store takes in a property"
        );
    }
    Ok(())
}

/// A key or property that someone else chose. It isn't shown, as it may be the secret itself.
fn check_remote(text: &str) -> Result<()> {
    if text.is_empty() {
        bail!("it is empty");
    }
    if let Some(form) = placeholder(text) {
        bail!("it is or holds a placeholder, `{form}`; put the real value there");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("it has white space, control characters or non-ASCII characters in it");
    }
    Ok(())
}

impl RefreshInterval {
    const HOUR: Self = Self { seconds: 60 * 60 };

    /// The longest that Go can express, in whole seconds.
    const LONGEST: u64 = i64::MAX.unsigned_abs() / 1_000_000_000;

    fn parse(text: &str) -> Result<Self> {
        let Some(seconds) = seconds(text) else {
            bail!(
                "{} is not a duration: expected whole hours, minutes and seconds, such as `1h30m`, `90m` or `30s` (a day is `24h`), or `0s` for once only",
                shown(text)
            );
        };
        if seconds > Self::LONGEST {
            bail!("{} is longer than Kubernetes can express", shown(text));
        }
        Ok(Self { seconds })
    }
}

/// The seconds of a Go duration without fractions, which may have its units in any order.
fn seconds(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let mut total: Option<u64> = None;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let unit: u64 = match after.as_bytes().first()? {
            b'h' => 60 * 60,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        rest = after.get(1..)?;
        // What doesn't fit is too long, and is not taken for something that can't be read.
        let number = match number {
            "" => return None,
            number => number.parse().unwrap_or(u64::MAX),
        };
        total = Some(
            total
                .unwrap_or_default()
                .saturating_add(unit.saturating_mul(number)),
        );
    }
    total
}

impl fmt::Display for RefreshInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, rest) = (self.seconds / (60 * 60), self.seconds % (60 * 60));
        let (minutes, seconds) = (rest / 60, rest % 60);
        match (hours, minutes) {
            (0, 0) => write!(f, "{seconds}s"),
            (0, _) => write!(f, "{minutes}m{seconds}s"),
            (_, _) => write!(f, "{hours}h{minutes}m{seconds}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_shown_as_go_prints_them() {
        for (text, shown) in [
            ("0", "0s"),
            ("0s", "0s"),
            ("0h0m", "0s"),
            ("45s", "45s"),
            ("60s", "1m0s"),
            ("30m", "30m0s"),
            ("90m", "1h30m0s"),
            ("1h", "1h0m0s"),
            ("1h30m", "1h30m0s"),
            ("30m1h", "1h30m0s"),
            ("01h", "1h0m0s"),
            ("36h1s", "36h0m1s"),
            ("2562047h47m16s", "2562047h47m16s"),
        ] {
            let interval = RefreshInterval::parse(text).unwrap();
            assert_eq!(interval.to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_no_whole_duration_is_refused() {
        for text in [
            "", " ", "1", "h", "1d", "1.5h", "-1h", "+1h", "1 h", "1h ", "1H", "1ms", "1h30", "1é",
            "é", "m1",
        ] {
            let error = RefreshInterval::parse(text).unwrap_err().to_string();
            assert!(error.contains("is not a duration"), "{text}: {error}");
        }
        for text in [
            "2562047h47m17s",
            "99999999999999999999h",
            "18446744073709551615s18446744073709551615h",
        ] {
            let error = RefreshInterval::parse(text).unwrap_err().to_string();
            assert!(error.contains("longer than"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_duration_that_is_shown_is_read_as_the_same(seconds in 0..=RefreshInterval::LONGEST) {
            let interval = RefreshInterval { seconds };
            let read = RefreshInterval::parse(&interval.to_string()).unwrap();
            prop_assert_eq!(read, interval);
        }
    }
}

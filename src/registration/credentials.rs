//! The credentials for the storage: how Ray pods and the log collector beside them get access.

use super::Checks;
use super::external_secrets::{self, StoredKeys};
use super::names::check_subdomain;
use crate::diagnostic::Diagnostic;
use crate::findings::Code;
use crate::secret::{Secret, unresolved};
use crate::sources::{KEY_PLACES, ReadSecret};
use crate::values::{Credentials, SecretForm, StorageValues};

/// The Secret with the S3 key, for the AWS command line.
pub const STORAGE_SECRET: &str = "aws-credentials";
/// The public half of the S3 key, in the ConfigMap and the Secrets.
pub const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// The secret half of the S3 key, in the ConfigMap and the Secrets.
pub const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const FORMS: &str = "choose one: `accessKeyId` and `secretAccessKey`, `workloadIdentity`, `externalSecret` or `existingSecret`";

/// How jobs get access to the storage.
#[derive(Debug)]
pub enum Access {
    WorkloadIdentity,
    /// Someone else manages the objects with the key.
    ExistingSecret,
    /// An S3 key; `None` if this run doesn't read it.
    Keys(Option<S3Key>),
    /// An S3 key that the External Secrets Operator gets from a store.
    External(StoredKeys),
}

#[derive(Debug)]
pub struct S3Key {
    access_key_id: Secret,
    pub secret_access_key: Secret,
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

/// Checks `storage.credentials`. `key` has the halves of the S3 key, if this run reads them.
pub fn resolve(
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
        Some(Credentials::Keys(forms)) => resolve_key(forms, key, checks).map(Access::Keys),
        Some(Credentials::ExternalSecret(remote)) => {
            let message = "Ray pods don't get these keys; they read only the ConfigMap";
            let help = "give the pods workload identity, or write the keys themselves";
            let finding = Diagnostic::finding(Code::KeysNotInPods, message, help);
            checks.push("storage.credentials", finding);
            external_secrets::resolve_keys(remote, checks).map(Access::External)
        }
    }
}

/// Checks the S3 key. Returns `Some(None)` if this run doesn't read it.
fn resolve_key(
    forms: &[Option<SecretForm>; 2],
    key: Option<[Option<ReadSecret>; 2]>,
    checks: &mut Checks<'_>,
) -> Option<Option<S3Key>> {
    for (place, _) in KEY_PLACES.iter().zip(forms).filter(|(_, form)| form.is_none()) {
        let error = Diagnostic::error("half of the S3 key is missing");
        let help = "write both, in quotes if a value begins with `#`, `&` or `*`";
        checks.push(place, error.help(help));
    }
    let Some(halves) = key else {
        return Some(None);
    };
    let mut take = |name: &str, half: Option<ReadSecret>| {
        let secret = checks.take(name, half?.and_then(Secret::checked))?;
        unresolved(&secret).into_iter().for_each(|finding| checks.push(name, finding));
        Some(secret)
    };
    let [access_key_id, secret_access_key] = halves;
    let access_key_id = take(KEY_PLACES[0], access_key_id);
    let secret_access_key = take(KEY_PLACES[1], secret_access_key);
    let is_printable = |c: char| c.is_ascii_graphic() || c == ' ';
    let id = access_key_id.as_ref().map_or("", Secret::expose);
    if !id.chars().all(is_printable) {
        let error =
            Diagnostic::error("the access key ID has a character that isn't printable ASCII");
        checks.push(KEY_PLACES[0], error.help("copy it again, as plain text"));
    } else if id.starts_with("ASIA") {
        let message =
            "the access key ID is a temporary one, which needs a session token and expires";
        let help = "use a long-lived key, which begins with `AKIA`, or `workloadIdentity`";
        checks.push(KEY_PLACES[0], Diagnostic::finding(Code::TemporaryKey, message, help));
    }
    Some(Some(S3Key { access_key_id: access_key_id?, secret_access_key: secret_access_key? }))
}

/// Checks `storage.collectorSecret`. Returns the name of the Secret that is to be rendered, if there is one.
pub fn resolve_collector_secret(values: &StorageValues, checks: &mut Checks<'_>) -> Option<String> {
    let place = "storage.collectorSecret";
    let has_key = match values.credentials.as_ref()? {
        Credentials::Keys(_) | Credentials::ExternalSecret(_) => true,
        Credentials::WorkloadIdentity | Credentials::ExistingSecret => false,
        Credentials::Placeholder => return None,
    };
    let Some(name) = values.collector_secret.as_deref() else {
        checks.push(place, no_collector_secret(has_key));
        return None;
    };
    if name == "none" {
        return None;
    }
    checks.take(place, check_subdomain(name))?;
    if !has_key {
        let message = "the log collector needs an S3 key, and there is none here";
        let help = "write `none`, and make the Secret elsewhere or turn log persistence off in Michelangelo's chart";
        checks.push(place, Diagnostic::finding(Code::CollectorNeedsKeys, message, help));
        return None;
    }
    // That Secret is rendered with the same two keys already.
    (name != STORAGE_SECRET).then(|| name.to_owned())
}

fn no_collector_secret(has_key: bool) -> Diagnostic {
    let message = "`storage.collectorSecret` is missing; if Michelangelo's chart keeps Ray logs, no pod starts";
    let none = "write `none`, if the chart keeps no logs or someone else makes its Secret";
    if !has_key {
        return Diagnostic::finding(Code::NoCollectorSecret, message, none);
    }
    let help =
        "write the Secret's name; the chart's default is `michelangelo-object-storage-credentials`";
    Diagnostic::finding(Code::NoCollectorSecret, message, help).help(format!("or {none}"))
}

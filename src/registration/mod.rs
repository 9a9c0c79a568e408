//! resolve: everything about one compute cluster, checked and completed.
//!
//! A [`Registration`] is what one compute cluster needs, and nothing in it can be wrong any more.
//! All of this is pure; the only clock is the one that is passed in, and it decides about findings
//! and never about the result.

pub mod certificate;
mod endpoint;
pub mod finding;
pub mod fleet;
mod metadata;
mod name;
pub mod server;
pub mod service_account;
pub mod storage;
pub mod token;

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::input::secret::Secret;
use crate::input::values::{ClusterValues, Values};
use crate::input::{Inputs, TokenInput};
use crate::problems::Problems;
use crate::text::shown;
use certificate::CertificateAuthority;
use finding::{Code, Finding};
use server::{Server, placeholder};
use service_account::ServiceAccount;
use storage::{KeyPair, Storage};
use token::Token;

/// Name of the Secret with the storage's keys, fixed by what jobs look for.
pub const STORAGE_SECRET: &str = "aws-credentials";

/// What one compute cluster needs.
#[derive(Debug)]
pub struct Registration {
    /// Name of the compute cluster in the control plane.
    pub name: String,
    /// The API server as the control plane dials it.
    pub server: Server,
    /// The certificates by which it is checked; none where the controller's own roots do.
    pub certificate_authority: Option<CertificateAuthority>,
    /// What is copied into the Cluster's spec.
    pub cluster: ClusterValues,
    /// The storage that jobs use.
    pub storage: Storage,
    /// The service account by which the control plane works in the compute cluster.
    pub service_account: ServiceAccount,
    /// The service account's token, where this program renders its Secret.
    pub token: Option<Secret>,
    /// Labels of every manifest.
    pub labels: BTreeMap<String, String>,
    /// Annotations of every manifest.
    pub annotations: BTreeMap<String, String>,
}

impl Registration {
    /// Every secret that was read.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let keys = match &self.storage.keys {
            Some(KeyPair::Read {
                access_key_id,
                secret_access_key,
            }) => vec![access_key_id, secret_access_key],
            Some(KeyPair::NotNeeded) | None => Vec::new(),
        };
        self.token.iter().chain(keys)
    }
}

/// What is suspicious about one compute cluster, and which of it was accepted.
#[derive(Debug, Default)]
pub struct Findings {
    /// Those that the values don't accept.
    pub open: Vec<Finding>,
    /// Those that the values list under `allow`.
    pub accepted: Vec<Finding>,
    /// What the values list under `allow`.
    pub allowed: BTreeSet<Code>,
}

impl Findings {
    fn add(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            match self.allowed.contains(&finding.code) {
                true => self.accepted.push(finding),
                false => self.open.push(finding),
            }
        }
    }
}

/// Checks and completes what was read. What is only suspicious is a finding, also where something
/// else is wrong.
///
/// # Errors
/// Everything where a value isn't what its key asks for, or couldn't be read.
pub fn resolve(inputs: Inputs, now: SystemTime) -> (Result<Registration, Problems>, Findings) {
    let Inputs {
        place,
        values,
        endpoint,
        storage_keys,
        token,
        mut problems,
    } = inputs;
    let Values {
        name,
        kubeconfig: _, // read along with the endpoint
        cluster,
        storage,
        service_account,
        token: _,            // read already
        external_secrets: _, // refused while reading
        labels,
        annotations,
        allow,
    } = values;
    let within = || format!("failed to use the values file {place}");
    let mut findings = Findings {
        allowed: allowed_codes(&allow.unwrap_or_default(), |problem| {
            problems.push(problem.context(within()));
        }),
        ..Findings::default()
    };
    let name_is_good = problems.take(
        name::check_label(&name)
            .context("`name`")
            .with_context(within),
    );
    let cluster = problems.take(check_cluster(cluster.unwrap_or_default()).with_context(within));
    let service_account = problems
        .take(service_account::resolve(service_account.unwrap_or_default()).with_context(within));
    let labels =
        problems.take(metadata::labels(&name, labels.unwrap_or_default()).with_context(within));
    let annotations =
        problems.take(metadata::annotations(annotations.unwrap_or_default()).with_context(within));
    let storage = problems.take(storage_keys).and_then(|keys| {
        let (storage, found) =
            problems.take(storage::resolve(storage, keys).with_context(within))?;
        findings.add(all_at(&place.to_string(), found));
        Some(storage)
    });
    let endpoint = endpoint.and_then(|endpoint| endpoint::resolve(&endpoint, now));
    let endpoint = problems.take(endpoint).map(|(server, authority, found)| {
        findings.add(found);
        (server, authority)
    });
    let token = problems.take(token).and_then(|token| {
        let account = service_account.as_ref()?;
        let (token, found) = problems.take(resolve_token(token, account, now))?;
        findings.add(found);
        Some(token)
    });
    let registration = (|| {
        let (server, certificate_authority) = endpoint?;
        name_is_good?;
        Some(Registration {
            name,
            server,
            certificate_authority,
            cluster: cluster?,
            storage: storage?,
            service_account: service_account?,
            token: token?,
            labels: labels?,
            annotations: annotations?,
        })
    })();
    match registration {
        Some(registration) if problems.is_empty() => (Ok(registration), findings),
        _ => (Err(problems), findings),
    }
}

fn allowed_codes(allow: &[String], mut problem: impl FnMut(anyhow::Error)) -> BTreeSet<Code> {
    let mut allowed = BTreeSet::new();
    for word in allow {
        match Code::ALL.iter().find(|code| code.as_str() == word) {
            Some(code) => {
                allowed.insert(*code);
            }
            None => {
                let known: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
                let unknown = crate::input::words::unknown("code", word, &known);
                problem(anyhow::Error::msg(unknown).context("`allow`"));
            }
        }
    }
    allowed
}

fn check_cluster(cluster: ClusterValues) -> Result<ClusterValues> {
    for (key, value) in [("region", &cluster.region), ("zone", &cluster.zone)] {
        if let Some(value) = value {
            if value.is_empty() {
                bail!("`cluster.{key}` is empty; leave the key out");
            }
            if let Some(form) = placeholder(value) {
                bail!(
                    "`cluster.{key}` is or holds a placeholder, `{form}`; put the real value there"
                );
            }
        }
    }
    for (position, sku) in cluster.skus.iter().flatten().enumerate() {
        for (key, number) in [("cpu", sku.cpu), ("gpu", sku.gpu)] {
            if number.is_some_and(|number| number < 0) {
                bail!("`cluster.skus[{position}].{key}` is negative; it is a number of devices");
            }
        }
    }
    Ok(cluster)
}

/// Says of each finding where it was found.
fn all_at(place: &str, findings: Vec<Finding>) -> Vec<Finding> {
    let at_place =
        |finding: Finding| Finding::new(finding.code, format!("{place}: {}", finding.text));
    findings.into_iter().map(at_place).collect()
}

fn resolve_token(
    input: TokenInput,
    service_account: &ServiceAccount,
    now: SystemTime,
) -> Result<(Option<Secret>, Vec<Finding>)> {
    let (secret, origin) = match input {
        TokenInput::NotNeeded | TokenInput::None => return Ok((None, Vec::new())),
        TokenInput::Undecided => bail!(
            "failed to render the control-plane side: nothing says where the token of {} comes from: give `--token-file FILE` (`-` is standard input), or write `token: {{file: PATH}}` or `token: {{env: NAME}}` in the values file, or `token: none` where someone else makes the Secret; or render the compute side alone by `--side compute`",
            shown(&service_account.name)
        ),
        TokenInput::Read { token, origin } => (token, origin),
    };
    let token = Token::parse(secret.expose())
        .with_context(|| format!("failed to use the token of {origin}"))?;
    let about_token = token.findings(&service_account.name, &service_account.token_secrets, now);
    Ok((
        Some(Secret::from_elsewhere(token.expose().to_owned())),
        all_at(&origin, about_token),
    ))
}

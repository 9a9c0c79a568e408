//! resolve: everything about one compute cluster, checked and completed.
//!
//! A [`Registration`] is what one compute cluster needs, and nothing in it can be wrong any more.
//! All of this is pure; the only clock is the one that is passed in, and it decides about findings
//! and never about the result.

pub mod certificate;
pub mod endpoint;
pub mod external_secrets;
pub mod finding;
pub mod fleet;
mod metadata;
pub mod name;
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
use crate::placeholder::placeholder_of_path;
use crate::problems::Problems;
use crate::text::shown;
use certificate::CertificateAuthority;
use external_secrets::TokenRoute;
use finding::{Code, Finding};
use server::{Server, placeholder};
use service_account::ServiceAccount;
use storage::{Access, KeyPair, Storage};
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
    /// How the control plane gets the service account's token.
    pub token: TokenDelivery,
    /// Labels of every manifest.
    pub labels: BTreeMap<String, String>,
    /// Annotations of every manifest.
    pub annotations: BTreeMap<String, String>,
}

/// How the control plane gets the service account's token.
#[derive(Debug)]
pub enum TokenDelivery {
    /// The control-plane side isn't rendered, so the token wasn't read.
    NotNeeded,
    /// Someone else makes the Secret.
    Elsewhere,
    /// In a Secret that is rendered.
    Rendered(Secret),
    /// Through a store, by the External Secrets Operator of each side.
    External(TokenRoute),
}

impl Registration {
    /// Every secret that was read.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let keys = match &self.storage.access {
            Access::Key(KeyPair::Read {
                access_key_id,
                secret_access_key,
            }) => vec![access_key_id, secret_access_key],
            Access::Key(KeyPair::NotRead) | Access::Elsewhere | Access::External(_) => Vec::new(),
        };
        let token = match &self.token {
            TokenDelivery::Rendered(token) => Some(token),
            TokenDelivery::NotNeeded | TokenDelivery::Elsewhere | TokenDelivery::External(_) => {
                None
            }
        };
        token.into_iter().chain(keys)
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

/// What could be told about one compute cluster: each part is there, or is among the problems.
pub struct Parts {
    /// Name of the compute cluster in the control plane; it may be one that Kubernetes doesn't take.
    pub name: String,
    /// The API server as the control plane dials it.
    pub server: Option<Server>,
    /// The certificates by which it is checked; the inner one is none where the controller's own roots
    /// do.
    pub certificate_authority: Option<Option<CertificateAuthority>>,
    /// The storage that jobs use.
    pub storage: Option<Storage>,
    /// How the control plane gets the service account's token.
    pub token: Option<TokenDelivery>,
    /// What the token says about itself, where one was read.
    pub token_read: Option<Token>,
    /// What is wrong, apart from a token that nothing was decided about.
    pub problems: Problems,
    /// What is suspicious.
    pub findings: Findings,
    undecided: Option<anyhow::Error>,
    cluster: Option<ClusterValues>,
    service_account: Option<ServiceAccount>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

/// Checks and completes what was read. What is only suspicious is a finding, also where something
/// else is wrong.
///
/// # Errors
/// Everything where a value isn't what its key asks for, or couldn't be read.
pub fn resolve(inputs: Inputs, now: SystemTime) -> (Result<Registration, Problems>, Findings) {
    let Parts {
        name,
        server,
        certificate_authority,
        storage,
        token,
        token_read: _,
        mut problems,
        findings,
        undecided,
        cluster,
        service_account,
        labels,
        annotations,
    } = resolve_parts(inputs, now);
    if let Some(undecided) = undecided {
        problems.push(undecided);
    }
    let registration = (|| {
        Some(Registration {
            name,
            server: server?,
            certificate_authority: certificate_authority?,
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

/// Checks and completes each part of what was read by itself, so that one that is wrong doesn't hide
/// the others.
pub fn resolve_parts(inputs: Inputs, now: SystemTime) -> Parts {
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
        token: _, // read already
        external_secrets,
        labels,
        annotations,
        allow,
    } = values;
    let within = || place.failed_to_use();
    let mut findings = Findings {
        allowed: allowed_codes(&allow.unwrap_or_default(), |problem| {
            problems.push(problem.context(within()));
        }),
        ..Findings::default()
    };
    problems.take(check_name(&name).context("`name`").with_context(within));
    let cluster = problems.take(check_cluster(cluster.unwrap_or_default()).with_context(within));
    let service_account = problems
        .take(service_account::resolve(service_account.unwrap_or_default()).with_context(within));
    let labels =
        problems.take(metadata::labels(&name, labels.unwrap_or_default()).with_context(within));
    let annotations =
        problems.take(metadata::annotations(annotations.unwrap_or_default()).with_context(within));
    let external_secrets = problems
        .take(external_secrets::resolve(external_secrets.unwrap_or_default()).with_context(within));
    let storage = storage::resolve(storage, storage_keys, external_secrets.as_ref());
    findings.add(all_at(&place.to_string(), storage.findings));
    for problem in storage.problems {
        problems.push(problem.context(within()));
    }
    let storage = storage.storage;
    let endpoint = match problems.take(endpoint) {
        Some(endpoint) => endpoint::resolve(endpoint, now),
        None => endpoint::Resolved::default(),
    };
    findings.add(endpoint.findings);
    problems.append(endpoint.problems);
    let mut undecided = None;
    let mut token_read = None;
    let token = problems.take(token).and_then(|token| {
        let account = service_account.as_ref()?;
        match token {
            TokenInput::NotNeeded => Some(TokenDelivery::NotNeeded),
            TokenInput::None => Some(TokenDelivery::Elsewhere),
            TokenInput::External => {
                let route = external_secrets.as_ref()?.token_route(&name);
                problems
                    .take(route.with_context(within))
                    .map(TokenDelivery::External)
            }
            TokenInput::Undecided => {
                undecided = Some(no_decision(account));
                None
            }
            TokenInput::Read { token, origin } => {
                let (token, found) = problems.take(check_token(&token, &origin, account, now))?;
                findings.add(found);
                let secret = Secret::from_elsewhere(token.expose().to_owned());
                token_read = Some(token);
                Some(TokenDelivery::Rendered(secret))
            }
        }
    });
    Parts {
        name,
        server: endpoint.server,
        certificate_authority: endpoint.authority,
        storage,
        token,
        token_read,
        problems,
        findings,
        undecided,
        cluster,
        service_account,
        labels,
        annotations,
    }
}

fn check_name(name: &str) -> Result<()> {
    if let Some(form) = placeholder_of_path(name) {
        bail!("it is or holds a placeholder, `{form}`; put the cluster's name there");
    }
    name::check_label(name)
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

fn no_decision(service_account: &ServiceAccount) -> anyhow::Error {
    anyhow::anyhow!(
        "failed to render the control-plane side: nothing says where the token of {} comes from: give `--token-file FILE` (`-` is standard input), or write `token: {{file: PATH}}` or `token: {{env: NAME}}` in the values file, or `token: externalSecret` where a store hands it on, or `token: none` where someone else makes the Secret; or render the compute side alone by `--side compute`",
        shown(&service_account.name)
    )
}

fn check_token(
    secret: &Secret,
    origin: &str,
    service_account: &ServiceAccount,
    now: SystemTime,
) -> Result<(Token, Vec<Finding>)> {
    let token = Token::parse(secret.expose())
        .with_context(|| format!("failed to use the token of {origin}"))?;
    let about_token = token.findings(&service_account.name, &service_account.token_secrets, now);
    Ok((token, all_at(origin, about_token)))
}

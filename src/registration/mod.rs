//! Turns the inputs about a cluster into a [`Registration`], or diagnostics. Reads no files.

pub mod certificate_authority;
pub mod credentials;
pub mod external_secrets;
mod metadata;
pub mod names;
mod resolve;
pub mod server;
pub mod service_account;
pub mod storage;
pub mod token;

use std::collections::{BTreeMap, HashMap};

use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::findings::Code;
use crate::kubeconfig::KubeconfigCluster;
use crate::secret::{Secret, Secrets};
use crate::show::list;
use crate::sources::{Delivery, Sources};
use crate::values::{ClusterSpec, MergedValues};
use certificate_authority::CertificateAuthority;
use external_secrets::ExternalSecrets;
pub use resolve::{resolve, resolve_ca};
use server::Server;
use service_account::{PodServiceAccount, ServiceAccount};
use storage::Storage;
use token::Token;

/// Decides which objects a registration has. Known without reading the kubeconfig or any secret.
#[derive(Debug)]
pub struct Outline {
    pub name: String,
    pub service_account: ServiceAccount,
    /// How the Secret with its token gets to the control plane.
    pub token: Delivery,
    /// How the Secret with the S3 key gets to the compute cluster.
    pub s3_key: Delivery,
    /// Name of a second Secret with the S3 key, for the log collector.
    pub collector_secret: Option<String>,
    /// ServiceAccount `default`, if the values say anything about it.
    pub pod_service_account: Option<PodServiceAccount>,
    /// How the External Secrets Operator reaches its stores; `None` without a store.
    pub external_secrets: Option<ExternalSecrets>,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
}

/// Everything to render for a cluster.
#[derive(Debug)]
pub struct Registration {
    pub outline: Outline,
    pub server: Server,
    pub ca: CertificateAuthority,
    /// Copied into the Cluster's spec.
    pub spec: ClusterSpec,
    pub storage: Storage,
    /// The token; `None` if this run doesn't render it.
    pub token: Option<Token>,
}

impl Registration {
    /// Returns the secrets that this run has read. The access key ID isn't one: it is often the cluster's name.
    pub fn secrets(&self) -> Secrets {
        let token = self.token.iter().map(|token| &token.secret);
        let all: Vec<Secret> = token.chain(self.storage.secrets()).cloned().collect();
        Secrets::new(&self.outline.name, all)
    }
}

/// The result of resolving a cluster. A part that failed is `None`, with its error in `diagnostics`.
pub struct Resolution {
    pub cluster: MergedValues,
    pub sources: Sources,
    pub outline: Outline,
    pub kubeconfig: Option<KubeconfigCluster>,
    pub server: Option<Server>,
    pub ca: Option<CertificateAuthority>,
    pub storage: Option<Storage>,
    /// The token, if this run reads it.
    pub token: Option<Token>,
    /// Errors, and findings that aren't accepted.
    pub diagnostics: Diagnostics,
    pub accepted: Diagnostics,
}

impl Resolution {
    /// Returns the registration, or `None` if a part of it failed.
    pub fn registration(self) -> Option<Registration> {
        Some(Registration {
            server: self.server?,
            ca: self.ca?,
            storage: self.storage?,
            outline: self.outline,
            spec: self.cluster.values.cluster.unwrap_or_default(),
            token: self.token,
        })
    }
}

/// Adds a finding to clusters with the same host and port: the controller keeps one client for both, with one token.
/// It is accepted only if all of them accept it.
pub fn find_shared_servers(resolutions: &mut [Resolution]) {
    let mut groups: HashMap<Server, Vec<&mut Resolution>> = HashMap::new();
    for resolution in resolutions.iter_mut().filter(|it| !it.cluster.name().is_empty()) {
        if let Some(server) = resolution.server.clone() {
            groups.entry(server).or_default().push(resolution);
        }
    }
    for (server, group) in groups.into_iter().filter(|(_, group)| group.len() > 1) {
        let names = list(group.iter().map(|it| it.cluster.name()));
        let message =
            format!("{names} share the API server {server}, so they would share one token");
        let help = "register each API server once";
        let finding = Diagnostic::finding(Code::DuplicateEndpoint, message, help);
        let is_accepted = group.iter().all(|it| it.cluster.accepts(Code::DuplicateEndpoint));
        for resolution in group {
            let finding = finding.clone().at(&resolution.cluster.place("kubeconfig.server"));
            let list =
                if is_accepted { &mut resolution.accepted } else { &mut resolution.diagnostics };
            list.0.push(finding);
        }
    }
}

/// Collects the diagnostics about a cluster, each with its place.
pub struct Checks<'a> {
    pub cluster: &'a MergedValues,
    pub diagnostics: Diagnostics,
}

impl Checks<'_> {
    /// Returns a result's value, or collects its error as one about a key of the values.
    pub fn take<T>(&mut self, key: &str, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|error| self.push(key, error)).ok()
    }

    /// Adds a diagnostic about a key of the values.
    pub fn push(&mut self, key: &str, diagnostic: Diagnostic) {
        self.diagnostics.0.push(diagnostic.at(&self.cluster.place(key)));
    }

    /// Adds a diagnostic about a place in another file, such as the kubeconfig.
    pub fn push_at(&mut self, place: &Place, diagnostic: Diagnostic) {
        self.push("name", diagnostic.at(place));
    }
}

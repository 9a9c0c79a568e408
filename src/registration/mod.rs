//! Turns the inputs about a cluster into a [`Registration`], or diagnostics. Reads no files.

pub mod certificate_authority;
mod checks;
pub mod credentials;
pub mod external_secrets;
mod metadata;
pub mod names;
mod resolve;
pub mod server;
pub mod service_account;
mod shared;
pub mod storage;
pub mod token;

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostics;
use crate::kubeconfig::KubeconfigCluster;
use crate::secret::{Secret, Secrets};
use crate::sources::{Delivery, Sources};
use crate::values::{ClusterSpec, MergedValues};
use certificate_authority::CertificateAuthority;
use external_secrets::ExternalSecrets;
pub use resolve::{resolve, resolve_ca};
use server::Server;
use service_account::{PodServiceAccount, ServiceAccount};
pub use shared::find_shared_servers;
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
    pub ca: Ca,
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

/// The CA that verifies an API server.
#[derive(Debug)]
pub enum Ca {
    Certificates(CertificateAuthority),
    /// The controller's own roots.
    System,
}

/// The result of resolving a cluster. A part that failed is `None`, with its error in `diagnostics`.
pub struct Resolution {
    pub cluster: MergedValues,
    pub sources: Sources,
    pub outline: Outline,
    pub kubeconfig: Option<KubeconfigCluster>,
    pub server: Option<Server>,
    pub ca: Option<Ca>,
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

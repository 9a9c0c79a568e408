//! resolve: values, kubeconfig and secrets become a [`Registration`], or diagnostics. Nothing is read here.

pub mod certificate_authority;
mod checks;
mod duplicates;
pub mod external_secrets;
mod metadata;
pub mod names;
mod resolve;
pub mod server;
pub mod service_account;
pub mod storage;
pub mod token;

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::kubeconfig::Chosen;
use crate::secret::Secret;
use crate::values::{Cluster, ClusterValues};
use certificate_authority::CertificateAuthority;
pub use duplicates::find_shared_servers;
use external_secrets::ExternalSecrets;
pub use resolve::{kubeconfig_authority, resolve};
use server::Server;
use service_account::ServiceAccount;
use storage::Storage;
use token::Token;

/// The namespace of Ray jobs, and so of the service account and what belongs to it.
pub const NAMESPACE: &str = "default";
/// The Secret with the S3 key.
pub const STORAGE_SECRET: &str = "aws-credentials";

/// A secret that was read, or why it couldn't be.
pub type SecretResult = Result<Secret, Diagnostic>;

/// What was read about a cluster.
pub struct Inputs {
    /// Its values.
    pub cluster: Cluster,
    /// The cluster that the kubeconfig's context names; none where this run reads no kubeconfig.
    pub kubeconfig: Option<Result<Chosen, Diagnostic>>,
    /// The certificate authority's file, where values or kubeconfig name one.
    pub authority_file: Option<Result<Vec<u8>, Diagnostic>>,
    /// The two halves of the S3 key, where this run reads them.
    pub keys: Option<[SecretResult; 2]>,
    /// The token, where this run reads one, and the key or flag that says where it is.
    pub token: Option<(&'static str, SecretResult)>,
    /// Whether this run renders the side that needs a token.
    pub needs_token: bool,
}

/// All that is rendered about a cluster.
#[derive(Debug)]
pub struct Registration {
    /// Its name in the control plane.
    pub name: String,
    /// Its API server.
    pub server: Server,
    /// The authority of its API server.
    pub authority: Authority,
    /// What is copied into the Cluster's spec.
    pub cluster: ClusterValues,
    /// The storage that its jobs use.
    pub storage: Storage,
    /// The service account that the control plane uses.
    pub service_account: ServiceAccount,
    /// How the control plane gets the token.
    pub token: TokenDelivery,
    /// By what the External Secrets Operator moves secrets; also where it moves none.
    pub external_secrets: Option<ExternalSecrets>,
    /// Labels of every manifest.
    pub labels: BTreeMap<String, String>,
    /// Annotations of every manifest.
    pub annotations: BTreeMap<String, String>,
}

/// By what the control plane checks the API server's certificate.
#[derive(Debug)]
pub enum Authority {
    /// Certificates of the cluster's own.
    Own(CertificateAuthority),
    /// The roots that the controller has.
    System,
}

/// How the control plane gets the token.
#[derive(Debug)]
pub enum TokenDelivery {
    /// Nothing says so yet; or it is rendered, and not by this run, so that it wasn't read.
    Open,
    /// It is rendered.
    Rendered(Token),
    /// Someone else makes the Secret.
    Elsewhere,
    /// The External Secrets Operator moves it.
    External,
}

/// What was concluded about a cluster; a part that is wrong is none, with its error among the diagnostics.
pub struct Resolution {
    /// Its values.
    pub cluster: Cluster,
    /// The cluster that the kubeconfig's context names.
    pub kubeconfig: Option<Chosen>,
    /// Its API server.
    pub server: Option<Server>,
    /// The authority of its API server.
    pub authority: Option<Authority>,
    /// The storage that its jobs use.
    pub storage: Option<Storage>,
    /// How the control plane gets the token.
    pub token: Option<TokenDelivery>,
    /// By what the External Secrets Operator could move secrets.
    external_secrets: Option<ExternalSecrets>,
    /// Errors and findings that aren't accepted.
    pub diagnostics: Vec<Diagnostic>,
    /// Findings that are accepted.
    pub accepted: Vec<Diagnostic>,
    /// The service account that the control plane uses.
    pub service_account: ServiceAccount,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl Resolution {
    /// All that is rendered.
    ///
    /// # Errors
    /// Where a part is wrong, which its diagnostics say, too.
    pub fn registration(self) -> Result<Registration, Diagnostic> {
        let name = self.cluster.name().to_owned();
        let missing = || Diagnostic::error("the cluster has errors").of_cluster(name.clone());
        Ok(Registration {
            server: self.server.ok_or_else(missing)?,
            authority: self.authority.ok_or_else(missing)?,
            storage: self.storage.ok_or_else(missing)?,
            token: self.token.ok_or_else(missing)?,
            external_secrets: self.external_secrets,
            cluster: self.cluster.values.cluster.unwrap_or_default(),
            service_account: self.service_account,
            labels: self.labels,
            annotations: self.annotations,
            name,
        })
    }
}

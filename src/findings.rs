//! Findings: valid input that will probably not work. Each has a code, by which `allow` accepts it, and a level.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The code of a finding, as `allow` lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The API server's address is a loopback address, as kind, k3d and minikube write it. The control plane would dial
    /// itself. Set `kubeconfig.server` to the address at which the control plane reaches the cluster.
    LoopbackServer,
    /// The storage endpoint is a loopback address. A pod would dial itself. Set `storage.endpoint` to the address at
    /// which pods reach it.
    LoopbackStorage,
    /// The kubeconfig verifies the certificate against `tls-server-name`. The control plane verifies it against the
    /// server's host. Set `kubeconfig.server` to a host that the certificate is for.
    TlsServerName,
    /// A self-signed server certificate has no subject alternative name. Go clients refuse it. Issue it again with the
    /// server's host as a subject alternative name.
    LeafWithoutSan,
    /// The token is for another service account. Read it from the token Secret of the compute cluster.
    TokenWrongSubject,
    /// The token is not a JSON Web Token, so it is not one of Kubernetes. Read it from the token Secret of the compute
    /// cluster, decoded from base64.
    TokenNotJwt,
    /// The token has expired. Read one that doesn't expire from the token Secret of the compute cluster.
    TokenExpired,
    /// `storage.scheme` and the scheme of `storage.endpoint` disagree. Leave `storage.scheme` out.
    StorageSchemeMismatch,
    /// A secret reads as a reference or a placeholder that an earlier step should have replaced.
    UnresolvedSecret,
    /// Two clusters of the run have the same API server. The controller keeps one client, and so one token, for each
    /// host and port. Register each API server once. To accept it, add the code to `allow` of both clusters.
    DuplicateEndpoint,
    /// Ray pods take S3 keys from the ConfigMap alone, so they don't get those that come from a store, and Uniflow's pods
    /// can't mount a Secret. Give the pods workload identity, or write the keys themselves.
    KeysNotInPods,
    /// `storage.collectorSecret` is left out. Michelangelo's chart keeps the logs of Ray jobs by default, with a
    /// container beside each Ray container that takes the S3 key from a Secret. On a compute cluster nobody else makes
    /// that Secret, and without it no Ray pod starts (`CreateContainerConfigError`). Write its name, or `none` if logs
    /// aren't kept there or someone else makes the Secret.
    NoCollectorSecret,
    /// `storage.collectorSecret` names a Secret, and with `workloadIdentity` or `existingSecret` there is no S3 key to put
    /// into it. The log collector takes nothing else. Make the Secret elsewhere, or turn log persistence off in
    /// Michelangelo's chart, and write `none`.
    CollectorNeedsKeys,
    /// `storage.extraEnv` sets `PATH`, `LD_*` or `RAY_*`, which replaces the image's own value in every Ray pod.
    UnusualEnv,
    /// The API server's name is a local one (`*.local`, `*.internal`, `*.svc`, a single label), which the control plane
    /// may not resolve. Set `kubeconfig.server`.
    LocalNameServer,
    /// The API server's address is a link-local or IPv4-mapped one, or its name has an underscore.
    UnusualServer,
    /// The kubeconfig has a `proxy-url`. The control plane connects directly, so `kubeconfig.server` has to be an address
    /// that it reaches without the proxy.
    ProxyIgnored,
    /// The server is a DNS endpoint of GKE, which has a certificate from a public authority, and the kubeconfig has
    /// another CA. Set `kubeconfig.certificateAuthority` to `system`.
    GkeDnsEndpoint,
    /// A certificate is not marked as one that signs others. Use the CA that signs the API server's certificate.
    CaNotACa,
    /// A certificate is of X.509 version 1, which can't be marked as a CA. Issue it again as version 3.
    CaX509V1,
    /// All certificates have expired. Export the kubeconfig again, or set `kubeconfig.certificateAuthority`.
    CaExpired,
    /// Some certificates have expired. Remove them.
    CaOneExpired,
    /// No certificate is valid yet. Check this machine's clock.
    CaNotYetValid,
    /// The certificates are too large for client-side `kubectl apply`, which copies them into an annotation. Use
    /// `kubectl apply --server-side`, or keep only the CA of the API server.
    CaTooLargeForApply,
    /// `kubeconfig.server` replaces the URL of a proxy such as Rancher's, and the CA is still the proxy's. Set
    /// `kubeconfig.certificateAuthority` to the CA of the API server itself.
    CaOfProxy,
    /// The kubeconfig has several contexts, and nothing chooses one, so its current context is used. Set
    /// `kubeconfig.context`, or pass `--context`.
    UnpinnedContext,
    /// Files of `$KUBECONFIG` have different entries of the chosen name; kubectl takes the first. Name one file with
    /// `kubeconfig.path` or `--kubeconfig`.
    ShadowedEntry,
    /// The token expires. Read one that doesn't from the token Secret of the compute cluster.
    TokenExpires,
    /// The token belongs to a token Secret that isn't the last of `serviceAccount.tokenSecrets`.
    TokenSecretNotCurrent,
}

/// How severe a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is rendered; exit code 2.
    Error,
    /// Doesn't stop the run, unless it has `--strict`.
    Warning,
    Note,
}

impl Code {
    /// Returns its level: `Error` for `deny`.
    pub fn level(self) -> Severity {
        match self {
            Self::LoopbackServer
            | Self::LoopbackStorage
            | Self::TlsServerName
            | Self::LeafWithoutSan
            | Self::TokenWrongSubject
            | Self::TokenNotJwt
            | Self::TokenExpired
            | Self::StorageSchemeMismatch
            | Self::UnresolvedSecret
            | Self::DuplicateEndpoint => Severity::Error,
            Self::KeysNotInPods
            | Self::NoCollectorSecret
            | Self::CollectorNeedsKeys
            | Self::UnusualEnv
            | Self::LocalNameServer
            | Self::UnusualServer
            | Self::ProxyIgnored
            | Self::GkeDnsEndpoint
            | Self::CaNotACa
            | Self::CaX509V1
            | Self::CaExpired
            | Self::CaOneExpired
            | Self::CaNotYetValid
            | Self::CaTooLargeForApply
            | Self::CaOfProxy
            | Self::UnpinnedContext
            | Self::ShadowedEntry
            | Self::TokenExpires
            | Self::TokenSecretNotCurrent => Severity::Warning,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

//! Findings: valid input that will probably not work. Each has a code, by which `allow` accepts it, and a level.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

macro_rules! findings {
    ($($(#[$doc:meta])* $code:ident => $level:ident,)*) => {
        /// The code of a finding, as `allow` lists it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Code {
            $($(#[$doc])* $code,)*
        }

        impl Code {
            /// Returns its severity, unless `--strict` raises it.
            pub fn level(self) -> Severity {
                match self {
                    $(Self::$code => Severity::$level,)*
                }
            }
        }
    };
}

// The doc comments are the descriptions in the JSON Schema.
findings! {
    /// The API server's address is a loopback address, as kind, k3d and minikube write it. The control plane would dial
    /// itself. Set `kubeconfig.server` to the address at which the control plane reaches the cluster.
    LoopbackServer => Error,
    /// The storage endpoint is a loopback address: a pod would dial itself. Set `storage.endpoint` to one that pods reach.
    LoopbackStorage => Error,
    /// The kubeconfig verifies the certificate against `tls-server-name`. The control plane verifies it against the
    /// server's host. Set `kubeconfig.server` to a host that the certificate is for.
    TlsServerName => Error,
    /// A self-signed server certificate has no subject alternative name, so Go refuses it. Issue it again with the host.
    LeafWithoutSan => Error,
    /// The token is for another service account. Read it from the token Secret of the compute cluster.
    TokenWrongSubject => Error,
    /// The token is not a JSON Web Token, so it isn't one of Kubernetes. Read it from its Secret, decoded from base64.
    TokenNotJwt => Error,
    /// The token has expired. Read one that doesn't expire from the token Secret of the compute cluster.
    TokenExpired => Error,
    /// `storage.scheme` and the scheme of `storage.endpoint` disagree. Leave `storage.scheme` out.
    StorageSchemeMismatch => Error,
    /// A secret reads as a reference or a placeholder that an earlier step should have replaced.
    UnresolvedSecret => Error,
    /// Two clusters of the run have the same API server. The controller keeps one client, and so one token, for each
    /// host and port. Register each API server once. To accept it, add the code to `allow` of both clusters.
    DuplicateEndpoint => Error,
    /// Ray pods take S3 keys from the ConfigMap alone, so they don't get those that come from a store, and Uniflow's pods
    /// can't mount a Secret. Give the pods workload identity, or write the keys themselves.
    KeysNotInPods => Warning,
    /// `storage.collectorSecret` is left out. By default Michelangelo's chart runs a log collector beside each Ray
    /// container, which takes the S3 key from a Secret. Without it no Ray pod starts (`CreateContainerConfigError`).
    /// Write the Secret's name, or `none` if logs aren't kept or someone else makes it.
    NoCollectorSecret => Warning,
    /// `storage.collectorSecret` names a Secret, but there is no S3 key to put into it, and the log collector takes nothing
    /// else. Write `none`, and make the Secret elsewhere or turn log persistence off in Michelangelo's chart.
    CollectorNeedsKeys => Warning,
    /// `accessKeyId` begins with `ASIA`, so it is a temporary key of AWS. It needs a session token, which nothing passes
    /// on, and expires. Use a long-lived key or workload identity.
    TemporaryKey => Warning,
    /// `storage.endpoint` will probably not work: it holds the bucket of `storage.fileSystem`, too, or its host has an
    /// underscore, which botocore refuses, or it is one of AWS beside `workloadIdentity`, where it would catch the calls
    /// for credentials, too. Write the endpoint without the bucket; leave AWS's own endpoint out.
    UnusualEndpoint => Warning,
    /// `storage.extraEnv` sets `PATH`, `LD_*` or `RAY_*`, which replaces the image's own value in every Ray pod.
    UnusualEnv => Warning,
    /// The API server's name is a local one (`*.local`, `*.internal`, `*.svc`, a single label), which the control plane
    /// may not resolve. Set `kubeconfig.server`.
    LocalNameServer => Warning,
    /// The API server's address is a link-local or IPv4-mapped one, or its name has an underscore.
    UnusualServer => Warning,
    /// The kubeconfig has a `proxy-url`. The control plane connects directly, so `kubeconfig.server` has to be an address
    /// that it reaches without the proxy.
    ProxyIgnored => Warning,
    /// The server is a DNS endpoint of GKE, which has a certificate from a public authority, and the kubeconfig has
    /// another CA. Set `kubeconfig.certificateAuthority` to `system`.
    GkeDnsEndpoint => Warning,
    /// A certificate is not marked as one that signs others. Use the CA that signs the API server's certificate.
    CaNotACa => Warning,
    /// A certificate is of X.509 version 1, which can't be marked as a CA. Issue it again as version 3.
    CaX509V1 => Warning,
    /// All certificates have expired. Export the kubeconfig again, or set `kubeconfig.certificateAuthority`.
    CaExpired => Warning,
    /// Some certificates have expired. Remove them.
    CaOneExpired => Warning,
    /// No certificate is valid yet. Check this machine's clock.
    CaNotYetValid => Warning,
    /// The certificates are too large for client-side `kubectl apply`, which copies them into an annotation. Use
    /// `kubectl apply --server-side`, or keep only the CA of the API server.
    CaTooLargeForApply => Warning,
    /// `kubeconfig.server` replaces the URL of a proxy such as Rancher's, and the CA is still the proxy's. Set
    /// `kubeconfig.certificateAuthority` to the CA of the API server itself.
    CaOfProxy => Warning,
    /// Several contexts, and none is chosen, so the current one is used. Set `kubeconfig.context`, or pass `--context`.
    UnpinnedContext => Warning,
    /// Files of `$KUBECONFIG` have different entries of the chosen name; kubectl takes the first. Name one file with
    /// `kubeconfig.path` or `--kubeconfig`.
    ShadowedEntry => Warning,
    /// The token expires. Read one that doesn't from the token Secret of the compute cluster.
    TokenExpires => Warning,
    /// The token belongs to a token Secret that isn't the last of `serviceAccount.tokenSecrets`.
    TokenSecretNotCurrent => Warning,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

//! Findings: valid input that will probably not work. `allow` accepts one by its code. Each has a level.

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

// The doc comments are what `explain` prints and the descriptions in the JSON Schema: what the finding is, in the first
// sentence, why it matters, and what to do.
findings! {
    /// The API server's address is a loopback address, as kind, k3d and minikube write it. The control plane would dial
    /// itself. Set `kubeconfig.server` to the address at which the control plane reaches the cluster.
    LoopbackServer => Error,
    /// The storage endpoint is a loopback address. A pod would dial itself. Set `storage.endpoint` to an address that
    /// pods of the compute cluster reach.
    LoopbackStorage => Error,
    /// The kubeconfig's `tls-server-name` is not the host of the server's URL. The control plane doesn't use it, and
    /// verifies the certificate against the URL's host. Set `kubeconfig.server` to a host that the certificate is for.
    TlsServerName => Error,
    /// The CA is a self-signed server certificate without a subject alternative name. The control plane is written in
    /// Go, which refuses such a certificate. Issue it again with the server's host as a subject alternative name.
    LeafWithoutSan => Error,
    /// The token is not for the service account. It has other rights, so jobs would fail. Read the token from the token
    /// Secret of `serviceAccount.name`, in namespace `default` of the compute cluster.
    TokenWrongSubject => Error,
    /// The token is not a JSON Web Token, as those of service accounts are. It may still be in base64, or be of another
    /// kind. Read it with `kubectl -n default get secret ray-manager-token -o jsonpath='{.data.token}' | base64 -d`.
    TokenNotJwt => Error,
    /// The token has expired. The API server refuses it. Read the token from the token Secret of the compute cluster:
    /// that one doesn't expire.
    TokenExpired => Error,
    /// `storage.scheme` is not the scheme of `storage.endpoint`. Some clients take the one, some the other, so some
    /// would fail. Leave `storage.scheme` out.
    StorageSchemeMismatch => Error,
    /// A secret is a placeholder or a reference, such as `vault:…`, `${NAME}` or `changeme`. The program resolves none,
    /// so Kubernetes would get that text. Resolve it first, or write `{env: NAME}` or `{file: PATH}`.
    UnresolvedSecret => Error,
    /// Two clusters of the run have the same API server. The controller keeps one client, and so one token, for each
    /// host and port. Register each API server once. To accept it, add the code to `allow` of both clusters.
    DuplicateEndpoint => Error,
    /// Ray pods don't get the S3 key of `storage.credentials.externalSecret`. The operator writes it to Secret
    /// `aws-credentials`, but Ray pods read ConfigMap `michelangelo-config`. Give them workload identity, too, or write
    /// the key pair into `storage.credentials`.
    KeysNotInPods => Warning,
    /// `storage.collectorSecret` is left out, so Ray pods may not start. By default Michelangelo's chart runs a log
    /// collector beside each Ray container, which takes the S3 key from a Secret. Without it the pod stays in
    /// `CreateContainerConfigError`. With an S3 key, write the Secret's name: the chart's default is
    /// `michelangelo-object-storage-credentials`. Write `none` if there is no key, if logs aren't kept or if someone
    /// else makes it.
    NoCollectorSecret => Warning,
    /// `storage.collectorSecret` names a Secret, but there is no S3 key to put into it. The log collector takes nothing
    /// else. Write `none`, and make the Secret elsewhere or turn log persistence off in Michelangelo's chart.
    CollectorNeedsKeys => Warning,
    /// `accessKeyId` begins with `ASIA`, so it is a temporary key of AWS. It needs a session token, which nothing
    /// passes on, and it expires. Use a long-lived key or workload identity.
    TemporaryKey => Warning,
    /// `storage.endpoint` will probably not work. If it holds the bucket of `storage.fileSystem`, leave the bucket out.
    /// If its host has an underscore, use another name: botocore refuses it. If it is one of AWS beside
    /// `workloadIdentity`, leave it out, or set `AWS_ENDPOINT_URL_S3` in `extraEnv`: it would also catch the calls for
    /// credentials.
    UnusualEndpoint => Warning,
    /// `storage.extraEnv` sets `PATH`, `LD_*` or `RAY_*`. It replaces the image's own value in every Ray pod, and Ray
    /// may not start. Set it in the image or in the job.
    UnusualEnv => Warning,
    /// The API server's name is a local one: `*.local`, `*.internal`, `*.svc` or a single label. The control plane may
    /// not resolve it. Set `kubeconfig.server` to a name that it resolves, or accept the finding if it resolves this
    /// one.
    LocalNameServer => Warning,
    /// The API server's host is one that clients often refuse. It is a link-local or IPv4-mapped address, or a name
    /// with an underscore. Set `kubeconfig.server` to another address or name.
    UnusualServer => Warning,
    /// The kubeconfig has a `proxy-url`, which the control plane doesn't use. It connects directly. Set
    /// `kubeconfig.server` to an address that it reaches without the proxy.
    ProxyIgnored => Warning,
    /// The server is a DNS endpoint of GKE, and the kubeconfig has a CA. Such an endpoint has a certificate from a
    /// public authority, which that CA doesn't verify. Set `kubeconfig.certificateAuthority` to `system`.
    GkeDnsEndpoint => Warning,
    /// The CA has a certificate in it that is not a CA certificate. It verifies the API server only if it is the
    /// server's own. Use the certificate of the CA that signs the server's certificate.
    CaNotACa => Warning,
    /// A certificate is of X.509 version 1, which can't be marked as a CA. It depends on the client whether it is accepted
    /// as one. Issue it again as version 3.
    CaX509V1 => Warning,
    /// All certificates of the CA have expired. The control plane can't verify the API server. Export the kubeconfig
    /// again, or set `kubeconfig.certificateAuthority`.
    CaExpired => Warning,
    /// Some certificates of the CA have expired. The others may be enough. Remove the expired ones.
    CaOneExpired => Warning,
    /// No certificate of the CA is valid yet. Until then the control plane can't verify the API server. Check this
    /// machine's clock.
    CaNotYetValid => Warning,
    /// The certificates are too large for client-side `kubectl apply`. It copies them into an annotation, which the API
    /// server limits to 256 KiB. Use `kubectl apply --server-side`, or keep only the CA of the API server.
    CaTooLargeForApply => Warning,
    /// `kubeconfig.server` bypasses a proxy such as Rancher's, but the CA is the proxy's. It doesn't verify the API
    /// server itself. Set `kubeconfig.certificateAuthority` to the CA of the API server.
    CaOfProxy => Warning,
    /// The kubeconfig has several contexts, and none is chosen, so the current one is used. After the next `kubectl
    /// config use-context` it is another cluster. Set `kubeconfig.context`, or pass `--context`.
    UnpinnedContext => Warning,
    /// Two files of `$KUBECONFIG` define the chosen context or cluster differently. Like kubectl, the program takes the
    /// first. Name one file with `kubeconfig.path` or `--kubeconfig`.
    ShadowedEntry => Warning,
    /// The token will expire. From then on the API server refuses it. Read the token from the token Secret of the
    /// compute cluster: that one doesn't expire.
    TokenExpires => Warning,
    /// The token belongs to a token Secret that isn't the last of `serviceAccount.tokenSecrets`. It stops working when
    /// that Secret is deleted. Read the token from the last one.
    TokenSecretNotCurrent => Warning,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

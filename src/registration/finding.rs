//! Findings: what is suspicious in an input rather than malformed.
//!
//! A finding has a stable code, by which a values file accepts it under `allow`, a level that
//! belongs to the code, and a text that says what the control plane would do and how to mend it.

use std::fmt;

use serde::Serialize;

/// What a finding does to the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// An error, unless the cluster's `allow` lists the code.
    Deny,
    /// A warning; an error with `--strict`.
    Warn,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $level:ident;)*) => {
        /// The stable code of a finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code, in the order of this list.
            pub const ALL: &[Code] = &[$(Code::$variant,)*];

            /// The code as users write it under `allow` and see it in brackets.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            /// The level that every finding with this code has.
            pub fn level(self) -> Level {
                match self { $(Code::$variant => Level::$level,)* }
            }
        }
    };
}

codes! {
    /// The server is an address of the machine itself.
    LoopbackServer = "loopback-server", Deny;
    /// The server's name may not resolve where the control plane runs.
    LocalNameServer = "local-name-server", Warn;
    /// The server's address is legal and seldom meant.
    UnusualServer = "unusual-server", Warn;
    /// The kubeconfig asks for a proxy that the control plane doesn't use.
    ProxyIgnored = "proxy-ignored", Warn;
    /// The kubeconfig checks another name than the server's host.
    TlsServerName = "tls-server-name", Deny;
    /// A GKE DNS endpoint together with a private certificate authority.
    GkeDnsEndpoint = "gke-dns-endpoint", Warn;
    /// A certificate that may not sign others.
    CaNotACa = "ca-not-a-ca", Warn;
    /// An X.509 version 1 certificate, which can't say whether it is an authority.
    CaX509V1 = "ca-x509-v1", Warn;
    /// A self-signed server certificate without a subject alternative name.
    LeafWithoutSan = "leaf-without-san", Deny;
    /// Every certificate has expired.
    CaExpired = "ca-expired", Warn;
    /// No certificate is valid yet.
    CaNotYetValid = "ca-not-yet-valid", Warn;
    /// One of several certificates has expired.
    CaOneExpired = "ca-one-expired", Warn;
    /// The bundle is too large for client-side `kubectl apply`.
    CaTooLargeForApply = "ca-too-large-for-apply", Warn;
    /// The token is for another subject than our service account.
    TokenWrongSubject = "token-wrong-subject", Deny;
    /// The token is not a JSON Web Token.
    TokenNotJwt = "token-not-jwt", Deny;
    /// The token expires.
    TokenExpires = "token-expires", Warn;
    /// The token has expired.
    TokenExpired = "token-expired", Warn;
    /// The token is not of the current token Secret.
    TokenSecretNotCurrent = "token-secret-not-current", Warn;
    /// `storage.scheme` and the scheme of `storage.endpoint` disagree.
    StorageSchemeMismatch = "storage-scheme-mismatch", Deny;
    /// The storage endpoint is an address of the pod itself.
    LoopbackStorage = "loopback-storage", Deny;
    /// Two clusters of one run have the same host and port.
    DuplicateEndpoint = "duplicate-endpoint", Deny;
    /// A ConfigMap that the External Secrets Operator makes only if a flag lets it.
    GenericTargetFlag = "generic-target-flag", Warn;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One suspicious thing, about one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of finding it is.
    pub code: Code,
    /// What was found, what the control plane would do, and how to mend it; lower case, no full
    /// stop, no secret, text from input escaped.
    pub text: String,
}

impl Finding {
    /// A finding with its text.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }
}

//! For each finding, inputs that have it and no other.

use ma_register::registration::finding::Level;

use crate::check::{SERVER, block, certificate, der, good_kubeconfig, kubeconfig_with_authority};
use crate::support::{Run, Sandbox, ca_data_line, fixture, kubeconfig, values};

/// Inputs of which exactly one finding comes.
pub struct Case {
    pub code: &'static str,
    /// The level that the contract gives the code.
    pub level: Level,
    pub kubeconfig: String,
    /// All but `allow`.
    pub values: String,
    /// Parts of the text: what was found, what the control plane would do, how to mend it.
    pub says: &'static [&'static str],
}

impl Case {
    pub fn of_kubeconfig(
        code: &'static str,
        level: Level,
        kubeconfig: String,
        says: &'static [&'static str],
    ) -> Self {
        let values = values("token: none\n");
        Self {
            code,
            level,
            kubeconfig,
            values,
            says,
        }
    }

    fn of_server(
        code: &'static str,
        level: Level,
        lines: &str,
        says: &'static [&'static str],
    ) -> Self {
        Self::of_kubeconfig(code, level, kubeconfig(lines), says)
    }

    pub fn of_authority(
        code: &'static str,
        level: Level,
        pem: &str,
        says: &'static [&'static str],
    ) -> Self {
        let kubeconfig = kubeconfig_with_authority(&ca_data_line(pem));
        Self::of_kubeconfig(code, level, kubeconfig, says)
    }

    pub fn of_values(
        code: &'static str,
        level: Level,
        values: String,
        says: &'static [&'static str],
    ) -> Self {
        let kubeconfig = good_kubeconfig();
        Self {
            code,
            level,
            kubeconfig,
            values,
            says,
        }
    }

    fn of_token(
        code: &'static str,
        level: Level,
        name: &str,
        says: &'static [&'static str],
    ) -> Self {
        let path = fixture(&format!("tokens/{name}.token"));
        let values = values(&format!("token: {{file: {path:?}}}\n"));
        Self::of_values(code, level, values, says)
    }

    /// Renders with these codes accepted.
    pub fn render(&self, allow: &[&str], arguments: &[&str]) -> Run {
        let sandbox = Sandbox::new();
        sandbox.write("kubeconfig", &self.kubeconfig);
        let allow = allow.join(", ");
        sandbox.write("c0.yaml", format!("{}allow: [{allow}]\n", self.values));
        sandbox.render(arguments)
    }
}

/// A values file whose `storage` has these lines.
pub fn storage(endpoint: &str) -> String {
    format!("name: c0\ntoken: none\nstorage:\n  credentials: workloadIdentity\n  {endpoint}\n")
}

/// More certificates than client-side apply takes, each with another signature.
fn huge_bundle() -> String {
    let der = der(&certificate("ca"));
    (0..350_u16)
        .map(|number| {
            let mut der = der.clone();
            let end = der.len() - 2;
            der[end..].copy_from_slice(&number.to_be_bytes());
            block("CERTIFICATE", der)
        })
        .collect()
}

/// The certificate with the first of these identifiers made unknown; nothing checks its signature.
fn without_extension(name: &str, identifier: [u8; 3]) -> String {
    let mut der = der(&certificate(name));
    let place = der
        .windows(3)
        .position(|bytes| bytes == identifier)
        .unwrap();
    der[place + 2] = 0x7f;
    block("CERTIFICATE", der)
}

const BASIC_CONSTRAINTS: [u8; 3] = [0x55, 0x1d, 0x13];

fn about_the_server() -> Vec<Case> {
    use Level::{Deny, Warn};
    vec![
        Case::of_server(
            "loopback-server",
            Deny,
            "server: https://127.0.0.1:6443",
            &[
                "`server` of the cluster `k`",
                "`127.0.0.1`",
                "would dial its own pod",
                "`kubeconfig.server`",
            ],
        ),
        Case::of_server(
            "local-name-server",
            Warn,
            "server: https://host.docker.internal:6443",
            &[
                "`host.docker.internal`",
                "the control plane would dial",
                "`kubeconfig.server`",
            ],
        ),
        Case::of_server(
            "unusual-server",
            Warn,
            "server: https://[fe80::1]:6443",
            &[
                "`fe80::1`",
                "link-local",
                "the control plane could dial",
                "`kubeconfig.server`",
            ],
        ),
        Case::of_server(
            "proxy-ignored",
            Warn,
            &format!("{SERVER}\nproxy-url: http://u:SENTINEL@proxy.example.com:3128"),
            &[
                "`http://***@proxy.example.com:3128`",
                "dials the server directly",
                "`kubeconfig.server`",
            ],
        ),
        Case::of_server(
            "tls-server-name",
            Deny,
            &format!("{SERVER}\ntls-server-name: kubernetes.example.com"),
            &[
                "`kubernetes.example.com`",
                "`203.0.113.7`",
                "would fail",
                "`kubeconfig.server`",
            ],
        ),
        Case::of_server(
            "gke-dns-endpoint",
            Warn,
            "server: https://gke-0123-456.europe-west4.gke.goog",
            &[
                "GKE DNS endpoint",
                "would check it by this private one",
                "`certificateAuthority: system`",
            ],
        ),
    ]
}

fn about_the_authority() -> Vec<Case> {
    use Level::{Deny, Warn};
    vec![
        Case::of_authority(
            "ca-not-a-ca",
            Warn,
            &certificate("leaf-san"),
            &[
                "`certificate-authority-data` of",
                "CA:FALSE",
                "not an authority",
                "give the authority",
            ],
        ),
        Case::of_authority(
            "ca-not-a-ca",
            Warn,
            &certificate("no-cert-sign"),
            &[
                "without keyCertSign",
                "not an authority",
                "give the authority",
            ],
        ),
        Case::of_authority(
            "ca-not-a-ca",
            Warn,
            &without_extension("leaf-san", BASIC_CONSTRAINTS),
            &[
                "no basicConstraints",
                "not an authority",
                "give the authority",
            ],
        ),
        Case::of_authority(
            "ca-x509-v1",
            Warn,
            &certificate("x509-v1"),
            &[
                "X.509 version 1",
                "the control plane's Go client",
                "issued again as version 3",
            ],
        ),
        Case::of_authority(
            "leaf-without-san",
            Deny,
            &certificate("leaf-no-san"),
            &[
                "self-signed",
                "Go ignores the common name",
                "subject alternative name",
            ],
        ),
        Case::of_authority(
            "ca-expired",
            Warn,
            &certificate("expired"),
            &[
                "expired",
                "2011-",
                "refuse every connection",
                "export the kubeconfig again",
            ],
        ),
        Case::of_authority(
            "ca-expired",
            Warn,
            &format!("{}{}", certificate("expired"), certificate("expired")),
            &["expired", "2011-"],
        ),
        Case::of_authority(
            "ca-not-yet-valid",
            Warn,
            &certificate("not-yet-valid"),
            &["not valid before 2199-", "refuse every connection", "clock"],
        ),
        Case::of_authority(
            "ca-one-expired",
            Warn,
            &format!("{}{}", certificate("ca"), certificate("expired")),
            &[
                "certificate 2 of 2",
                "2011-",
                "go by the others",
                "remove what nothing uses",
            ],
        ),
        Case::of_authority(
            "ca-too-large-for-apply",
            Warn,
            &huge_bundle(),
            &["bytes as base64", "262144", "`kubectl apply --server-side`"],
        ),
    ]
}

fn about_the_token() -> Vec<Case> {
    use Level::{Deny, Warn};
    vec![
        Case::of_token(
            "token-wrong-subject",
            Deny,
            "wrong-subject",
            &[
                "`token` of `c0.yaml`",
                "`system:serviceaccount:default:default`",
                "`system:serviceaccount:default:ray-manager`",
                "would act as someone else",
                "the Secret `ray-manager-token`",
            ],
        ),
        Case::of_token(
            "token-wrong-subject",
            Deny,
            "wrong-namespace",
            &["`system:serviceaccount:ray-system:ray-manager`"],
        ),
        Case::of_token(
            "token-not-jwt",
            Deny,
            "not-a-jwt",
            &[
                "not a JSON Web Token",
                "would send it all the same",
                "the Secret `ray-manager-token`",
            ],
        ),
        Case::of_token(
            "token-expires",
            Warn,
            "bound",
            &[
                "expires at 2100-",
                "`kubectl create token --duration`",
                "EKS and GKE cap it",
            ],
        ),
        Case::of_token(
            "token-expired",
            Warn,
            "expired",
            &[
                "expired at 2020-",
                "would refuse every request",
                "the Secret `ray-manager-token`",
            ],
        ),
        Case::of_token(
            "token-secret-not-current",
            Warn,
            "old-secret",
            &[
                "`ray-manager-token-old`",
                "would lose access",
                "`ray-manager-token`",
            ],
        ),
    ]
}

fn about_the_storage() -> Vec<Case> {
    vec![
        Case::of_values(
            "storage-scheme-mismatch",
            Level::Deny,
            storage("endpoint: http://minio.example.com:9091\n  scheme: https"),
            &[
                "`c0.yaml`",
                "`storage.scheme` is `https`",
                "`http://minio.example.com:9091`",
                "make them agree",
            ],
        ),
        Case::of_values(
            "loopback-storage",
            Level::Deny,
            storage("endpoint: http://localhost:9091"),
            &[
                "`c0.yaml`",
                "`http://localhost:9091`",
                "the pod itself",
                "pods of the compute cluster",
            ],
        ),
        Case::of_values(
            "generic-target-flag",
            Level::Warn,
            "name: c0\ntoken: none\nexternalSecrets: {computeStore: {name: vault, kind: SecretStore}}\nstorage: {credentials: {externalSecret: {key: SENTINEL, accessKeyIdProperty: a, secretAccessKeyProperty: b}, configMap: true}}\n".to_owned(),
            &[
                "`c0.yaml`",
                "`storage.credentials.configMap`",
                "`--unsafe-allow-generic-targets`",
                "on the compute cluster",
                "isn't encrypted at rest",
                "leave `configMap` out",
            ],
        ),
    ]
}

/// Every case; a code may have several.
pub fn cases() -> Vec<Case> {
    let mut cases = about_the_server();
    cases.extend(about_the_authority());
    cases.extend(about_the_token());
    cases.extend(about_the_storage());
    cases
}

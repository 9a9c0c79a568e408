//! The endpoint of a compute cluster: its API server and certificate authority as the inputs give
//! them, before anything is checked.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::file::Source;
use super::kubeconfig::ChosenCluster;
use super::place::{PathKey, Place};
use super::values::KubeconfigValues;
use crate::text::shown;

/// What the inputs say about a compute cluster's API server.
#[derive(Debug)]
pub struct Endpoint {
    /// Name of the chosen context.
    pub context: String,
    /// The kubeconfig that holds its cluster.
    pub kubeconfig: Source,
    /// The kubeconfig's cluster, for messages: its name and file.
    pub origin: String,
    /// The server.
    pub server: Server,
    /// The certificate authority, or why it couldn't be read.
    pub certificate_authority: Result<Authority>,
    /// Whether the values file names the certificate authority.
    pub authority_is_from_values: bool,
    /// Whether the kubeconfig turns the check of the server's certificate off.
    pub insecure: bool,
    /// The proxy that the kubeconfig asks for; may hold a password.
    pub proxy_url: Option<ProxyUrl>,
    /// The name that the kubeconfig checks instead of the server's host.
    pub tls_server_name: Option<String>,
}

/// A server's URL and the place that it was read from.
#[derive(Debug)]
pub struct Server {
    /// The URL as it was found; none where the kubeconfig has none.
    pub url: Option<String>,
    /// The place, for messages.
    pub origin: String,
    /// Whether the values file names it.
    pub is_from_values: bool,
    /// The kubeconfig's, where the values file names another; may hold a password.
    pub instead_of: Option<ServerUrl>,
}

/// A server's URL that isn't used. Its `Debug` form is redacted, since it may hold a password.
pub struct ServerUrl(pub String);

impl std::fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerUrl(…)")
    }
}

/// A proxy's URL. Its `Debug` form is redacted, since it may hold a password.
pub struct ProxyUrl(pub String);

impl std::fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProxyUrl(…)")
    }
}

/// Where the certificate authority stands, and what was read there.
pub enum Authority {
    /// Nowhere.
    Missing,
    /// The values file says that the control plane's own roots do.
    System,
    /// `certificate-authority-data` of the kubeconfig.
    Base64 {
        /// Its text.
        text: String,
        /// The place, for messages.
        origin: String,
    },
    /// A file.
    File {
        /// Its bytes.
        bytes: Vec<u8>,
        /// The file.
        source: Source,
    },
}

// What is taken for a certificate may turn out to be a private key.
impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Missing => "Missing",
            Self::System => "System",
            Self::Base64 { .. } => "Base64(…)",
            Self::File { .. } => "File(…)",
        })
    }
}

/// Puts the chosen cluster and what the values file says about it together.
pub fn read(chosen: ChosenCluster, over: Option<&KubeconfigValues>, place: &Place) -> Endpoint {
    let origin = format!("the cluster {} of {}", shown(&chosen.name), chosen.source);
    let server = match over.and_then(|over| over.server.clone()) {
        Some(url) => Server {
            url: Some(url),
            origin: format!("`kubeconfig.server` of {place}"),
            is_from_values: true,
            instead_of: chosen.cluster.server.clone().map(ServerUrl),
        },
        None => Server {
            url: chosen.cluster.server.clone(),
            origin: format!("`server` of {origin}"),
            is_from_values: false,
            instead_of: None,
        },
    };
    let named = over.and_then(|over| over.certificate_authority.as_deref());
    let certificate_authority = match named {
        Some("system") => Ok(Authority::System),
        Some(path) => authority_of_values(path, place).with_context(|| place.failed_to_use()),
        None => authority_of_kubeconfig(&chosen, &origin),
    };
    Endpoint {
        server,
        certificate_authority,
        authority_is_from_values: named.is_some(),
        insecure: chosen.cluster.insecure_skip_tls_verify == Some(true),
        proxy_url: chosen.cluster.proxy_url.map(ProxyUrl),
        tls_server_name: chosen.cluster.tls_server_name,
        context: chosen.context,
        kubeconfig: chosen.source,
        origin,
    }
}

fn authority_of_values(path: &str, place: &Place) -> Result<Authority> {
    if path.is_empty() {
        bail!(
            "`kubeconfig.certificateAuthority` is empty: name a PEM file, write `system`, or remove the key"
        );
    }
    place
        .resolve(PathKey::CertificateAuthority, path)
        .and_then(read_file)
        .context("`kubeconfig.certificateAuthority`")
}

/// As kubectl does: data or file, and refused where both are given.
fn authority_of_kubeconfig(chosen: &ChosenCluster, origin: &str) -> Result<Authority> {
    let data = &chosen.cluster.certificate_authority_data;
    let file = &chosen.cluster.certificate_authority;
    match (data, file) {
        (Some(_), Some(_)) => bail!(
            "failed to read the certificate authority of {origin}: it has both `certificate-authority-data` and `certificate-authority`; remove one of them"
        ),
        (Some(text), None) => Ok(Authority::Base64 {
            text: text.clone(),
            origin: format!("`certificate-authority-data` of {origin}"),
        }),
        (None, Some(path)) => {
            let within = || format!("failed to read the certificate authority of {origin}");
            chosen
                .source
                .resolve(path)
                .and_then(read_file)
                .with_context(within)
        }
        (None, None) => Ok(Authority::Missing),
    }
}

fn read_file(path: PathBuf) -> Result<Authority> {
    let source = Source::Path(path);
    Ok(Authority::File {
        bytes: source
            .read()
            .with_context(|| format!("failed to read {source}"))?,
        source,
    })
}

//! Facts about a cluster's API server and its certificate authority.

use crate::input::endpoint::{self, Endpoint};
use crate::output::facts::{Authority, Certificate, Giver, Harmless, Server};
use crate::registration;
use crate::registration::certificate::CertificateAuthority;

/// What the inputs say about the endpoint, before anything is concluded.
pub struct Asked {
    /// The kubeconfig.
    pub kubeconfig: Harmless,
    /// The context in it.
    pub context: Harmless,
    server: Option<Harmless>,
    server_is_from_values: bool,
    instead_of: Option<Harmless>,
    authority_is_from_values: bool,
    authority_at: Option<Harmless>,
}

impl Asked {
    /// Takes it from the endpoint.
    pub fn of(endpoint: &Endpoint) -> Self {
        Self {
            kubeconfig: Harmless::source(&endpoint.kubeconfig),
            context: Harmless::of(&endpoint.context),
            server: endpoint.server.url.as_deref().map(Harmless::url),
            server_is_from_values: endpoint.server.is_from_values,
            instead_of: endpoint
                .server
                .instead_of
                .as_ref()
                .map(|other| Harmless::url(&other.0)),
            authority_is_from_values: endpoint.authority_is_from_values,
            authority_at: match &endpoint.certificate_authority {
                Ok(endpoint::Authority::File { source, .. }) => Some(Harmless::source(source)),
                _ => None,
            },
        }
    }
}

fn from_values_or_kubeconfig(is_from_values: bool) -> Giver {
    match is_from_values {
        true => Giver::Values,
        false => Giver::Kubeconfig,
    }
}

/// The server, or the URL that was given for one and can't be used.
pub fn about_server(
    server: Option<&registration::server::Server>,
    asked: &Asked,
) -> Option<Server> {
    Some(Server {
        host: server.map(|server| Harmless::of(&server.url_host())),
        port: server.map(|server| server.port().to_string()),
        given: asked.server.clone()?,
        from: from_values_or_kubeconfig(asked.server_is_from_values),
        instead_of: asked.instead_of.clone(),
    })
}

/// The certificates by which the server is checked.
pub fn certificates(authority: &CertificateAuthority, asked: &Asked) -> Authority {
    let certificates = authority.certificates();
    let first = certificates
        .iter()
        .min_by_key(|certificate| certificate.not_after);
    Authority {
        from: from_values_or_kubeconfig(asked.authority_is_from_values),
        at: asked.authority_at.clone(),
        expires: first.map(registration::certificate::Certificate::expires),
        certificates: certificates
            .iter()
            .map(|certificate| Certificate {
                subject: Harmless::of(&certificate.subject),
                sha256: certificate.fingerprint(),
                expires: certificate.expires(),
            })
            .collect(),
    }
}

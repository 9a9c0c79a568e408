//! The endpoint of a compute cluster, checked: what the control plane's client gets to dial it.

use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use super::all_at;
use super::certificate::CertificateAuthority;
use super::finding::{Code, Finding};
use super::server::{Server, mask_url};
use crate::input::endpoint::{Authority, Endpoint};
use crate::problems::Problems;
use crate::text::shown;

/// What could be told of an endpoint. Each part is there or is a problem.
#[derive(Default)]
pub struct Resolved {
    /// The server.
    pub server: Option<Server>,
    /// Its certificate authority; the inner one is none where the controller's own roots do.
    pub authority: Option<Option<CertificateAuthority>>,
    /// What is suspicious.
    pub findings: Vec<Finding>,
    /// Where the control plane couldn't use one of them at all.
    pub problems: Problems,
}

/// Checks the server and the certificate authority of an endpoint.
pub fn resolve(endpoint: Endpoint, now: SystemTime) -> Resolved {
    let mut problems = Problems::default();
    let (server, about_server) = problems.take(resolve_server(&endpoint)).unzip();
    let authority = resolve_authority(endpoint, server.as_ref(), now);
    let (authority, about_authority) = problems.take(authority).unzip();
    let mut findings = about_server.unwrap_or_default();
    findings.extend(about_authority.unwrap_or_default());
    Resolved {
        server,
        authority,
        findings,
        problems,
    }
}

/// Checks the server of an endpoint.
///
/// # Errors
/// Where the control plane couldn't dial it at all.
pub fn resolve_server(endpoint: &Endpoint) -> Result<(Server, Vec<Finding>)> {
    let Some(url) = &endpoint.server.url else {
        bail!(
            "failed to use {}: it is missing or empty, so there is no API server to register",
            endpoint.server.origin
        );
    };
    let server =
        Server::parse(url).with_context(|| format!("failed to use {}", endpoint.server.origin))?;
    let mut findings = all_at(&endpoint.server.origin, server.findings());
    findings.extend(proxy_finding(endpoint));
    findings.extend(tls_server_name_finding(endpoint, &server));
    Ok((server, findings))
}

/// Checks the certificate authority of an endpoint, for its server where that is known; none where the
/// controller's own roots do.
///
/// # Errors
/// Where the control plane couldn't use it at all.
pub fn resolve_authority(
    endpoint: Endpoint,
    server: Option<&Server>,
    now: SystemTime,
) -> Result<(Option<CertificateAuthority>, Vec<Finding>)> {
    let Some((authority, origin)) = read_authority(endpoint)? else {
        return Ok((None, Vec::new()));
    };
    let mut findings = Vec::new();
    if server.is_some_and(Server::is_gke_dns_endpoint) {
        findings.push(Finding::new(
            Code::GkeDnsEndpoint,
            format!(
                "{origin}: the server is a GKE DNS endpoint, whose certificate comes from a public authority, and the control plane would check it by this private one and fail; write `certificateAuthority: system` under `kubeconfig` in the values file"
            ),
        ));
    }
    findings.extend(all_at(&origin, authority.findings(now)));
    Ok((Some(authority), findings))
}

/// A server that the values file names was chosen for the control plane, so it is reached directly.
fn proxy_finding(endpoint: &Endpoint) -> Option<Finding> {
    if endpoint.server.is_from_values {
        return None;
    }
    let proxy = endpoint.proxy_url.as_ref()?;
    Some(Finding::new(
        Code::ProxyIgnored,
        format!(
            "`proxy-url` of {} is {}, and the control plane dials the server directly; make sure that it can, or set `kubeconfig.server` in the values file to an address at which it can",
            endpoint.origin,
            shown(&mask_url(&proxy.0))
        ),
    ))
}

fn tls_server_name_finding(endpoint: &Endpoint, server: &Server) -> Option<Finding> {
    let name = endpoint.tls_server_name.as_ref()?;
    (!server.is_named(name)).then(|| {
        Finding::new(
            Code::TlsServerName,
            format!(
                "`tls-server-name` of {} is {}, and the control plane checks the server's certificate for {} instead, so the connection would fail; set `kubeconfig.server` in the values file to an address that the certificate is for",
                endpoint.origin,
                shown(name),
                shown(server.host())
            ),
        )
    })
}

fn read_authority(endpoint: Endpoint) -> Result<Option<(CertificateAuthority, String)>> {
    // A certificate authority that the values file names answers the question that
    // `insecure-skip-tls-verify` leaves open.
    let (authority, origin) = match endpoint.certificate_authority? {
        Authority::System => return Ok(None),
        _ if endpoint.insecure && !endpoint.authority_is_from_values => bail!(
            "failed to use {}: it has `insecure-skip-tls-verify: true`, and the control plane can't skip the check: get the cluster's CA (on a control-plane node it is /etc/kubernetes/pki/ca.crt; in a pod /var/run/secrets/kubernetes.io/serviceaccount/ca.crt) and name the file by `kubeconfig.certificateAuthority` in the values file",
            endpoint.origin
        ),
        Authority::Missing => bail!(
            "failed to use {}: it has no certificate authority: export the kubeconfig by `kubectl config view --raw`, or name a PEM file by `kubeconfig.certificateAuthority` in the values file, or write `system` there where the server's certificate comes from a public authority",
            endpoint.origin
        ),
        Authority::Base64 { text, origin } => (CertificateAuthority::from_base64(&text), origin),
        Authority::File { bytes, source } => {
            (CertificateAuthority::from_pem(&bytes), source.to_string())
        }
    };
    let authority =
        authority.with_context(|| format!("failed to use the certificate authority {origin}"))?;
    Ok(Some((authority, origin)))
}

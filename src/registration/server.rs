//! The address of an API server, as the control plane dials it, and of a storage endpoint.
//!
//! The control plane dials `host` + `:` + `port`, so neither may contain anything else.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU16;

use http::Uri;

use super::Checks;
use super::names::{check_filled_in, is_dns_label};
use crate::diagnostic::Diagnostic;
use crate::findings::Code;
use crate::kubeconfig::KubeconfigCluster;
use crate::show::{shown, shown_url};

const REACHABLE: &str =
    "set `kubeconfig.server` to the address at which the control plane reaches it";

/// The host in the example of Michelangelo's documentation.
const EXAMPLE_HOST: &str = "compute-cluster.example.com";

/// An API server's address in its normal form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// Name or address, lower case; IPv6 compressed and in brackets.
    host: String,
    /// 1 to 65535.
    pub port: u16,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.url_host(), self.port)
    }
}

impl Server {
    /// Parses a URL. Fails if the control plane can't dial it with host and port alone.
    pub fn parse(url: &str) -> Result<Self, Diagnostic> {
        refuse_secret(url, url.contains('@'))?;
        check_filled_in(url)?;
        if !has_scheme(url, "https") {
            let message = format!("the server {} doesn't begin with `https://`", shown_url(url));
            return Err(Diagnostic::error(message).help("write `https://HOST:PORT`"));
        }
        let (host, port, path) = split(url).ok_or_else(|| unusable(url))?;
        if !path.is_empty() {
            return Err(has_path(url));
        }
        if host == EXAMPLE_HOST {
            let message = format!("the server {} is the one of an example", shown(url));
            return Err(Diagnostic::error(message).help("write the real value"));
        }
        Ok(Self { host, port: port.unwrap_or(443) })
    }

    /// Returns a Cluster's `host`: `https://` and the name or address.
    pub fn url_host(&self) -> String {
        format!("https://{}", self.host)
    }

    /// Returns the most severe finding about the address, if any.
    pub fn finding(&self) -> Option<Diagnostic> {
        let host = self.host.as_str();
        if is_loopback(host) {
            let host = shown(host);
            let message = format!(
                "the API server {host} is a loopback address; the control plane would dial itself"
            );
            return Some(Diagnostic::finding(Code::LoopbackServer, message, REACHABLE));
        }
        let (code, reason) = match bare(host).parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) if address.is_link_local() => {
                (Code::UnusualServer, "is a link-local address")
            }
            Ok(IpAddr::V6(address)) if address.is_unicast_link_local() => {
                (Code::UnusualServer, "is a link-local address")
            }
            Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
                (Code::UnusualServer, "is an IPv4 address in IPv6 form")
            }
            Ok(_) => return None,
            Err(_) if is_local_name(host) => {
                (Code::LocalNameServer, "is a local name that the control plane may not resolve")
            }
            Err(_) if host.contains('_') => {
                (Code::UnusualServer, "has an underscore, which host names don't have")
            }
            Err(_) => return None,
        };
        let message = format!("the API server {} {reason}", shown(host));
        Some(Diagnostic::finding(code, message, REACHABLE))
    }

    /// Looks for kubeconfig settings that the control plane doesn't support. `is_replaced` means that `kubeconfig.server`
    /// replaces the kubeconfig's address.
    pub fn check_kubeconfig(
        &self,
        kubeconfig: &KubeconfigCluster,
        is_replaced: bool,
        checks: &mut Checks<'_>,
    ) {
        if let Some(name) = &kubeconfig.tls_server_name
            && !name.eq_ignore_ascii_case(bare(&self.host))
        {
            let (name, host) = (shown(name), shown(&self.host));
            let message = format!(
                "the kubeconfig verifies {name}, but the control plane would verify {host}"
            );
            let help = "set `kubeconfig.server` to an address that the certificate is for";
            let finding = Diagnostic::finding(Code::TlsServerName, message, help);
            checks.push_at(&kubeconfig.place("tls-server-name"), finding);
        }
        if kubeconfig.has_proxy && !is_replaced {
            let message =
                "the kubeconfig's `proxy-url` is ignored; the control plane connects directly";
            let finding = Diagnostic::finding(Code::ProxyIgnored, message, REACHABLE);
            checks.push_at(&kubeconfig.place("proxy-url"), finding);
        }
    }

    /// Whether it is a GKE DNS endpoint, whose certificate is from a public CA.
    pub fn is_gke_dns_endpoint(&self) -> bool {
        self.host.ends_with(".gke.goog")
    }
}

/// Whether a kubeconfig's server has a path, as proxies do to tell their clusters apart.
pub fn is_proxy(url: &str) -> bool {
    split(url).is_some_and(|(_, _, path)| !path.is_empty())
}

/// Whether a URL has a scheme, ignoring case.
pub fn has_scheme(url: &str, scheme: &str) -> bool {
    url.split_once("://").is_some_and(|(found, _)| found.eq_ignore_ascii_case(scheme))
}

/// Returns the host in its normal form, the port, if any, and the path without slashes around it. Returns `None` if one is
/// invalid, or the URL has a character that [`Uri`] drops, rewrites or reads differently from client-go.
pub fn split(url: &str) -> Option<(String, Option<u16>, String)> {
    let is_odd =
        |c: char| matches!(c, '#' | '@' | '%' | '\\') || c.is_whitespace() || !c.is_ascii();
    let uri: Uri = url.parse().ok().filter(|_| !url.contains(is_odd))?;
    let (authority, host) = (uri.authority()?.as_str(), uri.host()?);
    let path = uri.path().trim_matches('/').to_owned();
    let port = match authority.strip_prefix(host)? {
        "" | ":" => None,
        port => {
            // Rust reads `+443`, too.
            let port = port.strip_prefix(':').filter(|port| !port.starts_with('+'))?;
            Some(port.parse::<NonZeroU16>().ok()?.get())
        }
    };
    if let Some(address) = host.strip_prefix('[') {
        let address: Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some((format!("[{address}]"), port, path));
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    // An underscore is a finding, not an error.
    let is_label = |label: &str| label.len() <= 63 && is_dns_label(&label.replace('_', "u"));
    // Some parsers read `127.1` and `2130706433` as addresses, others as names.
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_numeric = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
    let is_host = if is_numeric {
        host.parse::<std::net::Ipv4Addr>().is_ok()
    } else {
        host.len() <= 253 && host.split('.').all(is_label)
    };
    is_host.then_some((host, port, path))
}

/// Whether a host is the caller's own machine or pod.
pub fn is_loopback(host: &str) -> bool {
    match bare(host).parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(address) => address.is_loopback() || address.is_unspecified(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

fn is_local_name(host: &str) -> bool {
    !host.contains('.')
        || [".local", ".internal", ".svc"].iter().any(|suffix| host.ends_with(suffix))
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Refuses a URL with a user or query, without showing it: it may be a password or token. Fails if it has one of them.
pub fn refuse_secret(url: &str, has_user: bool) -> Result<(), Diagnostic> {
    let message = if has_user {
        "the URL has a user or password in it"
    } else if url.contains(['?', '#']) {
        "the URL has a query or fragment, which may hold a secret"
    } else {
        return Ok(());
    };
    Err(Diagnostic::error(message).help("remove it"))
}

fn unusable(url: &str) -> Diagnostic {
    let message = format!("{} is not a URL that the control plane can use", shown_url(url));
    Diagnostic::error(message).help("write `https://HOST:PORT`")
}

fn has_path(url: &str) -> Diagnostic {
    let message = format!("the server {} has a path; only host and port are supported", shown(url));
    let error = Diagnostic::error(message)
        .help("set `kubeconfig.server` to the API server itself, and `kubeconfig.certificateAuthority` to its CA");
    if url.contains("/k8s/clusters/") {
        return error.help("or choose the context of Rancher's authorized cluster endpoint");
    }
    error
}

//! The API server of a compute cluster, as the control plane dials it.
//!
//! A *server* is what a kubeconfig gives as a cluster's `server`, reduced to the host and the port
//! that a `Cluster` object can hold. The control plane joins the two with a `:` and hands the
//! result to client-go; whatever else a URL may hold would be dropped, or would end up in the
//! wrong place without an error, so it is refused here. Likewise refused is what one parser reads
//! as one host and the next as another: nothing here is guessed or repaired.

use std::net::IpAddr;

use anyhow::{anyhow, bail, ensure};

use crate::text::shown;

mod authority;
mod findings;
mod mask;
#[cfg(test)]
mod tests;

pub use crate::placeholder::placeholder;
pub use authority::is_numeric_host;
pub use findings::is_loopback_host;
pub use mask::mask_url;

/// Longer than any host name with scheme and port, and short enough for a message.
const MAX_LENGTH: usize = 2048;

/// The API server of a compute cluster as the control plane dials it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Lower case, without brackets and without the dot that may end a name.
    host: String,
    /// The host, where it is an address; `host` is then its canonical form.
    address: Option<IpAddr>,
    port: u16,
}

impl Server {
    /// Parses a kubeconfig's `server`.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        check_text(text)?;
        let rest = strip_scheme(text)?;
        refuse_credentials(text)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !path.is_empty() {
            return Err(path_error(text, path));
        }
        authority::parse(authority)
    }

    /// Scheme and host, for a `Cluster`'s `spec.kubernetes.rest.host`: `https://api.example.com`,
    /// `https://[2001:db8::1]`.
    pub fn url_host(&self) -> String {
        match self.address {
            Some(IpAddr::V6(_)) => format!("https://[{}]", self.host),
            _ => format!("https://{}", self.host),
        }
    }

    /// The host alone, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, 443 where the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is a GKE cluster's DNS endpoint. It has a public certificate, so that TLS fails
    /// where a private certificate authority is the only one trusted.
    pub fn is_gke_dns_endpoint(&self) -> bool {
        self.host.ends_with(".gke.goog")
    }

    /// Whether a client that is given this `tls-server-name` checks the host's own name all the
    /// same, as the control plane always does. An empty one is none to client-go.
    pub fn is_named(&self, tls_server_name: &str) -> bool {
        let name = tls_server_name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
            .unwrap_or(tls_server_name);
        match (self.address, name.parse::<IpAddr>()) {
            // Go compares a mapped address and its IPv4 form as equal.
            (Some(host), Ok(name)) => host.to_canonical() == name.to_canonical(),
            (Some(_), Err(_)) => name.is_empty(),
            (None, _) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                tls_server_name.is_empty() || name.eq_ignore_ascii_case(&self.host)
            }
        }
    }
}

/// Refuses what is no URL at all, before any of it is looked at as one.
fn check_text(text: &str) -> anyhow::Result<()> {
    ensure!(
        !text.is_empty(),
        "the server is empty; write the API server's address as `https://HOST:PORT`"
    );
    ensure!(
        text.len() <= MAX_LENGTH,
        "the server is {} bytes long, more than any address; write it as `https://HOST:PORT`",
        text.len()
    );
    if let Some(form) = placeholder(text) {
        bail!(
            "the server is a placeholder ({}); put the API server's address there, as \
             `https://HOST:PORT`",
            shown(form)
        );
    }
    if let Some(space) = text.chars().find(|c| c.is_whitespace()) {
        bail!(
            "the server has white space ({}) {}; remove it",
            shown(space.encode_utf8(&mut [0; 4])),
            place(text, char::is_whitespace)
        );
    }
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        bail!(
            "the server has a control character ({}) {}; remove it",
            shown(control.encode_utf8(&mut [0; 4])),
            place(text, char::is_control)
        );
    }
    Ok(())
}

fn place(text: &str, is_odd: fn(char) -> bool) -> &'static str {
    if text.starts_with(is_odd) {
        "at its start"
    } else if text.ends_with(is_odd) {
        "at its end"
    } else {
        "in it"
    }
}

/// What follows `https://`. Text without a scheme is not shown: it may be anything, a password
/// or a token pasted into the wrong place included.
fn strip_scheme(text: &str) -> anyhow::Result<&str> {
    let Some((scheme, rest)) = text.split_once("://") else {
        bail!("the server has no scheme; write it as `https://HOST:PORT`");
    };
    if scheme.eq_ignore_ascii_case("https") {
        return Ok(rest);
    }
    if scheme.eq_ignore_ascii_case("http") {
        bail!(
            "the server's scheme is `http`, with which the control plane would send no token and \
             check no certificate; give its `https` address, as `https://HOST:PORT`"
        );
    }
    ensure!(
        mask::is_scheme(scheme),
        "the server doesn't begin with `https://`; write it as `https://HOST:PORT`"
    );
    bail!(
        "the server's scheme is {}, which is none that an API server speaks; write it as \
         `https://HOST:PORT`",
        shown(scheme)
    );
}

/// Refuses the parts of a URL that may hold a credential; the checks after it may show text.
fn refuse_credentials(text: &str) -> anyhow::Result<()> {
    let masked = mask_url(text);
    ensure!(
        !text.contains('@'),
        "the server {} has a user or password, which the control plane can't use; write it as \
         `https://HOST:PORT`",
        shown(&masked)
    );
    ensure!(
        !text.contains('?'),
        "the server {} has a query, which the control plane can't use; remove it from the `?` on",
        shown(&masked)
    );
    ensure!(
        !text.contains('#'),
        "the server {} has a fragment, which the control plane can't use; remove it from the `#` \
         on",
        shown(&masked)
    );
    Ok(())
}

fn path_error(text: &str, path: &str) -> anyhow::Error {
    let url = mask_url(text);
    if format!("/{path}").contains("/k8s/clusters/") {
        return anyhow!(
            "the server {} is Rancher's proxy, which doesn't take the service account's token, \
             and whose path the control plane can't use; choose the context of the cluster's \
             authorized endpoint (`CLUSTER-fqdn` or `CLUSTER-NODE` in Rancher's kubeconfig), or \
             set `kubeconfig.server` in the values file to the API server's own address",
            shown(&url)
        );
    }
    anyhow!(
        "the server {} has a path, which the control plane can't use; gateways with one hardly \
         take the service account's token anyway, so set `kubeconfig.server` in the values file \
         to the API server's own address, as `https://HOST:PORT`",
        shown(&url)
    )
}

//! What is suspicious about a server's address: legal, but hardly what the control plane can
//! dial.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Server;
use crate::registration::finding::{Code, Finding};
use crate::text::shown;

const MEND: &str = "set `kubeconfig.server` in the values file to the address at which the \
                    control plane reaches the API server";

impl Server {
    /// What is suspicious about the address: one finding at most, the gravest.
    pub fn findings(&self) -> Vec<Finding> {
        self.loopback()
            .or_else(|| self.local_name())
            .or_else(|| self.unusual())
            .into_iter()
            .collect()
    }

    fn loopback(&self) -> Option<Finding> {
        is_loopback_host(&self.host).then(|| {
            let text = format!(
                "the server {} is the machine itself: the control plane would dial its own pod \
                 instead of the compute cluster; {MEND}, or, for a sandbox where the control \
                 plane runs on that same machine, list `{}` under `allow`",
                shown(&self.host),
                Code::LoopbackServer,
            );
            Finding::new(Code::LoopbackServer, text)
        })
    }

    fn local_name(&self) -> Option<Finding> {
        if self.address.is_some() {
            return None;
        }
        let consequence = local_name(&self.host)?;
        let text = format!("the server {} {consequence}; {MEND}", shown(&self.host));
        Some(Finding::new(Code::LocalNameServer, text))
    }

    fn unusual(&self) -> Option<Finding> {
        let reason = match self.address {
            Some(IpAddr::V4(address)) => unusual_v4(address)?,
            Some(IpAddr::V6(address)) => unusual_v6(address)?,
            None if self.host.contains('_') => {
                "has an underscore, which host names must not have: the control plane would \
                 dial it, but not every name server and certificate authority takes it"
            }
            None => return None,
        };
        let text = format!("the server {} {reason}; {MEND}", shown(&self.host));
        Some(Finding::new(Code::UnusualServer, text))
    }
}

/// Whether a host, a name or an address without brackets, is the machine itself. The unspecified
/// addresses are: to dial `0.0.0.0` is to dial oneself.
pub fn is_loopback_host(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        let address = address.to_canonical();
        return address.is_loopback() || address.is_unspecified();
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    // `localhost.localdomain` is in many systems' hosts files.
    name == "localhost" || name == "localhost.localdomain" || name.ends_with(".localhost")
}

/// What the control plane would make of a name that means something else, or nothing, elsewhere.
fn local_name(name: &str) -> Option<&'static str> {
    if is_service(name) {
        return Some(
            "is the name of a Service inside a cluster: the control plane would look it up in \
             its own cluster, where `kubernetes.default` is its own API server",
        );
    }
    if !name.contains('.') {
        return Some(
            "is a name without a domain: the control plane would look it up with its own search \
             domains, and may not find it or find another machine",
        );
    }
    matches!(last_label(name), "local" | "internal").then_some(
        "is a name of a local network or of one machine: the control plane would dial what its \
         own name server knows by it, which may be nothing",
    )
}

fn is_service(name: &str) -> bool {
    name == "kubernetes.default"
        || name.ends_with(".svc.cluster.local")
        || name.contains('.') && last_label(name) == "svc"
}

fn last_label(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn unusual_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [first, ..] = address.octets();
    if address.is_link_local() {
        Some(LINK_LOCAL)
    } else if address.is_multicast() {
        Some(MULTICAST)
    } else if address.is_broadcast() {
        Some("is the broadcast address: the control plane can't connect to it")
    } else if first == 0 || first >= 240 {
        Some("is in a reserved range: the control plane can't connect to it")
    } else {
        None
    }
}

fn unusual_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_unicast_link_local() {
        Some(LINK_LOCAL)
    } else if address.is_multicast() {
        Some(MULTICAST)
    } else if address.to_ipv4_mapped().is_some() {
        Some(
            "is an IPv4 address written as an IPv6 one: the control plane would dial the IPv4 \
             address, which is better written as such",
        )
    } else if address.to_ipv4().is_some() {
        Some("is an IPv4-compatible IPv6 address, which no network routes any more")
    } else {
        None
    }
}

const LINK_LOCAL: &str = "is a link-local address: the control plane could dial it only from the \
                          same network segment, and each segment has its own";
const MULTICAST: &str = "is a multicast address: the control plane can't connect to it";

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(url: &str) -> Vec<Code> {
        let server = Server::parse(url).unwrap();
        server.findings().into_iter().map(|f| f.code).collect()
    }

    #[test]
    fn the_machine_itself_is_no_server() {
        for url in [
            "https://127.0.0.1:6443",
            "https://127.1.2.3",
            "https://[::1]:6443",
            "https://localhost:6443",
            "https://LOCALHOST.:6443",
            "https://localhost.localdomain",
            "https://k3s.localhost",
            "https://0.0.0.0:42033",
            "https://[::]:6443",
            "https://[::ffff:127.0.0.1]:6443",
            "https://[::ffff:7f00:1]:6443",
            "https://[::ffff:0.0.0.0]",
        ] {
            assert_eq!(codes(url), [Code::LoopbackServer], "{url}");
        }
    }

    #[test]
    fn names_that_may_not_resolve_are_local() {
        for url in [
            "https://host.docker.internal:6443",
            "https://kubernetes.docker.internal:6443",
            "https://node.local",
            "https://ip-10-0-0-1.ec2.internal",
            "https://k3s:6443",
            "https://my_node",
            "https://kubernetes",
            "https://kubernetes.default",
            "https://kubernetes.default.svc",
            "https://kubernetes.default.svc.cluster.local",
        ] {
            assert_eq!(codes(url), [Code::LocalNameServer], "{url}");
        }
    }

    #[test]
    fn legal_addresses_that_are_seldom_meant_are_unusual() {
        for url in [
            "https://169.254.1.1",
            "https://224.0.0.1",
            "https://255.255.255.255",
            "https://240.0.0.1",
            "https://0.1.2.3",
            "https://[fe80::1]",
            "https://[ff02::1]",
            "https://[::ffff:203.0.113.7]:6443",
            "https://[::203.0.113.7]",
            "https://my_node.example.com",
        ] {
            assert_eq!(codes(url), [Code::UnusualServer], "{url}");
        }
    }

    #[test]
    fn ordinary_servers_have_no_finding() {
        for url in [
            "https://203.0.113.7:6443",
            "https://10.0.0.1",
            "https://172.16.0.1",
            "https://192.168.49.2:8443",
            "https://100.64.0.1",
            "https://[2001:db8::1]:6443",
            "https://[fd00::1]",
            "https://api.example.com",
            "https://localhost.example.com",
            "https://A1B2.gr7.us-east-1.eks.amazonaws.com",
            "https://c-1.hcp.westeurope.azmk8s.io:443",
            "https://xn--zrich-kva.example",
        ] {
            assert_eq!(codes(url), [], "{url}");
        }
    }

    #[test]
    fn a_finding_says_what_would_happen_and_how_to_mend_it() {
        let text = |url| {
            let server = Server::parse(url).unwrap();
            server.findings().remove(0).text
        };
        let loopback = text("https://127.0.0.1:6443");
        assert!(loopback.starts_with("the server `127.0.0.1` is the machine itself"));
        assert!(loopback.contains("list `loopback-server` under `allow`"));
        for url in ["https://127.0.0.1", "https://node", "https://[fe80::1]"] {
            assert!(text(url).contains("the control plane"), "{url}");
            assert!(text(url).contains("set `kubeconfig.server`"), "{url}");
            assert!(!text(url).ends_with('.'), "{url}");
        }
    }

    #[test]
    fn loopback_is_told_of_bare_hosts_too() {
        for host in [
            "127.0.0.1",
            "::1",
            "LocalHost",
            "a.localhost.",
            "::",
            "0.0.0.0",
        ] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in [
            "",
            ".",
            "128.0.0.1",
            "::2",
            "localhosts",
            "minio",
            "notlocalhost",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}

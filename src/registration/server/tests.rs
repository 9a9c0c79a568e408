//! Parsing: what is normalised and what is refused.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;
use proptest::prelude::*;

fn error(text: &str) -> String {
    match Server::parse(text) {
        Ok(server) => panic!("{text:?} is accepted as {server:?}"),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn servers_have_a_normal_form() {
    for (text, host, port) in [
        (
            "https://api.example.com:6443",
            "https://api.example.com",
            6443,
        ),
        ("https://api.example.com", "https://api.example.com", 443),
        ("https://api.example.com/", "https://api.example.com", 443),
        (
            "https://api.example.com:6443/",
            "https://api.example.com",
            6443,
        ),
        ("https://api.example.com:", "https://api.example.com", 443),
        ("https://api.example.com:/", "https://api.example.com", 443),
        (
            "https://api.example.com:06443",
            "https://api.example.com",
            6443,
        ),
        (
            "https://api.example.com:0000000443",
            "https://api.example.com",
            443,
        ),
        ("https://h.example:1", "https://h.example", 1),
        ("https://h.example:65535", "https://h.example", 65535),
        (
            "HTTPS://API.Example.COM:6443",
            "https://api.example.com",
            6443,
        ),
        (
            "hTTps://api.example.com.:6443",
            "https://api.example.com",
            6443,
        ),
        ("https://34.1.2.3", "https://34.1.2.3", 443),
        ("https://127.0.0.1:6443", "https://127.0.0.1", 6443),
        (
            "https://[2001:DB8:0:0::0001]:6443",
            "https://[2001:db8::1]",
            6443,
        ),
        ("https://[2001:db8::1]", "https://[2001:db8::1]", 443),
        ("https://[2001:db8::1]:", "https://[2001:db8::1]", 443),
        ("https://[2001:db8::1]/", "https://[2001:db8::1]", 443),
        ("https://[::FFFF:1.2.3.4]", "https://[::ffff:1.2.3.4]", 443),
        ("https://node", "https://node", 443),
        (
            "https://my_node.example.com",
            "https://my_node.example.com",
            443,
        ),
        (
            "https://xn--zrich-kva.example",
            "https://xn--zrich-kva.example",
            443,
        ),
        (
            "https://1.2.3.4.example.com",
            "https://1.2.3.4.example.com",
            443,
        ),
        (
            "https://3com.example.0xyz",
            "https://3com.example.0xyz",
            443,
        ),
    ] {
        let server = Server::parse(text).expect(text);
        assert_eq!(
            (server.url_host().as_str(), server.port()),
            (host, port),
            "{text}"
        );
    }
}

#[test]
fn a_bare_host_has_no_brackets() {
    let server = Server::parse("https://[2001:db8::1]:6443").unwrap();
    assert_eq!(server.host(), "2001:db8::1");
    let server = Server::parse("https://API.example.com").unwrap();
    assert_eq!(server.host(), "api.example.com");
}

#[test]
fn each_refusal_says_what_is_wrong_and_no_secret() {
    for (text, part) in [
        ("", "the server is empty"),
        // Schemes.
        ("api.example.com:6443", "has no scheme"),
        ("api.example.com", "has no scheme"),
        ("https:api.example.com", "has no scheme"),
        ("https:/api.example.com", "has no scheme"),
        ("https:\\\\api.example.com", "has no scheme"),
        ("//api.example.com", "has no scheme"),
        ("http://api.example.com", "would send no token"),
        ("HTTP://api.example.com", "would send no token"),
        ("ftp://api.example.com", "scheme is `ftp`"),
        ("://api.example.com", "doesn't begin with `https://`"),
        (
            "\u{feff}https://api.example.com",
            "doesn't begin with `https://`",
        ),
        // Paths.
        ("https://h.example//", "has a path"),
        (
            "https://h.example/a",
            "server `https://h.example/a` has a path",
        ),
        (
            "https://h.example:6443/clusters/root:org",
            "`https://h.example:6443/***` has a path",
        ),
        (
            "https://connectgateway.googleapis.com/v1/projects/1",
            "set `kubeconfig.server`",
        ),
        (
            "https://rancher.example.com/k8s/clusters/c-m-1",
            "authorized endpoint",
        ),
        (
            "https://rancher.example.com/x/k8s/clusters/c-1",
            "authorized endpoint",
        ),
        // Parts that a `Cluster` can't hold.
        (
            "https://u:hunter2@h.example",
            "`https://***@h.example` has a user or password",
        ),
        ("https://@h.example", "has a user or password"),
        ("https://h.example?", "has a query"),
        (
            "https://h.example/?a=hunter2",
            "`https://h.example/?***` has a query",
        ),
        ("https://h.example#", "has a fragment"),
        ("https://h.example/#a", "has a fragment"),
        // White space and control characters.
        (" https://h.example", "white space (` `) at its start"),
        ("https://h.example\n", "white space (`\\u{a}`) at its end"),
        ("https://h.ex ample", "white space (` `) in it"),
        (
            "https://h.example\u{a0}",
            "white space (`\u{a0}`) at its end",
        ),
        (
            "https://h.example\u{1b}[31m",
            "a control character (`\\u{1b}`) in it",
        ),
        (
            "https://h.example\0",
            "a control character (`\\u{0}`) at its end",
        ),
        // Hosts and ports.
        ("https://", "has no host"),
        ("https:///", "has no host"),
        ("https:///a", "has a path"),
        ("https://h.example:0/", "port is `0`"),
        // Placeholders.
        ("https://<host>:6443", "a placeholder (`<...>`)"),
        ("https://<< HOST >>", "a placeholder (`<...>`)"),
        (
            "https://compute-cluster.example.com",
            "a placeholder (`compute-cluster.example.com`)",
        ),
        ("https://compute-cluster.example.com:6443", "a placeholder"),
    ] {
        let error = error(text);
        assert!(error.contains(part), "{text:?}: {error}");
        assert!(!error.contains("hunter2"), "{text:?}: {error}");
        assert!(!error.contains(char::is_control), "{text:?}: {error}");
    }
}

#[test]
fn a_text_that_is_too_long_is_not_shown() {
    let text = format!("https://{}", "a".repeat(4000));
    assert_eq!(
        error(&text),
        "the server is 4008 bytes long, more than any address; write it as `https://HOST:PORT`"
    );
}

#[test]
fn a_token_in_the_wrong_place_is_not_shown() {
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln";
    assert!(!error(token).contains("eyJ"));
    assert!(!error("admin:hunter2").contains("hunter2"));
    assert!(!error("https://admin:hunter2").contains("hunter2"));
    assert!(!error("https://admin:12/hunter2@h.example").contains("hunter2"));
}

#[test]
fn a_tls_server_name_may_be_the_host_itself() {
    for (server, name, expected) in [
        ("https://api.example.com", "api.example.com", true),
        ("https://api.example.com", "API.Example.com.", true),
        ("https://api.example.com.", "api.example.com", true),
        ("https://api.example.com", "", true),
        ("https://api.example.com", "[]", false),
        ("https://api.example.com", ".", false),
        ("https://api.example.com", "example.com", false),
        (
            "https://api.example.com",
            "kube-teleport-proxy-alpn.example.com",
            false,
        ),
        ("https://203.0.113.7", "203.0.113.7", true),
        ("https://203.0.113.7", "::ffff:203.0.113.7", true),
        ("https://203.0.113.7", "203.0.113.8", false),
        ("https://203.0.113.7", "kubernetes", false),
        ("https://203.0.113.7", "", true),
        ("https://[2001:db8::1]", "2001:DB8:0::1", true),
        ("https://[2001:db8::1]", "[2001:db8::1]", true),
    ] {
        let parsed = Server::parse(server).unwrap();
        assert_eq!(parsed.is_named(name), expected, "{server} {name}");
    }
}

#[test]
fn the_dns_endpoints_of_gke_are_known() {
    for (server, expected) in [
        ("https://gke-0123456789.us-east1.gke.goog", true),
        ("https://GKE-1.us-east1-123.GKE.goog.", true),
        ("https://gke.goog", false),
        ("https://notgke.goog", false),
        ("https://34.1.2.3", false),
        ("https://gke.goog.example.com", false),
    ] {
        let parsed = Server::parse(server).unwrap();
        assert_eq!(parsed.is_gke_dns_endpoint(), expected, "{server}");
    }
}

fn assert_stable(text: &str) -> Result<(), TestCaseError> {
    if let Ok(server) = Server::parse(text) {
        let rendered = format!("{}:{}", server.url_host(), server.port());
        let again = Server::parse(&rendered);
        prop_assert!(again.is_ok(), "{rendered}");
        prop_assert_eq!(again.ok(), Some(server));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in ".*") {
        assert_stable(&text)?;
    }

    #[test]
    fn any_url_is_stable(host in "[a-zA-Z0-9._:%\\[\\]-]{0,20}", tail in "[:/0-9?#@ ]{0,6}") {
        assert_stable(&format!("https://{host}{tail}"))?;
    }

    #[test]
    fn any_address_is_stable(bits: u128, small: u32, port: u16) {
        assert_stable(&format!("https://[{}]:{port}", Ipv6Addr::from_bits(bits)))?;
        assert_stable(&format!("https://[{}]:{port}", Ipv6Addr::from_bits(small.into())))?;
        assert_stable(&format!("https://{}:{port}", Ipv4Addr::from_bits(small)))?;
    }
}

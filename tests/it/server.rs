//! Which servers are accepted, in which form, and which are refused.

use crate::check::{
    SERVED, SERVER, by_url, each, host_and_port, refused, render_server, server, two_contexts,
    with_user,
};
use crate::support::{Sandbox, fixture, kubeconfig, kubeconfig_of, values};

#[test]
fn a_server_is_brought_into_its_normal_form() {
    let sandbox = Sandbox::with_cluster();
    let rows = [
        ("https://203.0.113.7:6443", ("https://203.0.113.7", "6443")),
        (
            "https://api.example.com",
            ("https://api.example.com", "443"),
        ),
        (
            "https://api.example.com/",
            ("https://api.example.com", "443"),
        ),
        (
            "https://api.example.com:6443/",
            ("https://api.example.com", "6443"),
        ),
        (
            "https://api.example.com:",
            ("https://api.example.com", "443"),
        ),
        (
            "https://api.example.com:06443",
            ("https://api.example.com", "6443"),
        ),
        (
            "https://api.example.com:1",
            ("https://api.example.com", "1"),
        ),
        (
            "https://api.example.com:65535",
            ("https://api.example.com", "65535"),
        ),
        (
            "HTTPS://API.Example.com:6443",
            ("https://api.example.com", "6443"),
        ),
        (
            "https://[2001:DB8:0:0::1]",
            ("https://[2001:db8::1]", "443"),
        ),
        (
            "https://[2001:db8::1]:6443/",
            ("https://[2001:db8::1]", "6443"),
        ),
        (
            "https://xn--zrich-kva.example:443",
            ("https://xn--zrich-kva.example", "443"),
        ),
    ];
    each(by_url(&rows), |(url, (host, port))| {
        let run = render_server(&sandbox, url);
        let expected = (host.to_owned(), port.to_owned());
        assert_eq!(host_and_port(run.succeeds_quietly()), expected);
    });
}

#[test]
fn providers_servers_without_a_port_are_on_port_443() {
    let sandbox = Sandbox::with_cluster();
    let eks = "https://0123456789abcdef0123456789abcdef.gr7.us-east-1.eks.amazonaws.com:443";
    for (name, expected) in [("eks", eks), ("gke", "https://198.51.100.20:443")] {
        let text = std::fs::read(fixture(&format!("kubeconfigs/{name}.kubeconfig"))).unwrap();
        let run = sandbox.render_kubeconfig(text);
        assert_eq!(server(run.succeeds_quietly()), expected, "{name}");
    }
}

#[test]
fn a_server_without_https_is_refused() {
    let sandbox = Sandbox::with_cluster();
    let rows = [
        ("203.0.113.7:6443", "no scheme"),
        ("api.example.com", "no scheme"),
        ("//api.example.com:6443", "no scheme"),
        ("http://api.example.com:6443", "`http`"),
        ("HTTP://api.example.com:6443", "`http`"),
        ("ftp://api.example.com", "`ftp`"),
        ("https:/api.example.com", "no scheme"),
    ];
    each(by_url(&rows), |(url, part)| {
        let place = "`server` of the cluster `k` of `kubeconfig`";
        refused(&render_server(&sandbox, url), &[place, part, "https"]);
    });
    let http = render_server(&sandbox, "http://api.example.com:6443");
    refused(&http, &["would send no token and check no certificate"]);
}

#[test]
fn a_missing_server_is_refused() {
    let sandbox = Sandbox::with_cluster();
    each(
        [
            ("absent", ("disable-compression: true", "missing or empty")),
            ("empty", ("server: \"\"", "missing or empty")),
            ("null", ("server:", "missing or empty")),
            ("a list", ("server: [https://h.example]", "not a string")),
        ],
        |(line, part)| {
            let run = sandbox.render_kubeconfig(kubeconfig(line));
            refused(&run, &["`server`", "cluster `k`", part]);
        },
    );
}

#[test]
fn a_path_is_refused_with_a_way_out() {
    let sandbox = Sandbox::with_cluster();
    let gateway = "https://connectgateway.googleapis.com/v1/projects/1/locations/global/\
                   gkeMemberships/compute";
    let rows = [
        (
            "https://rancher.example.com/k8s/clusters/c-m-abcd1234",
            "authorized endpoint",
        ),
        (
            "https://rancher.example.com:8443/k8s/clusters/local/",
            "authorized endpoint",
        ),
        (gateway, "has a path"),
        (
            "https://kcp.example.com:6443/clusters/root:compute",
            "has a path",
        ),
        (
            "https://api.example.com:6443/SENTINEL%2Ftoken",
            "has a path",
        ),
        ("https://api.example.com:6443/?", "a query"),
    ];
    each(by_url(&rows), |(url, part)| {
        refused(
            &render_server(&sandbox, url),
            &[part, "the control plane can't use"],
        );
    });
    for url in [rows[0].0, gateway] {
        refused(
            &render_server(&sandbox, url),
            &["`kubeconfig.server`", "service account's token"],
        );
    }
}

#[test]
fn ranchers_authorized_endpoint_is_accepted() {
    let sandbox = Sandbox::with_cluster();
    let text = std::fs::read(fixture("kubeconfigs/rancher.kubeconfig")).unwrap();
    refused(
        &sandbox.render_kubeconfig(text),
        &["Rancher", "authorized endpoint"],
    );
    let run = sandbox.render(&["--context", "compute-0-cp1"]);
    assert_eq!(server(run.succeeds_quietly()), "https://10.0.3.17:6443");
}

#[test]
fn what_programs_read_in_different_ways_is_refused() {
    let sandbox = Sandbox::with_cluster();
    let rows = [
        (
            "https://admin:SENTINEL-1@api.example.com:6443",
            "user or password",
        ),
        ("https://SENTINEL-2@api.example.com", "user or password"),
        (
            "https://admin:SENT/SENTINEL-3@api.example.com",
            "user or password",
        ),
        ("https://admin:SENTINEL-4", "port is not a number"),
        ("https://api.example.com:6443?token=SENTINEL-5", "a query"),
        ("https://api.example.com/#SENTINEL-6", "a fragment"),
        (" https://api.example.com", "white space"),
        ("https://api.example.com ", "white space"),
        ("https://api.example .com", "white space"),
        ("https://api.example.com\n", "white space"),
        ("https://api.example.com\t:6443", "white space"),
        ("https://api.example.com\u{7}", "control character"),
        ("https://<host>:6443", "placeholder"),
        ("https://<host>", "placeholder"),
        ("https://${HOST}:6443", "placeholder"),
        ("https://compute-cluster.example.com", "placeholder"),
        (
            "https://api.example.com:0",
            "port is `0`; write one from 1 to 65535",
        ),
        (
            "https://api.example.com:65536",
            "port is `65536`; write one from 1 to 65535",
        ),
        ("https://api.example.com:abc", "port is not a number"),
        ("https://api.example.com:-1", "port is not a number"),
        ("https://127.1:6443", "four decimal numbers"),
        ("https://2130706433", "four decimal numbers"),
        ("https://0x7f.0.0.1", "four decimal numbers"),
        ("https://010.0.0.1", "four decimal numbers"),
        ("https://2001:db8::1:6443", "no brackets"),
        ("https://::1", "no brackets"),
        ("https://[fe80::1%25eth0]:6443", "a zone"),
        ("https://[fe80::1%eth0]:6443", "a zone"),
        ("https://zürich.example:6443", "xn--"),
        ("https://１２７.0.0.1:6443", "xn--"),
        ("https://:6443", "no host"),
        ("https://", "no host"),
    ];
    each(by_url(&rows), |(url, part)| {
        let place = "`server` of the cluster `k` of `kubeconfig`";
        refused(
            &render_server(&sandbox, url),
            &["failed to use", place, part],
        );
    });
}

#[test]
fn the_values_file_replaces_the_server() {
    let sandbox = Sandbox::with_cluster();
    let over = |url: &str| values(&format!("token: none\nkubeconfig: {{server: {url:?}}}\n"));
    sandbox.write("c0.yaml", over("HTTPS://api.example.com/"));
    for url in [
        "https://127.0.0.1:6443",
        "https://rancher.example.com/k8s/clusters/c-1",
        "http://u:SENTINEL@h",
        "",
    ] {
        let run = render_server(&sandbox, url);
        assert_eq!(
            server(run.succeeds_quietly()),
            "https://api.example.com:443",
            "{url}"
        );
    }
    each(
        [
            ("no scheme", ("api.example.com", "no scheme")),
            (
                "a password",
                ("https://u:SENTINEL@h.example", "user or password"),
            ),
            ("loopback", ("https://localhost", "error[loopback-server]")),
        ],
        |(url, part)| {
            sandbox.write("c0.yaml", over(url));
            refused(
                &sandbox.render(&[]),
                &["`kubeconfig.server` of `c0.yaml`", part],
            );
        },
    );
}

#[test]
fn a_server_whose_certificate_is_not_checked_is_refused() {
    let sandbox = Sandbox::with_cluster();
    let parts = [
        "`insecure-skip-tls-verify: true`",
        "can't skip",
        "/etc/kubernetes/pki/ca.crt",
        "`kubeconfig.certificateAuthority`",
    ];
    for value in ["true", "\"true\"", "True"] {
        let lines = format!("{SERVER}\ninsecure-skip-tls-verify: {value}");
        refused(&sandbox.render_kubeconfig(kubeconfig(&lines)), &parts);
        refused(&sandbox.render_kubeconfig(kubeconfig_of(&lines)), &parts);
    }
    for value in ["false", "\"false\"", "null"] {
        let lines = format!("{SERVER}\ninsecure-skip-tls-verify: {value}");
        let run = sandbox.render_kubeconfig(kubeconfig(&lines));
        assert_eq!(server(run.succeeds_quietly()), SERVED, "{value}");
    }
}

#[test]
fn only_the_host_and_the_port_of_the_chosen_server_reach_the_output() {
    let sandbox = Sandbox::with_cluster();
    let run = sandbox.render_kubeconfig(two_contexts("current-context: blue"));
    let stream = run.succeeds_quietly();
    assert_eq!(server(stream), "https://blue.example.com:6443");
    assert!(!stream.contains("green"));
    let users = "  - name: u\n    user: {token: SENTINEL-1, client-key-data: SENTINEL-2}\n";
    let run = sandbox.render_kubeconfig(with_user(users));
    assert!(!run.succeeds_quietly().contains("SENTINEL"));
}

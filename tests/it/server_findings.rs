//! Which servers are accepted with a finding, and what it says.

use crate::check::{SERVED, SERVER, by_url, each, hides_secrets, refused, render_server, server};
use crate::support::{Sandbox, kubeconfig, kubeconfig_of, values};

#[test]
fn addresses_of_the_machine_itself_are_denied() {
    let sandbox = Sandbox::with_cluster();
    let rows = [
        ("https://127.0.0.1:6443", "https://127.0.0.1:6443"),
        ("https://127.45.6.7:6443", "https://127.45.6.7:6443"),
        ("https://[::1]:6443", "https://[::1]:6443"),
        ("https://localhost:6443", "https://localhost:6443"),
        ("https://LocalHost", "https://localhost:443"),
        ("https://0.0.0.0:6550", "https://0.0.0.0:6550"),
        ("https://[::]:6443", "https://[::]:6443"),
        ("https://[0:0:0:0:0:0:0:1]", "https://[::1]:443"),
        (
            "https://[::ffff:127.0.0.1]:6443",
            "https://[::ffff:127.0.0.1]:6443",
        ),
    ];
    each(by_url(&rows), |(url, _)| {
        sandbox.write("c0.yaml", values("token: none\n"));
        let parts = [
            "error[loopback-server]: ",
            "control plane",
            "`kubeconfig.server`",
        ];
        refused(&render_server(&sandbox, url), &parts);
    });
    each(by_url(&rows), |(url, expected)| {
        sandbox.write("c0.yaml", values("token: none\nallow: [loopback-server]\n"));
        assert_eq!(
            server(render_server(&sandbox, url).succeeds_quietly()),
            expected
        );
    });
}

#[test]
fn names_and_addresses_that_are_seldom_meant_are_warned_about() {
    let sandbox = Sandbox::with_cluster();
    let local = "local-name-server";
    let unusual = "unusual-server";
    let rows = [
        ("https://host.docker.internal:6443", local),
        ("https://node-1.local:6443", local),
        ("https://ip-10-0-0-1.ec2.internal:6443", local),
        ("https://kubernetes.default.svc:443", local),
        ("https://k3s:6443", local),
        ("https://169.254.10.1:6443", unusual),
        ("https://[fe80::1]:6443", unusual),
        ("https://[::ffff:203.0.113.7]:6443", unusual),
        ("https://node_1.example.com:6443", unusual),
    ];
    each(by_url(&rows), |(url, code)| {
        let run = render_server(&sandbox, url);
        assert_eq!(server(run.succeeds()), url);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        let mark = format!("warning[{code}]: ");
        assert!(run.stderr.starts_with(&mark), "{}", run.stderr);
        assert!(run.stderr.contains("`kubeconfig.server`"), "{}", run.stderr);
    });
}

#[test]
fn a_proxy_is_warned_about_and_its_credentials_are_masked() {
    let sandbox = Sandbox::with_cluster();
    let rows = [
        (
            "http://proxy.example.com:3128",
            "`http://proxy.example.com:3128`",
        ),
        (
            "http://u:SENTINEL-1@proxy.example.com:3128",
            "`http://***@proxy.example.com:3128`",
        ),
        (
            "socks5://SENTINEL-2@proxy.example.com",
            "`socks5://***@proxy.example.com`",
        ),
        ("http://u:a/SENTINEL-3@proxy.example.com", "`***`"),
        (
            "http://proxy.example.com/?key=SENTINEL-4",
            "`http://proxy.example.com/?***`",
        ),
        ("u:SENTINEL-5@proxy.example.com:3128", "`***`"),
    ];
    each(by_url(&rows), |(url, shown)| {
        let run = sandbox.render_kubeconfig(kubeconfig(&format!("{SERVER}\nproxy-url: {url}")));
        assert_eq!(server(run.succeeds()), SERVED);
        assert!(
            run.stderr.starts_with("warning[proxy-ignored]: "),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains(shown), "{}", run.stderr);
        assert!(
            run.stderr.contains("dials the server directly"),
            "{}",
            run.stderr
        );
        hides_secrets(&run);
        assert!(!run.stdout.contains("SENTINEL"));
    });
    for line in ["proxy-url: \"\"", "proxy-url:"] {
        let run = sandbox.render_kubeconfig(kubeconfig(&format!("{SERVER}\n{line}")));
        assert_eq!(server(run.succeeds_quietly()), SERVED);
    }
}

#[test]
fn another_tls_server_name_is_denied_and_the_hosts_own_is_fine() {
    let sandbox = Sandbox::with_cluster();
    let render = |server: &str, name: &str| {
        let lines = format!("server: {server}\ntls-server-name: {name}");
        sandbox.render_kubeconfig(kubeconfig(&lines))
    };
    let teleport = render(
        "https://teleport.example.com:3026",
        "kube-teleport.example.com",
    );
    let parts = [
        "error[tls-server-name]: ",
        "`kube-teleport.example.com`",
        "`teleport.example.com`",
        "the connection would fail",
    ];
    refused(&teleport, &parts);
    refused(
        &render("https://203.0.113.7:6443", "kubernetes"),
        &parts[..1],
    );
    each(
        [
            (
                "the same",
                ("https://api.example.com:6443", "api.example.com"),
            ),
            (
                "in another case",
                ("https://API.example.com:6443", "Api.Example.com"),
            ),
            ("an address", ("https://203.0.113.7:6443", "203.0.113.7")),
            ("empty", ("https://api.example.com:6443", "\"\"")),
        ],
        |(url, name)| {
            let run = render(url, name);
            assert_eq!(server(run.succeeds_quietly()), url.to_ascii_lowercase());
        },
    );
}

#[test]
fn gkes_dns_endpoint_has_no_private_authority() {
    let sandbox = Sandbox::with_cluster();
    let url = "https://gke-0123-456.europe-west4.gke.goog";
    let run = render_server(&sandbox, url);
    assert_eq!(server(run.succeeds()), format!("{url}:443"));
    assert!(
        run.stderr.starts_with("warning[gke-dns-endpoint]: "),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("`certificateAuthority: system`"),
        "{}",
        run.stderr
    );

    let system = values("token: none\nkubeconfig: {certificateAuthority: system}\n");
    sandbox.write("c0.yaml", system);
    let run = sandbox.render_kubeconfig(kubeconfig_of(&format!("server: {url}")));
    assert_eq!(server(run.succeeds_quietly()), format!("{url}:443"));
}

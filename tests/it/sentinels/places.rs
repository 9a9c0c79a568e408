//! Places of a kubeconfig that hold a secret, rightly or not, and what goes wrong beside one.

use crate::support::{base64, ca_line};

use super::tokens::jwt;

/// The places of a kubeconfig.
pub const EVERYWHERE: &[&str] = &[
    "SENTINEL-user-token",
    "SENTINEL-token-file",
    "SENTINEL-password",
    "SENTINEL-client-certificate",
    "SENTINEL-client-key",
    "SENTINEL-user-extra",
    "SENTINEL-access-token",
    "SENTINEL-id-token",
    "SENTINEL-refresh-token",
    "SENTINEL-client-secret",
    "SENTINEL-exec-arg",
    "SENTINEL-exec-env",
    "SENTINEL-proxy-password",
    "SENTINEL-extension",
    "SENTINEL-other-server",
];

/// A kubeconfig with a secret in every place, one a line.
pub fn everywhere() -> String {
    let pem = |what: &str, text: &str| {
        base64(format!(
            "-----BEGIN {what}-----\nMIIE{text}\n-----END {what}-----\n"
        ))
    };
    format!(
        "apiVersion: v1
kind: Config
current-context: ctx
users:
- name: u
  user:
    token: SENTINEL-user-token
    tokenFile: /run/SENTINEL-token-file
    username: admin
    password: SENTINEL-password
    client-certificate-data: {}
    client-key-data: {}
    as-user-extra:
      reason: [SENTINEL-user-extra]
    auth-provider:
      name: oidc
      config:
        access-token: SENTINEL-access-token
        id-token: SENTINEL-id-token
        refresh-token: SENTINEL-refresh-token
        client-secret: SENTINEL-client-secret
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: aws
      args:
      - --secret
      - SENTINEL-exec-arg
      env:
      - name: AWS_SECRET_ACCESS_KEY
        value: SENTINEL-exec-env
clusters:
- name: k
  cluster:
    server: https://203.0.113.7:6443
    {}
    proxy-url: http://proxy-user:SENTINEL-proxy-password@proxy.example.com:3128
    extensions:
    - name: vendor
      extension:
        secret: SENTINEL-extension
- name: other
  cluster:
    server: https://admin:SENTINEL-other-server@other.example.com
contexts:
- name: ctx
  context:
    cluster: k
    user: u
",
        pem("CERTIFICATE", "SENTINEL-client-certificate"),
        pem("RSA PRIVATE KEY", "SENTINEL-client-key"),
        ca_line(),
    )
}

/// The text with one line broken, for each line that holds a sentinel and each way to break one.
pub fn damaged(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut damaged = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if super::planted(line) == 0 {
            continue;
        }
        for broken in broken(line) {
            let mut lines = lines.clone();
            lines[number] = &broken;
            damaged.push((
                format!("line {}: {broken:?}", number + 1),
                lines.join("\n") + "\n",
            ));
        }
    }
    assert!(!damaged.is_empty());
    damaged
}

/// The ways to break a line `key: value` or `- value`.
fn broken(line: &str) -> Vec<String> {
    let (before, value) = line.rsplit_once(' ').unwrap();
    let indent = &line[..line.len() - line.trim_start().len()];
    let rest = line.trim_start();
    let mut broken: Vec<String> = [
        "\"",
        "'",
        "[",
        "{",
        "*",
        "&",
        "! ",
        "!",
        "!!int ",
        "!!float ",
        "!!binary ",
        "!!null ",
        "%",
        "@",
        "`",
        "|",
        ">",
        "| ",
        "- ",
        "? ",
        ": ",
        "\t",
        "x: ",
        "<<: ",
        "#",
        "\u{1}",
        "\u{85}",
        "--- ",
        "\"\\q",
        "\"\\u12",
        "\"\\ud83d",
        "[[",
        "{a: [",
        "[1, ",
        "&a *a ",
    ]
    .map(|opening| format!("{before} {opening}{value}"))
    .into();
    broken.extend(
        [
            ": :", ": x", "\"", " x: y", "\u{0}", "]", "}", "\n---\n", "\n...\n", "\n\t", "\n%",
            " #:\n@",
        ]
        .map(|ending| format!("{line}{ending}")),
    );
    broken.extend([
        format!("{line}\n{line}"),
        format!("{line}\n{indent}  deeper: x"),
        format!("\t{line}"),
        format!(" {line}"),
        rest.to_owned(),
        format!("{indent}{value}"),
        format!("{indent}<<: {value}"),
        format!("{indent}? {rest}"),
        format!("{indent}- {rest}"),
        format!("{before} [{value}]"),
        format!("{before} {{a: {value}}}"),
        format!("{before} !a {value}"),
        format!("{before} {value}\n{indent}{value}"),
    ]);
    broken
}

/// Servers with a secret in them.
pub fn servers() -> Vec<String> {
    let mut servers: Vec<String> = [
        "https://admin:SENTINEL@h.example:6443",
        "https://SENTINEL@h.example",
        "https://admin:SENTINEL",
        "https://admin:12/SENTINEL@h.example",
        "admin:SENTINEL@h.example",
        "SENTINEL@h.example",
        "SENTINEL",
        "http://admin:SENTINEL@h.example",
        "ftp://admin:SENTINEL@h.example",
        "https://h.example/?t=SENTINEL",
        "https://h.example/#SENTINEL",
        "https://h.example/#/a?SENTINEL@x",
        "https://admin:SENTINEL@h.example/k8s/clusters/c",
        "https://admin:SENTINEL @h.example",
        "https://admin:SENTINEL\n@h.example",
        "https://admin:SENTINEL\\@h.example",
        "https://<admin>:SENTINEL@h.example",
        "https://[admin:SENTINEL@h.example",
        "https://admin:SENTINEL@[::1",
        "https://admin:SENTINEL@h.example:99999",
        "https://admin:SENTINEL%zz@h.example",
        "https:admin:SENTINEL@h",
        "//admin:SENTINEL@h.example",
        "https://h.example:SENTINEL",
        "https://h.example:73901846520",
    ]
    .map(str::to_owned)
    .into();
    servers.push(jwt());
    servers.push(format!("https://{}@h.example", jwt()));
    servers.push(format!("https://h.example/{}", jwt()));
    servers
}

/// Proxies with a secret in them.
pub fn proxies() -> [&'static str; 12] {
    [
        "http://u:SENTINEL@proxy:3128",
        "http://SENTINEL@proxy",
        "u:SENTINEL@proxy:3128",
        "SENTINEL",
        "http://u:SENTINEL",
        "http://u:a/SENTINEL@proxy",
        "http://u:a?SENTINEL@proxy",
        "http://u:a#SENTINEL@proxy",
        "http://u:SENTINEL@[::1",
        "http://proxy/?p=SENTINEL",
        "socks5://u:SENTINEL@proxy",
        "http://u:\u{1b}SENTINEL@proxy",
    ]
}

/// What a private key looks like where a certificate authority is expected.
pub fn keys(certificate: &str) -> Vec<String> {
    let pem = |what: &str, inside: &str| {
        format!("-----BEGIN {what}-----\n{inside}\n-----END {what}-----\n")
    };
    // Base64 as it stands, with the sentinel in it, so that one encoding more can be searched for.
    let encoded = "MIIESENTINEL0privateKey0".repeat(2);
    vec![
        pem("PRIVATE KEY", &encoded),
        pem("RSA PRIVATE KEY", &encoded),
        pem(
            "EC PRIVATE KEY",
            &format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: SENTINEL\n\n{encoded}"),
        ),
        pem("ENCRYPTED PRIVATE KEY", &encoded),
        pem("OPENSSH PRIVATE KEY", &encoded),
        pem("CERTIFICATE", &encoded),
        pem("CERTIFICATE", "SENTINEL?!"),
        pem("SENTINEL", &encoded),
        format!("{certificate}{}", pem("PRIVATE KEY", &encoded)),
        format!("{}{certificate}", pem("PRIVATE KEY", &encoded)),
        format!("SENTINEL in front\n{certificate}"),
        format!("{certificate}SENTINEL behind\n"),
        format!("-----BEGIN PRIVATE KEY-----\n{encoded}\n"),
        format!("{encoded}\n"),
        "SENTINEL".to_owned(),
        jwt(),
    ]
}

//! What tests about the kubeconfig have in common: tables of rows, looks into the stream, and
//! kubeconfigs with a server or a certificate authority.

use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_yaml::Value;

use crate::objects::object;
use crate::support::{
    Run, Sandbox, base64, ca_data_line, ca_line, fixture_text, kubeconfig, kubeconfig_of,
};

/// Checks every row of a table, and fails with the names of those that failed, and why.
#[track_caller]
pub fn each<'a, T>(rows: impl IntoIterator<Item = (&'a str, T)>, check: impl Fn(T)) {
    let mut failures = Vec::new();
    for (name, row) in rows {
        if let Err(cause) = catch_unwind(AssertUnwindSafe(|| check(row))) {
            let cause = match cause.downcast::<String>() {
                Ok(text) => *text,
                Err(cause) => (*cause.downcast::<&str>().unwrap()).to_owned(),
            };
            failures.push(format!("row {name:?}: {cause}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// The run failed with messages that hold all of these and nothing secret.
#[track_caller]
pub fn refused(run: &Run, parts: &[&str]) {
    run.fails_with(parts);
    hides_secrets(run);
}

/// The messages hold no sentinel, nor the base64 of one.
#[track_caller]
pub fn hides_secrets(run: &Run) {
    for secret in ["SENTINEL", "U0VOVElORUw"] {
        assert!(!run.stderr.contains(secret), "a secret in:\n{}", run.stderr);
    }
}

/// Host and port of the Cluster `c0`.
#[track_caller]
pub fn host_and_port(stream: &str) -> (String, String) {
    let rest = &object(stream, "Cluster", "c0")["spec"]["kubernetes"]["rest"];
    let text = |key: &str| match &rest[key] {
        Value::String(text) => text.clone(),
        other => panic!("{key} is {other:?}"),
    };
    (text("host"), text("port"))
}

/// Host and port of the Cluster `c0` as one text, for comparison.
#[track_caller]
pub fn server(stream: &str) -> String {
    let (host, port) = host_and_port(stream);
    format!("{host}:{port}")
}

/// The certificate authority that the control plane gets for `c0`.
#[track_caller]
pub fn authority(stream: &str) -> String {
    let secret = object(stream, "Secret", "cluster-c0-ca-data");
    let data = secret["data"]["cadata"].as_str().unwrap();
    String::from_utf8(STANDARD.decode(data).unwrap()).unwrap()
}

/// The line of a kubeconfig's cluster that gives an ordinary server.
pub const SERVER: &str = "server: https://203.0.113.7:6443";

/// What [`server`] gives for [`SERVER`].
pub const SERVED: &str = "https://203.0.113.7:6443";

/// A kubeconfig that has nothing odd about it.
pub fn good_kubeconfig() -> String {
    kubeconfig(SERVER)
}

/// A kubeconfig whose cluster has an ordinary server and these lines about its authority.
pub fn kubeconfig_with_authority(lines: &str) -> String {
    kubeconfig_of(&format!("{SERVER}\n{lines}"))
}

/// A kubeconfig with the contexts `blue` and `green`, each with a cluster of its own, and this
/// line about the current one.
pub fn two_contexts(current: &str) -> String {
    let ca = ca_line();
    format!(
        "apiVersion: v1
kind: Config
{current}
contexts:
  - {{name: green, context: {{cluster: k-green, user: u}}}}
  - {{name: blue, context: {{cluster: k-blue, user: u}}}}
clusters:
  - name: k-blue
    cluster:
      server: https://blue.example.com:6443
      {ca}
  - name: k-green
    cluster:
      server: https://green.example.com:6443
      {ca}
"
    )
}

/// A good kubeconfig with this user in place of its own.
pub fn with_user(user: &str) -> String {
    let text = good_kubeconfig();
    let (before, after) = text.split_once("users:").unwrap();
    let (_, clusters) = after.split_once("clusters:").unwrap();
    format!("{before}users:\n{user}clusters:{clusters}")
}

/// Renders a kubeconfig whose cluster has this server, as text in YAML's double quotes.
pub fn render_server(sandbox: &Sandbox, url: &str) -> Run {
    sandbox.render_kubeconfig(kubeconfig(&format!(
        "server: {}",
        serde_json::to_string(url).unwrap()
    )))
}

/// Each row by its URL.
pub fn by_url<'a, T: Copy>(
    rows: &'a [(&'a str, T)],
) -> impl Iterator<Item = (&'a str, (&'a str, T))> {
    rows.iter().map(|(url, row)| (*url, (*url, *row)))
}

/// Text of a certificate in `fixtures/certificates/`, by its name alone.
pub fn certificate(name: &str) -> String {
    fixture_text(&format!("certificates/{name}.crt"))
}

/// Renders with these bytes as `certificate-authority-data`, in base64.
pub fn render_data(sandbox: &Sandbox, pem: impl AsRef<[u8]>) -> Run {
    sandbox.render_kubeconfig(kubeconfig_with_authority(&ca_data_line(pem)))
}

/// Renders with this text as `certificate-authority-data`, line by line.
pub fn render_text(sandbox: &Sandbox, text: &str) -> Run {
    let lines: String = text.lines().map(|line| format!("\n  {line}")).collect();
    let field = format!("certificate-authority-data: |{lines}");
    sandbox.render_kubeconfig(kubeconfig_with_authority(&field))
}

/// Renders with these bytes in a file that `certificate-authority` names.
pub fn render_file(sandbox: &Sandbox, bytes: impl AsRef<[u8]>) -> Run {
    sandbox.write("ca.crt", bytes);
    sandbox.render_kubeconfig(kubeconfig_with_authority("certificate-authority: ca.crt"))
}

/// The bytes of a PEM file's only block.
pub fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

/// A block with this label, in lines as OpenSSL writes them.
pub fn block(label: &str, bytes: impl AsRef<[u8]>) -> String {
    let body = base64(bytes);
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(64)
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

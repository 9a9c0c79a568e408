//! How the text of a kubeconfig is read: encodings, YAML and JSON, and what isn't one.

use crate::check::{SERVED, SERVER, each, good_kubeconfig, refused, server, with_user};
use crate::support::{Sandbox, ca_line, kubeconfig};

/// A good kubeconfig as JSON, indented by tabs as Go does it.
fn json() -> String {
    let value: serde_json::Value = serde_yaml::from_str(&good_kubeconfig()).unwrap();
    let text = serde_json::to_string_pretty(&value).unwrap();
    text.lines()
        .map(|line| {
            let inner = line.trim_start();
            let depth = (line.len() - inner.len()) / 2;
            format!("{}{inner}\n", "\t".repeat(depth))
        })
        .collect()
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("\u{feff}{text}")
        .encode_utf16()
        .flat_map(unit)
        .collect()
}

#[test]
fn every_form_that_kubectl_reads_is_read() {
    let sandbox = Sandbox::with_cluster();
    let ca = ca_line();
    let good = good_kubeconfig();
    let compact: serde_json::Value = serde_yaml::from_str(&good).unwrap();
    let anchors = format!(
        "current-context: ctx
contexts: [{{name: ctx, context: {{cluster: &name k}}}}]
clusters:
  - name: *name
    cluster: &cluster
      server: https://203.0.113.7:6443
      {ca}
  - name: other
    cluster: *cluster
"
    );
    let merge_keys = format!(
        "current-context: ctx
contexts: [{{name: ctx, context: {{cluster: k}}}}]
clusters:
  - name: base
    cluster: &base
      server: https://198.51.100.1
      {ca}
  - name: k
    cluster:
      <<: *base
      {SERVER}
"
    );
    let merged_root = format!("<<: {{current-context: ctx}}\n{}", {
        good.replace("current-context: ctx\n", "")
    });
    each(
        [
            ("JSON with tabs", json().into_bytes()),
            ("JSON on one line", compact.to_string().into_bytes()),
            ("anchors", anchors.into_bytes()),
            ("merge keys", merge_keys.into_bytes()),
            ("a merge key at the top", merged_root.into_bytes()),
            ("a byte order mark", format!("\u{feff}{good}").into_bytes()),
            ("UTF-16, little end first", utf16(&good, u16::to_le_bytes)),
            ("UTF-16, big end first", utf16(&good, u16::to_be_bytes)),
            ("CRLF", good.replace('\n', "\r\n").into_bytes()),
            (
                "`!!binary` in a user",
                with_user(
                    "  - name: u\n    user: {client-key-data: !!binary U0VOVElORUwtMQ==}\n",
                )
                .into_bytes(),
            ),
            (
                "`!!binary` in another cluster",
                format!(
                    "{good}  - name: z\n    cluster: {{certificate-authority-data: !!binary eA==}}\n"
                )
                .into_bytes(),
            ),
            (
                "a tag of one's own in a user",
                with_user("  - name: u\n    user: {token: !vault SENTINEL-2}\n").into_bytes(),
            ),
        ],
        |bytes| {
            let run = sandbox.render_kubeconfig(bytes);
            assert_eq!(server(run.succeeds_quietly()), SERVED);
        },
    );
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let sandbox = Sandbox::with_cluster();
    let mut odd = utf16(&good_kubeconfig(), u16::to_le_bytes);
    odd.push(b'\n');
    let mut other = good_kubeconfig().into_bytes();
    other.extend(b"# SENTINEL \xff\n");
    each(
        [
            ("UTF-16 of odd length", (odd, "odd number of bytes")),
            ("Latin-1", (other, "not UTF-8")),
        ],
        |(bytes, part)| {
            let run = sandbox.render_kubeconfig(bytes);
            refused(&run, &["`kubeconfig`", part]);
        },
    );
}

#[test]
fn keys_that_stand_twice_are_refused() {
    let sandbox = Sandbox::with_cluster();
    let secret = "\"token\": \"SENTINEL-1\"";
    each(
        [
            (
                "at the top",
                (
                    format!("{}current-context: other\n", good_kubeconfig()),
                    "current-context",
                ),
            ),
            (
                "in the cluster",
                (
                    kubeconfig(&format!("{SERVER}\nserver: https://h")),
                    "server",
                ),
            ),
            (
                "in another cluster",
                (
                    format!("{}  - name: z\n    name: z\n", good_kubeconfig()),
                    "name",
                ),
            ),
            (
                "in a user",
                (
                    with_user("  - user:\n      token: SENTINEL-1\n      token: SENTINEL-2\n"),
                    "token",
                ),
            ),
            (
                "in a key that is not read",
                (
                    format!(
                        "{}preferences: {{colors: 1, colors: 2}}\n",
                        good_kubeconfig()
                    ),
                    "colors",
                ),
            ),
            (
                "in JSON, in the cluster",
                (
                    json().replace("\"server\"", "\"server\": \"x\", \"server\""),
                    "server",
                ),
            ),
            (
                "in JSON, in a user",
                (
                    json().replace("\"token\"", &format!("{secret}, \"token\"")),
                    "token",
                ),
            ),
        ],
        |(text, key)| {
            let run = sandbox.render_kubeconfig(text);
            let key = format!("the key `{key}` twice");
            refused(&run, &["`kubeconfig`", "line ", &key]);
        },
    );
}

#[test]
fn several_documents_are_refused_unless_only_one_has_something() {
    let sandbox = Sandbox::with_cluster();
    let good = good_kubeconfig();
    each(
        [
            ("the same twice", format!("{good}---\n{good}")),
            ("the first one other", format!("a: b\n---\n{good}")),
        ],
        |text| {
            refused(
                &sandbox.render_kubeconfig(text),
                &["several YAML documents"],
            )
        },
    );
    each(
        [
            ("a mark before it", format!("---\n{good}")),
            ("an empty one before it", format!("---\n---\n{good}")),
            ("an empty one after it", format!("{good}---\n")),
            ("a comment after it", format!("{good}---\n# the end\n")),
            ("an end mark after it", format!("{good}...\n")),
            ("a null after it", format!("{good}---\nnull\n")),
        ],
        |text| {
            let run = sandbox.render_kubeconfig(text);
            assert_eq!(server(run.succeeds_quietly()), SERVED);
        },
    );
}

#[test]
fn files_of_another_kind_are_refused() {
    let sandbox = Sandbox::with_cluster();
    let good = good_kubeconfig();
    each(
        [
            (
                "kind",
                (
                    good.replace("kind: Config", "kind: Secret"),
                    ["kind", "`Secret`", "`Config`"],
                ),
            ),
            (
                "apiVersion",
                (
                    good.replace("apiVersion: v1", "apiVersion: kubeadm.k8s.io/v1beta4"),
                    ["apiVersion", "`kubeadm.k8s.io/v1beta4`", "`v1`"],
                ),
            ),
            (
                "kind is a list",
                (
                    good.replace("kind: Config", "kind: [Config]"),
                    ["kind", "not a string", "no kubeconfig"],
                ),
            ),
            (
                "a list",
                (
                    "- SENTINEL\n".to_owned(),
                    ["`kubeconfig`", "not a mapping", "no kubeconfig"],
                ),
            ),
            (
                "a mapping with a tag",
                (
                    "!SENTINEL {clusters: []}\n".to_owned(),
                    ["`kubeconfig`", "not a mapping", "no kubeconfig"],
                ),
            ),
            (
                "a text",
                (
                    "SENTINEL\n".to_owned(),
                    ["`kubeconfig`", "not a mapping", "no kubeconfig"],
                ),
            ),
            (
                "contexts are no list",
                (
                    "contexts: {name: ctx}\n".to_owned(),
                    ["`kubeconfig`", "`contexts`", "not a list"],
                ),
            ),
        ],
        |(text, parts)| refused(&sandbox.render_kubeconfig(text), &parts),
    );
    let neither = good
        .replace("kind: Config\n", "")
        .replace("apiVersion: v1\n", "");
    let run = sandbox.render_kubeconfig(neither);
    assert_eq!(server(run.succeeds_quietly()), SERVED);
}

#[test]
fn a_syntax_error_is_told_by_its_place_alone() {
    let sandbox = Sandbox::with_cluster();
    let whole = json();
    let (before_token, _) = whole.split_once("-user-token").unwrap();
    each(
        [
            (
                "an open quote",
                with_user("  - user: {token: \"SENTINEL-1}\n"),
            ),
            (
                "text after a quote",
                with_user("  - user: {token: 'SENTINEL'-1}\n"),
            ),
            ("a tab", with_user("  - user:\n\ttoken: SENTINEL-1\n")),
            (
                "a colon too many",
                with_user("  - user:\n      token: a: SENTINEL-1\n"),
            ),
            (
                "wrong indentation",
                with_user("  - user:\n     token: SENTINEL-1\n   x: y\n"),
            ),
            (
                "an unknown alias",
                with_user("  - user: {token: *SENTINEL-1}\n"),
            ),
            (
                "an unknown escape",
                with_user("  - user: {token: \"SENTINEL\\q\"}\n"),
            ),
            (
                "a control character",
                with_user("  - user: {token: SENTINEL\u{1}}\n"),
            ),
            ("JSON that is cut off", before_token.to_owned()),
        ],
        |text| {
            let run = sandbox.render_kubeconfig(text);
            refused(&run, &["`kubeconfig`", "line ", ", column "]);
        },
    );
}

#[test]
fn what_is_too_large_is_refused() {
    const LIMIT: usize = 8 << 20;
    let sandbox = Sandbox::with_cluster();
    let padded = |length: usize| {
        let mut text = good_kubeconfig();
        while text.len() < length {
            let room = (length - text.len()).min(1000);
            text += &format!("{:#<width$}\n", "", width = room - 1);
        }
        text
    };
    let run = sandbox.render_kubeconfig(padded(LIMIT));
    assert_eq!(server(run.succeeds_quietly()), SERVED);
    let over = padded(LIMIT + 1);
    refused(
        &sandbox.render_kubeconfig(&over),
        &["`kubeconfig`", "more than 8 MiB"],
    );
    let arguments = [
        "render",
        "-f",
        "c0.yaml",
        "--side",
        "both",
        "--kubeconfig",
        "-",
    ];
    let run = sandbox.run_with_input(arguments, &over);
    refused(&run, &["standard input", "more than 8 MiB"]);
}

#[test]
fn aliases_that_grow_without_end_are_refused() {
    let sandbox = Sandbox::with_cluster();
    let levels: String = (1..=12)
        .map(|level| {
            let below = format!("*a{}, ", level - 1).repeat(10);
            format!("  a{level}: &a{level} [{below}]\n")
        })
        .collect();
    let bomb = format!("  a0: &a0 [SENTINEL]\n{levels}");
    each(
        [
            (
                "in a key that is not read",
                format!("x:\n{bomb}{}", good_kubeconfig()),
            ),
            (
                "in a user",
                with_user(&format!("  - user:\n{}", indented(&bomb))),
            ),
            (
                "in a cluster",
                format!(
                    "{}  - name: z\n    cluster:\n{}",
                    good_kubeconfig(),
                    indented(&bomb)
                ),
            ),
        ],
        |text| {
            let run = sandbox.render_kubeconfig(text);
            refused(&run, &["`kubeconfig`", "nested or repeated too deeply"]);
        },
    );
    let nested = format!(
        "x: {}{}\n{}",
        "[".repeat(5000),
        "]".repeat(5000),
        good_kubeconfig()
    );
    let run = sandbox.render_kubeconfig(nested);
    refused(&run, &["`kubeconfig`", "nested or repeated too deeply"]);
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("      {line}\n")).collect()
}

#[test]
fn long_names_that_are_repeated_are_refused() {
    let sandbox = Sandbox::with_cluster();
    let users = format!(
        "users:\n  - name: &a {}\n{}",
        "x".repeat(1_000_000),
        "  - name: *a\n".repeat(1000)
    );
    let text = good_kubeconfig().replace("users:\n", &users);
    refused(
        &sandbox.render_kubeconfig(text),
        &["nested or repeated too deeply"],
    );
}

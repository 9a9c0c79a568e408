//! The values file as a text: encodings, YAML's odder parts, and what is no values file at all.

use super::{refused, render};
use crate::support::{Sandbox, values};

fn good() -> String {
    values("token: none\nannotations: {note: zürich}\n")
}

#[test]
fn every_common_encoding_is_read() {
    let expected = render(&good());
    expected.succeeds_quietly();
    let sandbox = Sandbox::with_cluster();
    let marked = format!("\u{feff}{}", good());
    let utf16 =
        |unit: fn(u16) -> [u8; 2]| -> Vec<u8> { marked.encode_utf16().flat_map(unit).collect() };
    for (case, bytes) in [
        ("CRLF", good().replace('\n', "\r\n").into_bytes()),
        ("a byte order mark", marked.clone().into_bytes()),
        ("a byte order mark and CRLF", marked.replace('\n', "\r\n").into_bytes()),
        ("UTF-16, little endian", utf16(u16::to_le_bytes)),
        ("UTF-16, big endian", utf16(u16::to_be_bytes)),
        ("no newline at the end", good().trim_end().as_bytes().to_vec()),
        ("document marks", format!("---\n{}...\n", good()).into_bytes()),
        ("JSON", br#"{"name": "c0", "storage": {"credentials": "workloadIdentity"}, "token": "none", "annotations": {"note": "z\u00fcrich"}}"#.to_vec()),
    ] {
        sandbox.write("c0.yaml", bytes);
        assert_eq!(sandbox.render(&[]), expected, "{case}");
    }
}

#[test]
fn other_encodings_are_refused() {
    for (bytes, part) in [
        (&b"name: z\xfcrich\n"[..], "not UTF-8"),
        (b"\xff\xfen\0a\0m", "UTF-16"),
        (b"\xff\xfe\x00\xd8", "UTF-16"),
        (b"\x1f\x8b\x08\x00", "not UTF-8"),
    ] {
        let sandbox = Sandbox::with_cluster();
        sandbox.write("c0.yaml", bytes);
        sandbox.render(&[]).fails_with(&["`c0.yaml`", part]);
    }
}

#[test]
fn what_is_no_single_mapping_is_refused() {
    for (text, parts) in [
        ("", &["it is empty", "`name` and `storage`"][..]),
        ("# nothing\n---\n", &["it is empty"]),
        ("null\n", &["it is empty"]),
        (
            "SENTINEL\n",
            &["line 1", "expected a mapping, found a string"],
        ),
        ("5\n", &["line 1", "expected a mapping, found a number"]),
        (
            "- SENTINEL\n",
            &["line 1", "expected a mapping, found a list"],
        ),
        ("a: &a {<<: 5}\n", &["merge key"]),
    ] {
        refused(text, parts);
    }
}

#[test]
fn a_syntax_error_has_a_line_and_a_column() {
    for (text, parts) in [
        (
            "name: c0\nstorage: [SENTINEL\n",
            &["line 3, column 1", "not valid YAML"][..],
        ),
        (
            "name: c0\n\tstorage: SENTINEL\n",
            &["line 2, column 1", "tab character"],
        ),
        (
            "name: c0\nstorage: a: SENTINEL\n",
            &["line 2, column 11", "mapping values are not allowed"],
        ),
        ("name: \"SENTINEL\n", &["not valid YAML", "line 2"]),
        (
            "name: c0\nstorage: *SENTINEL\n",
            &["line 2, column 10", "not valid YAML"],
        ),
        (
            "name: c0\nlabels: {a: \"\\qSENTINEL\"}\n",
            &["line 2", "not valid YAML"],
        ),
        ("name: a\u{1}b\n", &["not valid YAML", "control characters"]),
        ("name: @SENTINEL\n", &["line 1, column 7", "not valid YAML"]),
    ] {
        refused(text, parts);
    }
}

#[test]
fn anchors_and_merge_keys_work() {
    let text = values(
        "token: none
labels: &common {team: ml, tier: batch}
annotations:
  <<: *common
  tier: online
",
    );
    let plain = values(
        "token: none
labels: {team: ml, tier: batch}
annotations: {team: ml, tier: online}
",
    );
    let run = render(&text);
    run.succeeds_quietly();
    assert_eq!(run, render(&plain));
    let aliased = text.replace("  <<: *common\n", "  <<: [*common, {more: x}]\n");
    assert!(
        render(&aliased)
            .succeeds_quietly()
            .contains("\"more\": \"x\"")
    );
}

#[test]
fn a_mistake_behind_a_merge_key_is_still_named() {
    refused(
        &values("token: none\ncluster: {<<: {regoin: a}}\n"),
        &["`cluster.regoin`", "did you mean `region`?"],
    );
}

#[test]
fn tags_are_refused_unless_they_are_yamls_own() {
    for text in ["!secret SENTINEL", "!vault |\n  SENTINEL"] {
        refused(
            &values(&format!("token: {text}\n")),
            &["line 4", "`token`", "tag"],
        );
    }
    refused(
        &values("token: none\nlabels: {a: !x b}\n"),
        &["line 5", "`labels.a`", "tag"],
    );
    render("name: !!str c0\nstorage: {credentials: workloadIdentity}\ntoken: none\n")
        .succeeds_quietly();
}

#[test]
fn a_huge_file_is_refused() {
    let sandbox = Sandbox::with_cluster();
    let comment = format!("#{}\n", "x".repeat(1022));
    sandbox.write("c0.yaml", comment.repeat(8 * 1024) + &good());
    sandbox
        .render(&[])
        .fails_with(&["`c0.yaml`", "more than 8 MiB"]);
    sandbox.write("c0.yaml", comment.repeat(8 * 1024 - 1) + &good());
    sandbox.render(&[]).succeeds_quietly();
    let endless = sandbox.run(["render", "-f", "/dev/zero", "--side", "both"]);
    endless.fails_with(&["`/dev/zero`", "more than 8 MiB"]);
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{items}]\n");
    }
    refused(&text, &["nested or repeated too deeply"]);
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let text = format!("labels: {}{}\n", open.repeat(10_000), close.repeat(10_000));
        refused(&text, &["nested or repeated too deeply"]);
    }
    let blocks: String = (0..2_000)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    refused(&blocks, &["nested or repeated too deeply"]);
}

#[test]
fn a_kubeconfig_or_a_manifest_is_not_taken_for_values() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", sandbox.read("kubeconfig"));
    let run = sandbox.render(&[]);
    run.fails_with(&["`c0.yaml`", "line 1", "unknown key `apiVersion`"]);
    assert!(!run.stderr.contains("SENTINEL"), "{}", run.stderr);
}

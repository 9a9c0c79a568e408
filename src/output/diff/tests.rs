//! What a diff looks like.

use super::*;

mod masks;
mod properties;

/// The diff of two texts without a located secret.
fn diff(old: Option<&str>, new: Option<&str>) -> String {
    let old = old.map(|text| (text.as_bytes(), false));
    diff_of(old, new.map(|text| (text, &[][..])))
}

/// The diff of a file whose header says whether it holds secrets, and a text whose secrets are given
/// as they are written there.
fn diff_of(old: Option<(&[u8], bool)>, new: Option<(&str, &[&str])>) -> String {
    let secrets: Vec<_> = match new {
        Some((text, secrets)) => secrets
            .iter()
            .flat_map(|secret| text.match_indices(secret))
            .map(|(at, secret)| at..at + secret.len())
            .collect(),
        None => Vec::new(),
    };
    show(
        &FileDiff {
            path: Path::new("deploy/a.yaml"),
            old: old.map(|(bytes, holds_secrets)| Old {
                bytes,
                holds_secrets,
            }),
            new: new.map(|(text, _)| New {
                text,
                secrets: &secrets,
                holds_secrets: !secrets.is_empty(),
            }),
        },
        false,
    )
}

fn show(diff: &FileDiff<'_>, colour: bool) -> String {
    let mut out = Vec::new();
    write(&mut out, diff, colour).unwrap();
    String::from_utf8(out).unwrap()
}

const SECRET: &str = "apiVersion: v1
kind: Secret
metadata:
  name: \"c0-token\"
  labels:
    \"team\": \"ml\"
type: Opaque
data:
  token: \"aHVudGVyMg==\"
";

#[test]
fn changes_stand_between_three_lines_of_context() {
    let old: String = (0..20).map(|n| format!("k{n}: v\n")).collect();
    let old = format!("kind: A\n{old}");
    let new = old.replace("k3: v\n", "k3: w\n").replace("k19: v\n", "");
    assert_eq!(
        diff(Some(&old), Some(&new)),
        "--- deploy/a.yaml
+++ deploy/a.yaml
@@ -2,7 +2,7 @@
 k0: v
 k1: v
 k2: v
-k3: v
+k3: w
 k4: v
 k5: v
 k6: v
@@ -18,4 +18,3 @@
 k16: v
 k17: v
 k18: v
-k19: v
"
    );
}

#[test]
fn an_added_file_comes_from_nothing() {
    assert_eq!(
        diff(None, Some("kind: A\n")),
        "--- /dev/null\n+++ deploy/a.yaml\n@@ -0,0 +1 @@\n+kind: A\n"
    );
    assert_eq!(
        diff(Some("kind: A\nb: c\n"), None),
        "--- deploy/a.yaml\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-kind: A\n-b: c\n"
    );
}

#[test]
fn a_missing_newline_is_said() {
    assert_eq!(
        diff(Some("kind: A"), Some("kind: A\n")),
        "--- deploy/a.yaml\n+++ deploy/a.yaml\n@@ -1 +1 @@\n-kind: A\n\\ No newline at end of file\n+kind: A\n"
    );
}

#[test]
fn the_same_content_is_one_line() {
    assert_eq!(
        diff(Some(SECRET), Some(SECRET)),
        "# deploy/a.yaml: the same content, another mode\n"
    );
    assert_eq!(diff(None, None), "");
}

#[test]
fn colours_are_those_of_git() {
    let diff = FileDiff {
        path: Path::new("a b"),
        old: Some(Old {
            bytes: b"kind: A\nb: c\n",
            holds_secrets: false,
        }),
        new: Some(New {
            text: "kind: A\nb: d\n",
            secrets: &[],
            holds_secrets: false,
        }),
    };
    assert_eq!(
        show(&diff, true),
        "\x1b[1m--- a b\t\x1b[m\n\x1b[1m+++ a b\t\x1b[m\n\x1b[36m@@ -1,2 +1,2 @@\x1b[m\n kind: A\n\x1b[31m-b: c\x1b[m\n\x1b[32m+b: d\x1b[m\n"
    );
}

#[test]
fn nothing_acts_on_a_terminal() {
    let diff = FileDiff {
        path: Path::new("a\u{1b}[2J\nb"),
        old: Some(Old {
            bytes: b"kind: A\nb: \x1b[31mc\xff\r\nd:\te\n",
            holds_secrets: false,
        }),
        new: Some(New {
            text: "kind: A\nb: \u{202e}\u{fdd1}\n",
            secrets: &[],
            holds_secrets: false,
        }),
    };
    let shown = show(&diff, false);
    assert!(shown.starts_with("--- a\\u{1b}[2J\\u{a}b\n"), "{shown}");
    assert!(shown.contains("+b: \\u{202e}\u{fffd}\n"), "{shown}");
    assert!(!shown.contains(['\x1b', '\r', '\u{202e}']), "{shown}");
}

#[test]
fn files_that_are_too_large_to_compare_are_shown_whole() {
    let old: String = (0..30_000).map(|n| format!("- {n}\n")).collect();
    let shown = diff(Some(&old), Some("kind: A\n"));
    assert_eq!(shown.lines().count(), 3 + 30_000 + 1);
    assert!(!shown.contains('7'));
}

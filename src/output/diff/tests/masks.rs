//! What a diff doesn't show.

use super::*;

#[test]
fn a_changed_secret_is_seen_to_change() {
    let new = SECRET.replace("aHVudGVyMg==", "bmV3IHRva2Vu");
    let shown = diff_of(
        Some((SECRET.as_bytes(), true)),
        Some((&new, &["\"bmV3IHRva2Vu\""])),
    );
    assert_eq!(
        shown,
        "--- deploy/a.yaml
+++ deploy/a.yaml
@@ -6,4 +6,4 @@
     \"team\": \"ml\"
 type: Opaque
 data:
-  token: \"*** (before)\"
+  token: \"*** (after)\"
"
    );
}

#[test]
fn a_secret_that_stays_is_not_seen_to_change() {
    let new = SECRET.replace("\"ml\"", "\"ai\"");
    let shown = diff_of(
        Some((SECRET.as_bytes(), true)),
        Some((&new, &["\"aHVudGVyMg==\""])),
    );
    assert_eq!(
        shown,
        "--- deploy/a.yaml
+++ deploy/a.yaml
@@ -3,7 +3,7 @@
 metadata:
   name: \"c0-token\"
   labels:
-    \"team\": \"*** (before)\"
+    \"team\": \"ai\"
 type: Opaque
 data:
   token: \"***\"
"
        .replace("*** (before)", "***")
    );
}

#[test]
fn one_side_alone_is_masked_plainly() {
    let secrets = &["\"aHVudGVyMg==\""][..];
    let added = diff_of(None, Some((SECRET, secrets)));
    assert!(added.contains("+  name: \"c0-token\"\n"), "{added}");
    assert!(added.ends_with("+data:\n+  token: \"***\"\n"), "{added}");
    let removed = diff_of(Some((SECRET.as_bytes(), true)), None);
    assert!(removed.contains("-kind: Secret\n"), "{removed}");
    assert!(removed.contains("-    ***\n"), "{removed}");
    assert!(
        removed.ends_with("-data:\n-  token: \"***\"\n"),
        "{removed}"
    );
}

#[test]
fn a_new_secret_object_shows_no_data_however_it_is_written() {
    for data in [
        "data:\n  a: hunter2\n",
        "data:\n  a:\n    hunter2\n",
        "data:\n  a: |\n    type: Opaque\n    hunter2: b\n",
        "\"data\": {a: hunter2}\n",
        "data: {\na: hunter2\n}\n",
        "\"dat\\x61\":\n  a: hunter2\n",
        "'data':\n  a: hunter2\n",
        "data:\n- hunter2\n",
        "data:\n  # hunter2\n  a: b\n",
        "data:\n  a: b # hunter2\n",
        "stringData:\n  a: \"x\n  hunter2: y\n  \"\ntype: Opaque\n",
        "metadata:\n  annotations:\n    a: |\n      b\ndata:\n  a: hunter2\n",
        "other: hunter2\n",
        "---\ndata: hunter2\nkind: Secret\n",
        "type: !!str\n  hunter2\n",
    ] {
        let new = format!("apiVersion: v1\nkind: Secret\n{data}");
        let shown = diff(Some(SECRET), Some(&new));
        assert!(!shown.contains("hunter2"), "{new}{shown}");
        let shown = diff(None, Some(&new));
        assert!(shown.contains("kind: Secret"), "{new}{shown}");
        assert!(!shown.contains("hunter2"), "{new}{shown}");
    }
    let indented = "  kind: Secret\n  data:\n    - hunter2\n";
    assert!(!diff(None, Some(indented)).contains("hunter2"));
}

#[test]
fn a_new_storage_key_is_masked_wherever_it_stands() {
    for data in [
        "AWS_SECRET_ACCESS_KEY: \"hunter2\"\n",
        "AWS_SECRET_ACCESS_KEY: hunter2\n",
        "AWS_SECRET_ACCESS_KEY:\n  \"hunter2\"\n",
        "AWS_SECRET_ACCESS_KEY: a\n  - hunter2\n",
        "AWS_SECRET_ACCESS_KEY: |\n  hunter2\n",
        "env: {AWS_SECRET_ACCESS_KEY: hunter2}\n",
        "env:\n  - name: AWS_SECRET_ACCESS_KEY\n    value: hunter2\n",
        "env:\n  - value: hunter2\n    name: AWS_SECRET_ACCESS_KEY\n",
        "script: |\n  export AWS_SECRET_ACCESS_KEY=hunter2\n",
        "# AWS_SECRET_ACCESS_KEY: hunter2\n",
        "pem: |\n  -----BEGIN PRIVATE KEY-----\n  hunter2\n",
    ] {
        let new = format!("kind: ConfigMap\npublic: yes\n{data}");
        let shown = diff(None, Some(&new));
        assert!(shown.contains("+public: yes\n"), "{new}{shown}");
        assert!(!shown.contains("hunter2"), "{new}{shown}");
    }
    let hidden = "kind: ConfigMap\n\"AWS\\x5fSECRET_ACCESS_KEY\": hunter2\n";
    assert!(!diff(None, Some(hidden)).contains("hunter2"));
}

#[test]
fn what_a_template_prints_as_secret_is_masked_where_it_stands() {
    let new = "kind: A\nx: \"hunter2\"\n\"hunter2\": [\"b\", \"hunter2\"]\nc: d\n";
    assert_eq!(
        diff_of(None, Some((new, &["\"hunter2\""]))),
        "--- /dev/null
+++ deploy/a.yaml
@@ -0,0 +1,4 @@
+kind: A
+x: \"***\"
+\"***\": [\"b\", \"***\"]
+c: d
"
    );
}

#[test]
fn what_is_located_wrongly_hides_all() {
    let text = "kind: \"hunter2\"\nb: \"hünter2\"\n";
    // Over a line's end, over the text's end, over each other, within a character, nowhere.
    for secrets in [
        vec![(9, 20)],
        vec![(0, 99)],
        vec![(3, 6), (4, 7)],
        vec![(18, 21)],
        vec![],
    ] {
        let secrets: Vec<_> = secrets.into_iter().map(|(from, to)| from..to).collect();
        let diff = FileDiff {
            path: Path::new("a"),
            old: None,
            new: Some(New {
                text,
                secrets: &secrets,
                holds_secrets: true,
            }),
        };
        let shown = show(&diff, false);
        assert!(!shown.contains("nter2"), "{shown}");
    }
}

#[test]
fn an_old_file_that_may_hold_secrets_shows_what_the_new_one_does() {
    let new = "kind: ConfigMap\ndata:\n  \"A\": \"b\"\n  \"B\": \"c\"\n";
    for old in [
        "kind: ConfigMap\ndata:\n  \"A\": \"b\"\n  \"B\": \"hunter2\"\n",
        "kind: ConfigMap\ndata:\n  \"A\": \"b\"\n  \"hunter2\": \"c\"\n",
        "kind: ConfigMap\ndata:\n  B: |\n    A: hunter2\n    hunter2: A\n  \"A\": \"b\"\n",
        "kind: ConfigMap # hunter2\ndata: {hunter2}\n\thunter2\n- hunter2\n  \"A\": \"b\"\n",
        "kind: [\n# hunter2\n  hunter2\n  \"A\": \"b\"\n",
    ] {
        let shown = diff_of(Some((old.as_bytes(), true)), Some((new, &[])));
        assert!(shown.contains(" \"A\": \"b\"\n"), "{old}{shown}");
        assert!(!shown.contains("hunter2"), "{old}{shown}");
        // Without the mark it is the name of a key that tells.
        let old = format!("{old}  AWS_ACCESS_KEY_ID: x\n");
        let shown = diff(Some(&old), Some(new));
        assert!(!shown.contains("hunter2"), "{old}{shown}");
    }
}

#[test]
fn other_values_of_an_old_file_with_secrets_are_masked_too() {
    let text = |endpoint: &str, more: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\ndata:\n  \"AWS_ENDPOINT_URL\": \"{endpoint}\"\n  \"AWS_ACCESS_KEY_ID\": \"minio\"\n{more}"
        )
    };
    let old = text("http://a:9000", "  \"OF_OLD\": \"x\"\n");
    let new = text("http://b:9000", "  \"OF_NEW\": \"x\"\n");
    assert_eq!(
        diff_of(Some((old.as_bytes(), true)), Some((&new, &["\"minio\""]))),
        "--- deploy/a.yaml
+++ deploy/a.yaml
@@ -1,6 +1,6 @@
 apiVersion: v1
 kind: ConfigMap
 data:
-  \"AWS_ENDPOINT_URL\": \"***\"
+  \"AWS_ENDPOINT_URL\": \"http://b:9000\"
   \"AWS_ACCESS_KEY_ID\": \"***\"
-  ***
+  \"OF_NEW\": \"x\"
"
    );
}

#[test]
fn an_old_file_without_secrets_is_shown_without_its_comments() {
    let old = "# hunter2\nkind: A\nb: \"#1\" # hunter2\nc: \"#1\"\nd: x\n";
    assert_eq!(
        diff(Some(old), Some("kind: A\n")),
        "--- deploy/a.yaml
+++ deploy/a.yaml
@@ -1,5 +1 @@
-# ***
 kind: A
-b: \"# ***
-c: \"#1\"
-d: x
"
    );
}

#[test]
fn a_secret_is_recognised_where_it_is_repeated() {
    let new = "kind: A\na: \"correct horse\"\nb: \"correct horse\"\n";
    let first = 11..26;
    for line in [
        "correct horse",
        "x correct horse",
        "Y29ycmVjdCBob3JzZQ==",
        "eHh4Y29ycmVjdCBob3JzZQo=",
        "eHhjb3JyZWN0IGhvcnNlCg==",
        "eGNvcnJlY3QgaG9yc2UK",
    ] {
        let old = format!("kind: A\nc: {line}\n");
        let diff = FileDiff {
            path: Path::new("a"),
            old: Some(Old {
                bytes: old.as_bytes(),
                holds_secrets: false,
            }),
            new: Some(New {
                text: new,
                secrets: std::slice::from_ref(&first),
                holds_secrets: true,
            }),
        };
        let shown = show(&diff, false);
        assert!(shown.contains("-***\n"), "{shown}");
        assert!(shown.contains("+b: \"***\"\n"), "{shown}");
        assert!(!shown.contains("horse"), "{shown}");
    }
}

//! Any text in any value comes back from the rendered stream as it went in, or is refused.

use proptest::prelude::*;
use serde_json::Value;

use crate::objects::json_documents;
use crate::support::texts::{LONG, NASTY, any_text, escaped, is_bearable, mapping, numbered};
use crate::support::{Run, Sandbox, base64, ca_line, kubeconfig_of, run};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let cluster = format!("server: https://203.0.113.7:6443\n{}", ca_line());
    sandbox.write("kubeconfig", kubeconfig_of(&cluster));
    sandbox
}

fn render(sandbox: &Sandbox, values: &str) -> Run {
    sandbox.write("c0.yaml", values);
    sandbox.render(&[])
}

/// A values file whose storage and rest are these lines.
fn values(storage: &str, rest: &str) -> String {
    format!("name: c0\ntoken: none\nstorage: {storage}\n{rest}")
}

const NO_KEYS: &str = "{credentials: workloadIdentity}";

/// The objects of a run; nothing where it was refused, and then nothing may have been written.
#[track_caller]
fn rendered(run: &Run) -> Option<Vec<Value>> {
    if run.code == 0 {
        return Some(json_documents(&run.stdout));
    }
    run.fails();
    None
}

/// The objects of a run that has to succeed.
#[track_caller]
fn accepted(run: &Run) -> Vec<Value> {
    rendered(run).unwrap_or_else(|| panic!("{}", run.stderr))
}

/// Every object of a kind has the text where the pointer leads.
#[track_caller]
fn assert_text(objects: &[Value], kind: &str, pointer: &str, text: &str) {
    let of_kind: Vec<&Value> = objects
        .iter()
        .filter(|object| object["kind"] == kind)
        .collect();
    assert!(!of_kind.is_empty(), "no {kind} is rendered");
    for object in of_kind {
        let found = object.pointer(pointer).and_then(Value::as_str);
        assert_eq!(found, Some(text), "{kind} {pointer}");
    }
}

/// Places that take any text at all: the line of a values file, and where the text comes out.
const FREE_PLACES: [(&str, &str, &str); 6] = [
    ("cluster: {region: TEXT}", "Cluster", "/spec/region"),
    ("cluster: {zone: TEXT}", "Cluster", "/spec/zone"),
    (
        "cluster: {skus: [{memoryGb: TEXT}]}",
        "Cluster",
        "/spec/kubernetes/skus/0/memoryGb",
    ),
    (
        "cluster: {skus: [{diskSizeGb: TEXT}]}",
        "Cluster",
        "/spec/kubernetes/skus/0/diskSizeGb",
    ),
    (
        "cluster: {skus: [{gpuSku: TEXT}]}",
        "Cluster",
        "/spec/kubernetes/skus/0/gpuSku",
    ),
    (
        "annotations: {a: TEXT}",
        "ServiceAccount",
        "/metadata/annotations/a",
    ),
];

fn in_place(place: &str, text: &str) -> String {
    values(NO_KEYS, &place.replace("TEXT", &escaped(text)))
}

#[test]
fn every_nasty_text_comes_back_from_every_free_place() {
    let sandbox = sandbox();
    for text in NASTY {
        let text = text.replace("{{ name }}", "{{ n }}");
        let all = "cluster: {region: TEXT, zone: TEXT, skus: [{memoryGb: TEXT, diskSizeGb: TEXT, gpuSku: TEXT}]}\nannotations: {a: TEXT}";
        let objects = accepted(&render(&sandbox, &in_place(all, &text)));
        for (_, kind, pointer) in FREE_PLACES {
            assert_text(&objects, kind, pointer, &text);
        }
    }
    // Nobody's region is called so, and an annotation may be.
    render(&sandbox, &in_place("cluster: {region: TEXT}", "{{ name }}"))
        .fails_with(&["placeholder"]);
    let objects = accepted(&render(
        &sandbox,
        &in_place("annotations: {a: TEXT}", "{{ name }}"),
    ));
    assert_text(&objects, "Cluster", "/metadata/annotations/a", "{{ name }}");
}

#[test]
fn every_nasty_text_comes_back_from_the_environment_of_pods() {
    let texts = NASTY
        .iter()
        .filter(|text| !text.contains('\0'))
        .map(|text| (*text).to_owned());
    let texts: Vec<String> = texts.chain([LONG.repeat(4000)]).collect();
    let pairs = numbered("V", &texts);
    let storage = format!(
        "{{credentials: workloadIdentity, extraEnv: {}}}",
        mapping(&pairs)
    );
    let objects = accepted(&render(&sandbox(), &values(&storage, "")));
    for (key, text) in &pairs {
        assert_text(&objects, "ConfigMap", &format!("/data/{key}"), text);
    }
}

/// Keys that a YAML 1.1 parser would take for something else.
#[test]
fn every_nasty_key_comes_back() {
    let sandbox = sandbox();
    for (key, is_variable) in [
        ("no", true),
        ("y", true),
        ("null", true),
        ("true", true),
        ("NaN", true),
        ("0777", false),
        ("1_000", false),
        ("1e3", false),
        ("0x1F", false),
        ("2024-01-01", false),
    ] {
        let rest = format!("labels: {{{key:?}: a}}\nannotations: {{{key:?}: b}}");
        let extra = if is_variable {
            format!(", extraEnv: {{{key:?}: c}}")
        } else {
            String::new()
        };
        let storage = format!("{{credentials: workloadIdentity{extra}}}");
        let objects = accepted(&render(&sandbox, &values(&storage, &rest)));
        for kind in ["ServiceAccount", "ClusterRoleBinding", "Cluster"] {
            assert_text(&objects, kind, &format!("/metadata/labels/{key}"), "a");
            assert_text(&objects, kind, &format!("/metadata/annotations/{key}"), "b");
        }
        if is_variable {
            assert_text(&objects, "ConfigMap", &format!("/data/{key}"), "c");
        }
    }
}

/// U+FDD0 stands for values while a document is built, so no text may hold it.
#[test]
fn text_that_could_pass_for_a_placeholder_is_refused_everywhere() {
    let sandbox = sandbox();
    for (place, ..) in FREE_PLACES {
        for text in ["\u{fdd0}", "a\u{fdd0}0\u{fdd0}b", "\u{fdd0}0\u{fdd0}"] {
            render(&sandbox, &in_place(place, text)).fails();
        }
    }
    let storage = "{credentials: workloadIdentity, extraEnv: {A: \"\\uFDD0\"}}";
    render(&sandbox, &values(storage, "")).fails();
}

#[test]
fn nul_is_refused_where_it_would_become_an_environment_variable() {
    let storage = "{credentials: workloadIdentity, extraEnv: {A: \"a\\u0000\"}}";
    render(&sandbox(), &values(storage, "")).fails_with(&["`storage.extraEnv.A`", "NUL"]);
}

#[test]
fn label_values_that_look_like_something_else_come_back() {
    let sandbox = sandbox();
    for text in [
        "",
        "no",
        "Off",
        "y",
        "null",
        "true",
        "0777",
        "0o17",
        "1_000",
        "1e3",
        "1.0",
        "0x1F",
        "2024-01-01",
        "6.02e23",
        "NaN",
        "1__0",
        "190.20.30",
        "0b1",
    ] {
        let objects = accepted(&render(&sandbox, &in_place("labels: {a: TEXT}", text)));
        for kind in ["ServiceAccount", "ConfigMap", "Cluster", "Secret"] {
            assert_text(&objects, kind, "/metadata/labels/a", text);
        }
    }
}

/// A way to give a key: the lines of the values file, and the environment.
fn storage_of(way: &str, text: &str) -> String {
    let source = match way {
        "literal" => escaped(text),
        "env" => "{env: KEY}".to_owned(),
        _ => "{file: key}".to_owned(),
    };
    format!("{{credentials: {{accessKeyId: {source}, secretAccessKey: {source}}}}}")
}

/// Renders with the text as both halves of an S3 key; whether it came back.
fn key_comes_back(sandbox: &Sandbox, way: &str, text: &str) -> bool {
    sandbox.write("key", text);
    sandbox.write("c0.yaml", values(&storage_of(way, text), ""));
    let mut command = sandbox.render_command(&["--side", "compute"]);
    if way == "env" {
        command.env("KEY", text);
    }
    let run = run(&mut command, "");
    // Editors and `echo` leave white space around what a file or a variable holds, and some
    // editors a byte order mark before it.
    let expected = match way {
        "literal" => text,
        "env" => text.trim_ascii(),
        _ => text.strip_prefix('\u{feff}').unwrap_or(text).trim_ascii(),
    };
    let Some(objects) = rendered(&run) else {
        return false;
    };
    let encoded = base64(expected);
    for key in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        assert_text(&objects, "ConfigMap", &format!("/data/{key}"), expected);
        let secret = objects
            .iter()
            .find(|object| object["metadata"]["name"] == "aws-credentials");
        assert_eq!(secret.unwrap()["data"][key], encoded.as_str(), "{way}");
    }
    true
}

#[test]
fn keys_that_look_like_something_else_come_back() {
    let sandbox = sandbox();
    for text in [
        "no",
        "0777",
        "1_000",
        "12:30:45",
        "1e3",
        "~",
        "-",
        "#",
        "a:b",
        "!x",
        "*a",
        "&a",
        "{",
        "[a]",
        "'",
        "\"",
        "\\",
        "\\n",
        "%YAML",
        "@",
        "`",
        "|",
        ">",
        "?",
        "null",
        "wJalr/+K7MDENG=",
        "{%raw%}",
    ] {
        for way in ["literal", "env", "file"] {
            assert!(key_comes_back(&sandbox, way, text), "{way} {text:?}");
        }
    }
    assert!(key_comes_back(&sandbox, "file", "\u{feff}key\n"));
    for way in ["env", "file"] {
        assert!(key_comes_back(&sandbox, way, " \t\r\nkey\r\n"), "{way}");
    }
    for text in ["a b", "a\n", " a", "ä", "\u{feff}a", "a\u{202e}", "a\u{85}"] {
        assert!(!key_comes_back(&sandbox, "literal", text), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_comes_back_or_is_refused(text in any_text(), place in 0..FREE_PLACES.len()) {
        let (place, kind, pointer) = FREE_PLACES[place];
        if let Some(objects) = rendered(&render(&sandbox(), &in_place(place, &text))) {
            assert_text(&objects, kind, pointer, &text);
        }
    }

    #[test]
    fn many_texts_at_once_come_back(
        variables in prop::collection::vec(any_text().prop_filter("refused", |text| is_bearable(text) && !text.contains('\0')), 1..40),
        notes in prop::collection::vec(any_text().prop_filter("refused", |text| is_bearable(text)), 1..20),
    ) {
        let (variables, notes) = (numbered("V", &variables), numbered("n", &notes));
        let storage = format!("{{credentials: workloadIdentity, extraEnv: {}}}", mapping(&variables));
        let rest = format!("annotations: {}", mapping(&notes));
        let objects = accepted(&render(&sandbox(), &values(&storage, &rest)));
        for (key, text) in &variables {
            assert_text(&objects, "ConfigMap", &format!("/data/{key}"), text);
        }
        for (key, text) in &notes {
            for kind in ["ClusterRole", "Secret", "Cluster"] {
                assert_text(&objects, kind, &format!("/metadata/annotations/{key}"), text);
            }
        }
    }

    #[test]
    fn any_label_value_comes_back_or_is_refused(text in prop_oneof![any_text(), "[a-zA-Z0-9._-]{0,64}"]) {
        let objects = rendered(&render(&sandbox(), &in_place("labels: {a: TEXT}", &text)));
        let is_word = |text: &str| text.len() <= 63
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && !text.starts_with(['-', '_', '.']) && !text.ends_with(['-', '_', '.']);
        prop_assert_eq!(objects.is_some(), is_word(&text));
        if let Some(objects) = objects {
            assert_text(&objects, "Cluster", "/metadata/labels/a", &text);
        }
    }

    #[test]
    fn any_storage_path_comes_back_or_is_refused(path in prop_oneof![any_text(), "[!-~]{0,40}"]) {
        let endpoint = format!("http://minio.example.com:9091/{path}");
        let storage = format!("{{credentials: workloadIdentity, endpoint: {}}}", escaped(&endpoint));
        if let Some(objects) = rendered(&render(&sandbox(), &values(&storage, ""))) {
            assert_text(&objects, "ConfigMap", "/data/AWS_ENDPOINT_URL", &endpoint);
        }
    }

    #[test]
    fn any_key_comes_back_or_is_refused(text in prop_oneof![any_text(), "[!-~]{1,80}"]) {
        let sandbox = sandbox();
        for way in ["literal", "env", "file"] {
            if way != "env" || !text.contains('\0') {
                key_comes_back(&sandbox, way, &text);
            }
        }
    }
}

//! Any text reaches the manifest exactly, and any input ends with a result or an error message.

use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::oracle::{hostile, key_of};
use crate::support::{Folder, cluster, fixture_path, identity, objects, run, values_file};

/// Hostile texts, random texts, and mixtures.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![select(hostile()), any::<String>(), "[ -~]{0,60}"];
    let text = vec(piece, 1..4).prop_map(|pieces| pieces.concat());
    // Templates refuse U+FDD0, which marks their values.
    text.prop_map(|text| text.replace('\u{fdd0}', ""))
}

const INPUTS: [&str; 3] = ["values.yaml", "kubeconfig", "ca.crt"];

fn good(input: &str) -> Vec<u8> {
    match input {
        "kubeconfig" => fs::read(fixture_path("kubeconfigs/eks.kubeconfig")).unwrap(),
        "ca.crt" => fs::read(fixture_path("certificates/bundle.crt")).unwrap(),
        _ => VALUES.into(),
    }
}

const VALUES: &str = "name: c0
kubeconfig: {path: kubeconfig, certificateAuthority: ca.crt}
cluster: {sla: production, skus: [{cpu: 8, memoryGb: \"32\"}]}
storage:
  collectorSecret: none
  endpoint: http://minio:9091
  credentials: {accessKeyId: minioadmin, secretAccessKey: {env: HOME}}
  extraEnv: {MLFLOW_TRACKING_URI: http://mlflow:5000}
serviceAccount: {extraRules: [{apiGroups: [''], resources: [pods], verbs: [get]}]}
token: none
annotations: {a: \"b\"}
";

/// An input with damage in one place, or random bytes.
fn damaged_input() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let hostile = select(hostile()).prop_map(String::into_bytes);
    let inserted = prop_oneof![hostile, vec(any::<u8>(), 0..8)];
    let damage = (any::<Index>(), 0..40_usize, inserted);
    let damaged = (select(&INPUTS[..]), damage).prop_map(|(input, (start, cut, inserted))| {
        let good = good(input);
        let start = start.index(good.len());
        let end = good.len().min(start + cut);
        (input, [&good[..start], &inserted, &good[end..]].concat())
    });
    prop_oneof![4 => damaged, 1 => (select(&INPUTS[..]), vec(any::<u8>(), 0..300))]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_arrives_exactly(texts in vec(any_text(), 1..6)) {
        let values = |(number, text): (usize, &String)| {
            let credentials = json!({"accessKeyId": "id", "secretAccessKey": key_of(text)});
            cluster(number, json!({
                "annotations": {"a": text}, "allow": ["unresolved-secret"],
                "storage": {"collectorSecret": "none", "credentials": credentials, "extraEnv": {"A": text}},
            }))
        };
        let clusters: Vec<Value> = texts.iter().enumerate().map(values).collect();
        let folder = Folder::new();
        folder.write("values.yaml", values_file(&clusters));
        let rendered = run(&mut folder.command(&["render", "--side", "compute", "-f", "values.yaml"]));
        let rendered = rendered.succeeds();
        // Each text is on one line, for every reader of YAML.
        let line_breaks = ['\r', '\u{85}', '\u{2028}', '\u{2029}'];
        prop_assert!(!rendered.contains(line_breaks));
        let mut lines = rendered.lines().filter(|line| line.starts_with("  \"A\": \""));
        prop_assert!(lines.all(|line| line.ends_with('"')));
        let rendered = objects(rendered);
        let of_cluster = rendered.chunks(rendered.len() / texts.len());
        for (text, objects) in texts.iter().zip(of_cluster) {
            for object in objects {
                prop_assert_eq!(&object["metadata"]["annotations"]["a"], text);
            }
            let is_config = |object: &&Value| identity(object) == "ConfigMap/michelangelo-config";
            let data = &objects.iter().find(is_config).unwrap()["data"];
            prop_assert_eq!(&data["A"], text);
            prop_assert_eq!(&data["AWS_SECRET_ACCESS_KEY"], &key_of(text));
        }
    }

    #[test]
    fn any_bytes_end_with_an_answer((input, bytes) in damaged_input()) {
        let folder = Folder::new();
        for name in INPUTS {
            folder.write(name, good(name));
        }
        folder.write(input, bytes);
        // `run` checks the exit code and message.
        run(&mut folder.command(&["render", "--side", "both", "-f", "values.yaml"]));
        run(&mut folder.command(&["inspect", "-f", "values.yaml"]));
    }
}

//! Compares streams with how kubectl reads them, since it has Kubernetes' own YAML parser.
//!
//! `kubectl annotate --local` parses a stream and prints it, without a cluster.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Deserializer, Map, Value, json};

use crate::support::{Folder, cluster, fixture, fixtures, identity, objects, run, values_file};

/// Texts that some YAML parser reads as another type, or as the end of a string.
pub fn hostile() -> Vec<String> {
    serde_json::from_str(include_str!("hostile.json")).unwrap()
}

/// Returns a text without the characters that an S3 key can't have, and some others.
pub fn key_of(text: &str) -> String {
    let is_of_key = |c: &char| c.is_alphanumeric() || c.is_ascii_graphic() || *c == ' ';
    let key: String = text.chars().filter(is_of_key).collect();
    if key.is_empty() { "-".to_owned() } else { key }
}

fn print(stream: &str, format: &str) -> Vec<u8> {
    let folder = Folder::new();
    folder.write("stream.yaml", stream);
    let mut kubectl = Command::new("kubectl");
    kubectl.args(["annotate", "--local", "-f"]).arg(folder.path("stream.yaml"));
    kubectl.args(["x=y", "-o", format]).env("KUBECONFIG", "/dev/null").env("HOME", folder.path(""));
    let output = kubectl.output().expect("kubectl is needed, as the judge");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Reads a stream with kubectl, and removes the annotation that kubectl added.
fn read(stream: &str) -> Vec<Value> {
    let printed = print(stream, "json");
    let objects = Deserializer::from_slice(&printed).into_iter::<Value>();
    let without_mark = objects.map(|object| {
        let mut object = object.unwrap();
        let metadata = object["metadata"].as_object_mut().unwrap();
        let annotations = metadata["annotations"].as_object_mut().unwrap();
        assert_eq!(annotations.remove("x"), Some(json!("y")));
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
        object
    });
    without_mark.collect()
}

/// Guards the other tests: a kubectl that reads everything as text would pass them all.
#[test]
fn the_judge_reads_yaml_as_kubernetes_does() {
    let stream = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {a: no, b: 0777, c: 1_000, d: \"no\"}\n";
    assert_eq!(read(stream)[0]["data"], json!({"a": false, "b": 511, "c": 1000, "d": "no"}));
}

#[test]
fn kubectl_reads_the_fixtures_as_they_are_meant() {
    let streams = fixtures().into_iter().map(|name| {
        let run = run(&mut fixture(&["render", "--side", "both"], &name));
        run.succeeds().to_owned()
    });
    let stream: String = streams.collect();
    assert_eq!(read(&stream), objects(&stream));
}

/// Maps `n0`, `n1` and so on to the texts.
fn numbered(texts: &[String]) -> Map<String, Value> {
    let name = |(number, text): (usize, &String)| (format!("n{number}"), json!(text));
    texts.iter().enumerate().map(name).collect()
}

fn is_word(text: &str) -> bool {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.chars().all(is_of_word) && is_end(text.chars().next()) && is_end(text.chars().last())
}

/// Whether a text is a valid region: not a placeholder, and without white space around it.
fn is_region(text: &str) -> bool {
    let encloses =
        |start: &str, end: &str| text.split_once(start).is_some_and(|(_, rest)| rest.contains(end));
    text.trim() == text
        && ![("<", ">"), ("${", "}"), ("{{", "}}")].iter().any(|(a, b)| encloses(a, b))
}

#[test]
fn every_hostile_text_arrives_exactly() {
    let texts = hostile();
    let notes = numbered(&texts);
    let words: Vec<String> = texts.iter().filter(|text| is_word(text)).cloned().collect();
    let mut labels = numbered(&words);
    labels.extend(words.iter().map(|word| (word.clone(), json!("x"))));
    let mut env = notes.clone();
    env.extend(["no", "y", "null", "True", "NaN"].map(|key| (key.to_owned(), json!(key))));
    let all = json!({
        "labels": labels, "annotations": notes,
        "storage": {"collectorSecret": "none", "credentials": "workloadIdentity", "extraEnv": env},
    });
    let mut clusters = vec![cluster(0, all)];
    // A cluster for each text, since each has only one region and one S3 key.
    for (number, text) in texts.iter().enumerate() {
        let region = if is_region(text) { text } else { "-" };
        let key = key_of(text);
        let id = if key.is_ascii() { &key } else { "-" };
        clusters.push(cluster(number + 1, json!({
            "cluster": {"region": region, "zone": region, "skus": [{"memoryGb": text, "gpuSku": text}]},
            "storage": {"collectorSecret": "none", "credentials": {"accessKeyId": id, "secretAccessKey": key}},
            "allow": ["unresolved-secret"],
        })));
    }
    let folder = Folder::new();
    folder.write("values.yaml", values_file(&clusters));
    let mut command = folder.command(&["render", "--side", "both", "-f", "values.yaml"]);
    let objects = read(run(&mut command).succeeds());
    let mut rendered = objects.split_inclusive(|object| object["kind"] == "Cluster");
    for object in rendered.next().unwrap() {
        for (key, text) in &labels {
            assert_eq!(object["metadata"]["labels"][key], *text);
        }
        for (key, text) in &notes {
            assert_eq!(object["metadata"]["annotations"][key], *text);
        }
        for (key, text) in env.iter().filter(|_| object["kind"] == "ConfigMap") {
            assert_eq!(object["data"][key], *text);
        }
    }
    for (values, objects) in clusters.iter().skip(1).zip(rendered) {
        let of = |name: &str| objects.iter().find(|object| identity(object) == name).unwrap();
        let spec = &objects.last().unwrap()["spec"];
        assert_eq!(spec["region"], values["cluster"]["region"]);
        assert_eq!(spec["zone"], values["cluster"]["zone"]);
        assert_eq!(spec["kubernetes"]["skus"], values["cluster"]["skus"]);
        let halves =
            [("AWS_ACCESS_KEY_ID", "accessKeyId"), ("AWS_SECRET_ACCESS_KEY", "secretAccessKey")];
        for (name, half) in halves {
            let key = values["storage"]["credentials"][half].as_str().unwrap();
            assert_eq!(of("ConfigMap/michelangelo-config")["data"][name], key);
            assert_eq!(of("Secret/aws-credentials")["data"][name], STANDARD.encode(key));
        }
    }
}

/// The External Secrets Operator runs Go's `text/template` on annotations. kubectl has the same engine.
#[test]
fn the_operators_templates_print_every_hostile_text() {
    // No text contains it.
    const BETWEEN: &str = "\u{fdd2}";
    let texts = hostile();
    let store = json!({"name": "a", "kind": "SecretStore"});
    let values = cluster(
        0,
        json!({
            "token": "externalSecret", "annotations": numbered(&texts),
            "externalSecrets": {"computeStore": store, "controlPlaneStore": store},
        }),
    );
    let folder = Folder::new();
    folder.write("values.yaml", values_file(&[values]));
    let mut command = folder.command(&["render", "--side", "control-plane", "-f", "values.yaml"]);
    let objects = objects(run(&mut command).succeeds());
    let secret = objects.iter().find(|object| object["kind"] == "ExternalSecret").unwrap();
    let templates = &secret["spec"]["target"]["template"]["metadata"]["annotations"];
    let template = |number| templates[format!("n{number}")].as_str().unwrap();
    let template: Vec<&str> = (0..texts.len()).map(template).collect();
    folder.write("template", template.join(BETWEEN));
    let format = format!("go-template-file={}", folder.path("template").display());
    let printed = print("kind: Any\napiVersion: example.com/v1\nmetadata: {name: a}\n", &format);
    let printed = String::from_utf8(printed).unwrap();
    assert_eq!(printed.split(BETWEEN).collect::<Vec<_>>(), texts);
}

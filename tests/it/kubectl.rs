//! kubectl as the judge of what a rendered stream says: it reads YAML with Kubernetes' own parser.
//!
//! `kubectl annotate --local` parses, asks no cluster, and prints what it has read. The variable
//! `KUBECTL` names the program, where it isn't the `kubectl` of the path.

use std::env;
use std::ffi::OsString;
use std::io::{ErrorKind, Write as _};
use std::process::Command;

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Deserializer, Value, json};

use crate::objects::json_documents;
use crate::support::texts::{NASTY, any_text, escaped, is_bearable, mapping, numbered};
use crate::support::{Sandbox, base64, fixture_names, render_fixture, run};

/// The variable that lets these tests pass where there is no kubectl.
pub const WITHOUT: &str = "MA_REGISTER_WITHOUT_KUBECTL";
/// The annotation that kubectl is asked to add.
const MARK: &str = "ma-register.test/read";

/// What kubectl reads from a stream; nothing where it is missing and doesn't have to be there.
fn read(stream: &str) -> Option<Vec<Value>> {
    let output = print(stream, "json")?;
    let objects = Deserializer::from_slice(&output).into_iter();
    Some(objects.map(|object| unmarked(object.unwrap())).collect())
}

/// What kubectl prints of a stream in a format.
fn print(stream: &str, format: &str) -> Option<Vec<u8>> {
    let sandbox = Sandbox::new();
    let file = sandbox.write("stream.yaml", stream);
    let mark = format!("{MARK}=yes");
    let file = file.to_str().unwrap();
    kubectl(&["annotate", "--local", "-o", format, &mark, "-f", file])
}

/// What kubectl prints, without any cluster; nothing where it is missing and doesn't have to be
/// there.
pub fn kubectl(arguments: &[&str]) -> Option<Vec<u8>> {
    let home = Sandbox::new();
    let output = Command::new(program()?)
        .env("KUBECONFIG", "/dev/null")
        .env("HOME", home.path())
        .args(arguments)
        .output()
        .unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{messages}");
    Some(output.stdout)
}

/// The program kubectl; nothing where it is missing and doesn't have to be there.
pub fn program() -> Option<OsString> {
    let program = env::var_os("KUBECTL").unwrap_or_else(|| "kubectl".into());
    match Command::new(&program).arg("help").output() {
        Ok(_) => Some(program),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let is_allowed = env::var(WITHOUT).is_ok_and(|value| value == "1");
            assert!(
                is_allowed,
                "{program:?} is not there, so nothing has been checked with Kubernetes' own \
                 parser: install kubectl or name it by KUBECTL, or set {WITHOUT}=1 to go without"
            );
            // Not `eprintln!`, which the test harness hides as long as a test passes.
            let skipped = b"NOT CHECKED with Kubernetes' own parser: there is no kubectl\n";
            std::io::stderr().write_all(skipped).unwrap();
            None
        }
        Err(error) => panic!("{program:?}: {error}"),
    }
}

/// The object without the annotation that kubectl has added.
fn unmarked(mut object: Value) -> Value {
    let metadata = object["metadata"].as_object_mut().unwrap();
    let annotations = metadata["annotations"].as_object_mut().unwrap();
    assert_eq!(annotations.remove(MARK), Some(json!("yes")));
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
    object
}

/// Without this, a kubectl that reads everything as text would pass for a judge.
#[test]
fn the_judge_reads_yaml_as_kubernetes_does() {
    let stream = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {a: no, b: 0777, c: 1_000, d: 1e3, e: \"no\"}\n";
    if let Some(objects) = read(stream) {
        let expected = json!({"a": false, "b": 511, "c": 1000, "d": 1000, "e": "no"});
        let numbers = |data: &Value| data.to_string().replace(".0", "");
        assert_eq!(numbers(&objects[0]["data"]), numbers(&expected));
    }
}

#[test]
fn kubectl_reads_every_fixture_as_it_is_meant() {
    let sandbox = Sandbox::new();
    let stream: String = fixture_names("values")
        .iter()
        .map(|name| {
            let mut command = render_fixture(&sandbox, name, &["--side", "both"]);
            run(&mut command, "").succeeds().to_owned()
        })
        .collect();
    if let Some(objects) = read(&stream) {
        assert_eq!(objects, json_documents(&stream));
    }
}

#[test]
fn kubectl_reads_every_text_as_it_was_given() {
    let variables = numbered("V", &texts(300, |text| !text.contains('\0')));
    let notes = numbered("n", &texts(150, |_| true));
    let skus = texts(90, |_| true);
    let sku = |three: &[String]| json!({"memoryGb": three[0], "diskSizeGb": three[1], "gpuSku": three[2], "cpu": 1});
    let skus: Vec<Value> = skus.chunks_exact(3).map(sku).collect();
    let skus_written: Vec<String> = skus.iter().map(sku_written).collect();
    let keys =
        "no: a, \"1e3\": \"0777\", \"0x1F\": \"1_000\", \"2024-01-01\": \"\", \"null\": \"off\"";
    let key = "%{'\"\\:#!*&|>1_0@`~/+=-";
    let region = " no: \u{85}- \u{feff}\"#\\";
    let sandbox = Sandbox::with_cluster();
    let values = format!(
        "name: c0\ntoken: none\nstorage:\n  credentials: {{accessKeyId: {key}, secretAccessKey: {key}}}\n  endpoint: {endpoint}\n  extraEnv: {variables}\ncluster:\n  region: {region}\n  zone: \"0777\"\n  skus: [{skus}]\nlabels: {{{keys}}}\nannotations: {notes}\n",
        key = escaped(key),
        endpoint = escaped("https://s3.example.com/a:%20'\"{}"),
        region = escaped(region),
        variables = mapping(&variables),
        notes = mapping(&notes),
        skus = skus_written.join(", "),
    );
    sandbox.write("c0.yaml", values);
    let run = sandbox.render(&[]);
    let stream = run.succeeds();
    let Some(objects) = read(stream) else { return };
    assert_eq!(objects, json_documents(stream));
    let find = |kind: &str, name: &str| {
        let is_it = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
        objects.iter().find(is_it).unwrap()
    };
    let cluster = find("Cluster", "c0");
    assert_eq!(cluster["spec"]["kubernetes"]["skus"], Value::Array(skus));
    assert_eq!(cluster["spec"]["region"], region);
    assert_eq!(cluster["spec"]["zone"], "0777");
    assert_eq!(cluster["metadata"]["labels"]["1e3"], "0777");
    assert_eq!(cluster["metadata"]["labels"]["null"], "off");
    for (name, text) in &notes {
        assert_eq!(cluster["metadata"]["annotations"][name], text.as_str());
    }
    let data = &find("ConfigMap", "michelangelo-config")["data"];
    for (name, text) in &variables {
        assert_eq!(data[name], text.as_str());
    }
    assert_eq!(data["AWS_SECRET_ACCESS_KEY"], key);
    let secret = find("Secret", "aws-credentials");
    assert_eq!(secret["data"]["AWS_SECRET_ACCESS_KEY"], base64(key));
}

/// The External Secrets Operator is written in Go as kubectl is, and runs the same `text/template` on
/// the keys of the ConfigMap and on the annotations of Secrets that it makes.
#[test]
fn go_makes_every_text_of_the_operators_templates() {
    // Between the texts, as none of them holds it.
    const BETWEEN: &str = "\u{fdd0}";
    let variables = numbered("V", &texts(300, |text| !text.contains('\0')));
    let notes = numbered("n", &texts(300, |_| true));
    let sandbox = Sandbox::with_cluster();
    let values = format!(
        "name: c0\ntoken: externalSecret\nstorage:\n  credentials:\n    externalSecret: {{key: a, accessKeyIdProperty: b, secretAccessKeyProperty: c}}\n    configMap: true\n  extraEnv: {}\nexternalSecrets:\n  computeStore: {{name: a, kind: SecretStore}}\n  controlPlaneStore: {{name: a, kind: SecretStore}}\nannotations: {}\nallow: [generic-target-flag]\n",
        mapping(&variables),
        mapping(&notes),
    );
    sandbox.write("c0.yaml", values);
    let run = sandbox.render(&[]);
    let objects = json_documents(run.succeeds_quietly());
    let template = |name: &str, pointer: &str, key: &str| {
        let is_it = |object: &&Value| {
            object["kind"] == "ExternalSecret" && object["metadata"]["name"] == name
        };
        let object = objects.iter().find(is_it).unwrap();
        let templates = object.pointer(&format!("/spec/target/template{pointer}"));
        templates.unwrap()[key].as_str().unwrap().to_owned()
    };
    let data = |key: &str| template("michelangelo-config", "/data", key);
    let mut templates = vec![data("AWS_ACCESS_KEY_ID"), data("AWS_SECRET_ACCESS_KEY")];
    let mut expected = vec!["an id", "a {{ .key }}"];
    for (key, text) in &variables {
        templates.push(data(key));
        expected.push(text);
    }
    for (key, text) in &notes {
        for name in ["aws-credentials", "cluster-c0-client-token"] {
            templates.push(template(name, "/metadata/annotations", key));
            expected.push(text);
        }
    }
    let file = sandbox.write("template", templates.join(BETWEEN));
    // What the operator has read from the store.
    let stream = "kind: Any\napiVersion: example.com/v1\nmetadata: {name: a}\nAWS_ACCESS_KEY_ID: an id\nAWS_SECRET_ACCESS_KEY: 'a {{ .key }}'\n";
    let format = format!("go-template-file={}", file.display());
    let Some(output) = print(stream, &format) else {
        return;
    };
    let output = String::from_utf8(output).unwrap();
    let made: Vec<&str> = output.split(BETWEEN).collect();
    assert_eq!(made, expected);
}

/// The same texts on every run: the nasty ones, and as many generated ones as it takes.
fn texts(count: usize, is_allowed: fn(&str) -> bool) -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    let any = any_text();
    let generated = std::iter::repeat_with(|| any.new_tree(&mut runner).unwrap().current());
    let nasty = NASTY.iter().map(|text| (*text).to_owned());
    nasty
        .chain(generated)
        .filter(|text| is_bearable(text) && is_allowed(text) && text.len() < 2000)
        .take(count)
        .collect()
}

/// A kind of machine as a values file gives it.
fn sku_written(sku: &Value) -> String {
    let text = |key: &str| escaped(sku[key].as_str().unwrap());
    let (memory, disk, gpu) = (text("memoryGb"), text("diskSizeGb"), text("gpuSku"));
    format!("{{cpu: 1, memoryGb: {memory}, diskSizeGb: {disk}, gpuSku: {gpu}}}")
}

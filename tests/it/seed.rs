//! The manual procedure, object by object: what its reader wrote by hand is what is rendered.

use serde_json::{Value, json};

use crate::objects::json_documents;
use crate::support::{Sandbox, base64, fixture_text, render_fixture, run};

#[test]
fn compute_side_is_what_the_procedure_writes() {
    assert_side("compute", 6);
}

#[test]
fn control_plane_side_is_what_the_procedure_writes() {
    assert_side("control-plane", 3);
}

#[track_caller]
fn assert_side(side: &str, count: usize) {
    let sandbox = Sandbox::new();
    let stream = run(&mut render_fixture(&sandbox, "seed", &["--side", side]), "");
    let rendered = normal_all(json_documents(stream.succeeds_quietly()));
    let by_hand = normal_all(json_documents(&fixture_text(&format!("seed/{side}.yaml"))));
    assert_eq!(by_hand.len(), count, "objects written by hand");
    assert_eq!(identities(&rendered), identities(&by_hand));
    for (rendered, by_hand) in rendered.iter().zip(&by_hand) {
        assert_eq!(rendered, by_hand);
    }
}

#[test]
fn both_sides_are_the_two_sides_in_turn() {
    let sandbox = Sandbox::new();
    let stream = |side| run(&mut render_fixture(&sandbox, "seed", &["--side", side]), "");
    let sides = [stream("compute"), stream("control-plane")].map(|run| run.succeeds().to_owned());
    assert_eq!(stream("both").succeeds(), sides.concat());
}

/// Objects that mean the same made the same, and put in an order.
fn normal_all(objects: Vec<Value>) -> Vec<Value> {
    let mut objects: Vec<Value> = objects.into_iter().map(normal).collect();
    objects.sort_by_key(identity);
    objects
}

/// Writes out what the API server fills in, and leaves out the labels that the procedure lacks.
fn normal(mut object: Value) -> Value {
    let kind = object["kind"].as_str().unwrap().to_owned();
    let metadata = object["metadata"].as_object_mut().unwrap();
    if let Some(labels) = metadata.get_mut("labels").and_then(Value::as_object_mut) {
        labels.retain(|key, _| !key.starts_with("app.kubernetes.io/"));
        if labels.is_empty() {
            metadata.remove("labels");
        }
    }
    if !["ClusterRole", "ClusterRoleBinding"].contains(&kind.as_str()) {
        metadata.entry("namespace").or_insert(json!("default"));
    }
    if kind == "Secret" {
        let secret = object.as_object_mut().unwrap();
        secret.entry("type").or_insert(json!("Opaque"));
        if let Some(Value::Object(plain)) = secret.remove("stringData") {
            let encode = |text: Value| json!(base64(text.as_str().unwrap()));
            let data = plain.into_iter().map(|(key, text)| (key, encode(text)));
            secret.insert("data".to_owned(), data.collect());
        }
    }
    object
}

fn identities(objects: &[Value]) -> Vec<[String; 4]> {
    objects.iter().map(identity).collect()
}

fn identity(object: &Value) -> [String; 4] {
    let metadata = &object["metadata"];
    [
        &object["apiVersion"],
        &object["kind"],
        &metadata["namespace"],
        &metadata["name"],
    ]
    .map(|value| value.as_str().unwrap_or_default().to_owned())
}

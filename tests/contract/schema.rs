//! The schema accepts exactly the values files that the program accepts.

use std::fs;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::{
    Folder, PROJECT, cluster, fixture, fixture_path, fixtures, listed, objects, run, values_file,
};

fn validator() -> Validator {
    let printed = run(&mut Folder::new().command(&["schema"]));
    let schema: Value = serde_json::from_str(printed.succeeds()).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn it_takes_every_fixture() {
    let validator = validator();
    let folders = ["values", "refused", "fleet/clusters"];
    let files = folders.iter().flat_map(|folder| {
        listed(folder).into_iter().map(move |name| format!("fixtures/{folder}/{name}"))
    });
    for file in files {
        let values = objects(&fs::read_to_string(format!("{PROJECT}/{file}")).unwrap()).remove(0);
        let errors: Vec<String> =
            validator.iter_errors(&values).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{file}: {errors:?}");
    }
    let nulls = json!({"labels": {"a": null}, "annotations": {"a": null}});
    let values = cluster(0, nulls);
    assert!(validator.is_valid(&values), "a null takes a default away");
}

#[test]
fn every_key_of_cluster_reaches_a_cluster() {
    let schema = run(&mut Folder::new().command(&["schema"]));
    let schema: Value = serde_json::from_str(schema.succeeds()).unwrap();
    let mut keys: Vec<&String> =
        schema["$defs"]["ClusterSpec"]["properties"].as_object().unwrap().keys().collect();
    for name in fixtures() {
        let rendered = run(&mut fixture(&["render", "--side", "control-plane"], &name));
        for object in objects(rendered.succeeds()) {
            let spec = &object["spec"];
            let has = |key: &str| spec.get(key).is_some() || spec["kubernetes"].get(key).is_some();
            keys.retain(|key| object["kind"] != "Cluster" || !has(key));
        }
    }
    assert!(keys.is_empty(), "in no fixture, or not in the template: {keys:?}");
}

/// Lines of a cluster's values, and whether each is valid.
const VALUES: &[(&str, bool)] = &[
    ("labels: {team: ml}", true),
    ("storage: {fileSystem: S3://jobs, credentials: workloadIdentity}", false),
    ("kubeconfig:", true),
    ("cluster: {sla: production, dc: on-prem, zone: null, skus: [{cpu: 0, memoryGb: '32'}]}", true),
    ("serviceAccount: {tokenSecrets: [a, b], scope: namespace}", true),
    ("serviceAccount: {extraRules: [{nonResourceURLs: [/metrics], verbs: [get]}]}", true),
    ("externalSecrets: {keyPrefix: a/, property: null, refreshInterval: 90m}", true),
    ("allow: [loopback-server, duplicate-endpoint]", true),
    ("nosuchkey: 1", false),
    ("name: 1", false),
    ("name: null", false),
    ("name: A", false),
    ("cluster: {sla: Production}", false),
    ("cluster: {region: 1}", false),
    ("cluster: {region: ''}", false),
    ("cluster: {skus: [{memoryGb: 32}]}", false),
    ("cluster: {skus: [{cpu: '8'}]}", false),
    ("cluster: {skus: [{cpu: -1}]}", false),
    ("serviceAccount: {tokenSecrets: []}", false),
    ("serviceAccount: {extraRules: [{verbs: [get], resource: [pods]}]}", false),
    ("externalSecrets: {refreshInterval: 1.5h}", false),
    ("externalSecrets: {computeStore: {name: a}}", false),
    ("labels: {a: 1}", false),
    ("kubeconfig: {server: 203.0.113.7}", false),
    ("serviceAccount: {name: X_Y}", false),
    ("serviceAccount: {tokenSecrets: [a, a]}", false),
    ("externalSecrets: {keyPrefix: A_B}", false),
    ("externalSecrets: {computeStore: {name: '', kind: SecretStore}}", false),
    ("storage: {credentials: workloadIdentity, endpoint: 'minio:9000'}", false),
    ("storage: {credentials: workloadIdentity, fileSystem: default}", false),
    ("storage: {credentials: workloadIdentity, scheme: s3}", false),
    ("storage: {credentials: workloadIdentity, extraEnv: {A: 1}}", false),
    ("allow: [no-such-code]", false),
    ("token: none", true),
    ("token: externalSecret", true),
    ("token: {file: token}", true),
    ("token: {env: TOKEN}", true),
    ("token: {file: token, env: TOKEN}", false),
    ("token: {}", false),
    ("token: {env: null}", false),
    ("token: eyJhbGciOiJSUzI1NiJ9.e30.c2ln", false),
    ("token: {externalSecret: true}", false),
];

/// Forms of `storage.credentials`, and whether each is valid.
const CREDENTIALS: &[(&str, bool)] = &[
    ("workloadIdentity", true),
    ("{workloadIdentity: true}", true),
    ("existingSecret", true),
    ("{existingSecret: true}", true),
    ("{accessKeyId: a, secretAccessKey: b}", true),
    ("{accessKeyId: {env: TOKEN}, secretAccessKey: {file: token}}", true),
    ("{externalSecret: {key: k, accessKeyIdProperty: a, secretAccessKeyProperty: b}}", true),
    ("externalSecret", false),
    ("{externalSecret: null}", false),
    ("{workloadIdentity: null}", false),
    ("{accessKeyId: a, secretAccessKey: null}", false),
    ("{existingSecret: false}", false),
    ("{accessKeyId: 1, secretAccessKey: b}", false),
    ("{accessKeyId: [a], secretAccessKey: b}", false),
    ("{accessKeyId: {env: TOKEN, file: token}, secretAccessKey: b}", false),
    ("{accessKeyId: a, secretAccessKey: b, existingSecret: true}", false),
    ("{workloadIdentity: true, existingSecret: true}", false),
    ("{accesKeyId: a}", false),
];

#[test]
fn it_agrees_with_the_program() {
    let validator = validator();
    let token = fs::read_to_string(fixture_path("tokens/long-lived.token")).unwrap();
    let folder = Folder::new();
    folder.write("token", &token);
    let store = json!({"name": "a", "kind": "SecretStore"});
    let stores = json!({"externalSecrets": {"computeStore": store, "controlPlaneStore": store}});
    let credentials = CREDENTIALS
        .iter()
        .map(|(form, is_right)| (format!("storage: {{credentials: {form}}}"), *is_right));
    let values = VALUES.iter().map(|(text, is_right)| ((*text).to_owned(), *is_right));
    let mut wrong = Vec::new();
    for (text, is_right) in values.chain(credentials) {
        let mut values = cluster(0, stores.clone());
        values
            .as_object_mut()
            .unwrap()
            .extend(objects(&text).remove(0).as_object().unwrap().clone());
        let is_valid = validator.is_valid(&values);
        folder.write("values.yaml", values_file(&[values]));
        let kubeconfig = fixture_path("kubeconfigs/seed.kubeconfig");
        let mut command = folder.command(&["render", "--side", "both", "-f", "values.yaml"]);
        let run = run(command.args(["--kubeconfig", &kubeconfig]).env("TOKEN", token.trim()));
        let found = (is_valid, run.code == 0);
        if found != (is_right, is_right) {
            wrong.push(format!("{text}: right: {is_right}, schema and program: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

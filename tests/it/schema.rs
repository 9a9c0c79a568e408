//! `schema`: what it takes and refuses is what the program does.

use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;

use crate::support::{Run, Sandbox, fixture_names, fixture_text, values};

fn schema() -> Value {
    let run = Sandbox::new().run(["schema"]);
    serde_json::from_str(run.succeeds_quietly()).unwrap()
}

/// A validator, for which the schema itself has to be valid.
fn validator() -> Validator {
    let schema = schema();
    assert!(jsonschema::meta::is_valid(&schema));
    jsonschema::draft202012::new(&schema).unwrap()
}

fn parsed(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// What the program says of values, with a kubeconfig beside them.
fn render(text: &str) -> Run {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", text);
    sandbox.render(&[])
}

#[test]
fn it_says_which_draft_it_is_of() {
    let schema = schema();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(schema["title"], "values file of ma-register");
}

#[test]
fn every_fixture_is_valid() {
    let validator = validator();
    let mut count = 0;
    for folder in ["values", "refused"] {
        for name in fixture_names(folder) {
            let text = fixture_text(&format!("{folder}/{name}.yaml"));
            let errors: Vec<String> = validator
                .iter_errors(&parsed(&text))
                .map(|error| error.to_string())
                .collect();
            assert_eq!(errors, [""; 0], "{folder}/{name}");
            count += 1;
        }
    }
    assert!(count > 10);
}

#[test]
fn every_key_is_described() {
    fn check(place: &Path, schema: &Value, count: &mut usize) {
        for (key, value) in schema.as_object().into_iter().flatten() {
            let place = place.join(key);
            assert!(
                key != "description" || !value.to_string().contains("\\n"),
                "{value}"
            );
            if key == "properties" {
                for (name, property) in value.as_object().unwrap() {
                    let is_described = property["description"].is_string()
                        // A choice, which is described as a whole.
                        || ["env", "file", "existingSecret"].contains(&name.as_str());
                    assert!(is_described, "{}: {name}", place.display());
                    *count += 1;
                }
            }
            check(&place, value, count);
        }
        for item in schema.as_array().into_iter().flatten() {
            check(place, item, count);
        }
    }
    let mut count = 0;
    check(Path::new(""), &schema(), &mut count);
    assert!(count > 40, "{count}");
}

/// What may be written, with what is written in `values` before it.
const RIGHT: [&str; 17] = [
    "",
    "token: none",
    "token: {file: token}",
    "token: {env: TOKEN}",
    "token:",
    "kubeconfig:",
    "kubeconfig: {certificateAuthority: system}",
    "cluster: {sla: production, dc: on-prem, region: a, zone: null, skus: []}",
    "cluster: {skus: [{cpu: 0, gpu: 8, memoryGb: '32', diskSizeGb: '1', gpuSku: a}]}",
    "serviceAccount: {name: sa, tokenSecrets: [a, b], scope: namespace}",
    "serviceAccount: {extraRules: [{apiGroups: [''], resources: [pods], verbs: [get]}]}",
    "serviceAccount: {extraRules: [{nonResourceURLs: [/metrics], verbs: [get]}]}",
    "labels: {team: ml}",
    "annotations: {}",
    "allow: [loopback-server, duplicate-endpoint]",
    "externalSecrets: {keyPrefix: a/, property: null, refreshInterval: 90m}",
    "externalSecrets: {computeStore: {name: a, kind: SecretStore}, controlPlaneStore: null}",
];

#[test]
fn what_it_takes_the_program_takes() {
    let validator = validator();
    for lines in RIGHT {
        let text = values(lines);
        assert!(validator.is_valid(&parsed(&text)), "{text}");
        let run = render(&text);
        // Of what these name, nothing is there.
        let is_only_missing = run.code == 0
            || run.stderr.contains("failed to read `token`")
            || run.stderr.contains("nothing says where the token");
        assert!(is_only_missing, "{text}\n{}", run.stderr);
    }
    for credentials in CREDENTIALS {
        let text =
            format!("name: c0\nstorage: {{credentials: {credentials}}}\ntoken: none\n{STORES}");
        assert!(validator.is_valid(&parsed(&text)), "{text}");
        render(&text).succeeds();
    }
}

const STORES: &str = "externalSecrets: {computeStore: {name: a, kind: SecretStore}}\n";

const CREDENTIALS: [&str; 5] = [
    "workloadIdentity",
    "{existingSecret: true}",
    "{accessKeyId: a, secretAccessKey: b}",
    "{externalSecret: {key: k, accessKeyIdProperty: a, secretAccessKeyProperty: b}}",
    "{configMap: true, externalSecret: {key: k, accessKeyIdProperty: a, secretAccessKeyProperty: b}}",
];

/// Mistakes that an editor is to mark.
const WRONG: [&str; 34] = [
    "nosuchkey: 1",
    "Labels: {a: b}",
    "kubeconfig: c0.kubeconfig",
    "kubeconfig: {path: [a]}",
    "kubeconfig: {file: a}",
    "cluster: {sla: Production}",
    "cluster: {dc: aws}",
    "cluster: {region: 1}",
    "cluster: {skus: {cpu: 1}}",
    "cluster: {skus: [{cpu: '8'}]}",
    "cluster: {skus: [{cpu: 1.5}]}",
    "cluster: {skus: [{cpu: -1}]}",
    "cluster: {skus: [{gpu: 2147483648}]}",
    "cluster: {skus: [{memoryGb: 32}]}",
    "cluster: {skus: [{memory: '32'}]}",
    "serviceAccount: ray",
    "serviceAccount: {tokenSecrets: a}",
    "serviceAccount: {tokenSecrets: [1]}",
    "serviceAccount: {scope: Cluster}",
    "serviceAccount: {extraRules: [{resources: [pods]}]}",
    "serviceAccount: {extraRules: [{verbs: [get], resource: [pods]}]}",
    "token: eyJ",
    "token: {file: a, env: b}",
    "token: {}",
    "token: {path: a}",
    "token: {externalSecret: true}",
    "externalSecrets: {computeStore: vault}",
    "externalSecrets: {computeStore: {name: a}}",
    "externalSecrets: {computeStore: {name: a, kind: Store}}",
    "externalSecrets: {property: 1}",
    "labels: {a: 1}",
    "labels: [a]",
    "annotations: {a: true}",
    "allow: [no-such-code]",
];

#[test]
fn what_it_refuses_the_program_refuses() {
    let validator = validator();
    let check = |text: &str| {
        assert!(!validator.is_valid(&parsed(text)), "{text}");
        render(text).fails();
    };
    for lines in WRONG {
        check(&values(lines));
    }
    for credentials in [
        "WorkloadIdentity",
        "externalSecret",
        "{accessKeyId: a}",
        "{secretAccessKey: a}",
        "{accessKeyId: 1, secretAccessKey: b}",
        "{accessKeyId: {env: A, file: b}, secretAccessKey: b}",
        "{accessKeyId: a, secretAccessKey: b, existingSecret: true}",
        "{existingSecret: false}",
        "{existingSecret: true, configMap: true}",
        "{externalSecret: {key: k}}",
        "{externalSecret: {key: k, accessKeyIdProperty: a, secretAccessKeyProperty: b}, configMap: yes please}",
    ] {
        check(&format!(
            "name: c0\nstorage: {{credentials: {credentials}}}\ntoken: none\n{STORES}"
        ));
    }
    for storage in [
        "s3",
        "{fileSystem: 1}",
        "{scheme: s3}",
        "{extraEnv: {A: 1}}",
        "{bucket: a}",
    ] {
        let others = "credentials: workloadIdentity, ";
        let storage = storage.replacen('{', &format!("{{{others}"), 1);
        check(&format!("name: c0\nstorage: {storage}\ntoken: none\n"));
    }
    for name in ["", "C0", "-a", "a-", "a.b", "a b", &"a".repeat(64)] {
        check(&values("token: none").replace("name: c0", &format!("name: '{name}'")));
    }
    check("storage: {credentials: workloadIdentity}\ntoken: none\n");
    check("[]");
}

#[test]
fn a_property_that_is_null_is_not_one_that_is_left_out() {
    let validator = validator();
    let base = "name: c0\ntoken: externalSecret\nstorage: {credentials: workloadIdentity}\n";
    for (property, pulled) in [
        ("", true),
        (", property: null", false),
        (", property: a", true),
    ] {
        let text = format!(
            "{base}externalSecrets: {{computeStore: &store {{name: a, kind: SecretStore}}, controlPlaneStore: *store{property}}}\n"
        );
        assert!(validator.is_valid(&parsed(&text)), "{text}");
        let run = render(&text);
        assert_eq!(run.succeeds().contains(" property: "), pulled, "{property}");
    }
}

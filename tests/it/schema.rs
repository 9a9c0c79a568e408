//! `schema`: what it takes and refuses is what the program does.

use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;

use crate::support::{Run, Sandbox, fixture_names, fixture_text, values};

fn schema() -> Value {
    let run = Sandbox::new().run(["schema"]);
    serde_json::from_str(run.succeeds_quietly()).unwrap()
}

fn schema_of_fleet() -> Value {
    let run = Sandbox::new().run(["schema", "--fleet"]);
    serde_json::from_str(run.succeeds_quietly()).unwrap()
}

/// A validator, for which the schema itself has to be valid.
fn validator_of(schema: &Value) -> Validator {
    assert!(jsonschema::meta::is_valid(schema));
    jsonschema::draft202012::new(schema).unwrap()
}

fn validator() -> Validator {
    validator_of(&schema())
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
    let of_fleet = validator_of(&schema_of_fleet());
    for folder in ["values", "refused", "fleet/clusters"] {
        let validator = match folder {
            "fleet/clusters" => &of_fleet,
            _ => &validator,
        };
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
                    // Another form's key, which is only taken away here.
                    let is_null = property["type"] == "null";
                    let is_described = property["description"].is_string();
                    assert!(is_described || is_null, "{}: {name}", place.display());
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
    check(Path::new(""), &schema_of_fleet(), &mut count);
    assert!(count > 80, "{count}");
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
const WRONG: [&str; 49] = [
    "kubeconfig: {path: ''}",
    "kubeconfig: {server: 203.0.113.7}",
    "cluster: {region: ''}",
    "storage: {credentials: workloadIdentity, endpoint: 'minio:9000'}",
    "storage: {credentials: workloadIdentity, fileSystem: default}",
    "serviceAccount: {name: X_Y}",
    "serviceAccount: {tokenSecrets: []}",
    "serviceAccount: {tokenSecrets: [a, a]}",
    "serviceAccount: {tokenSecrets: [A]}",
    "serviceAccount: {extraRules: [{apiGroups: [''], resources: [pods], verbs: []}]}",
    "externalSecrets: {keyPrefix: A_B}",
    "externalSecrets: {property: a.b}",
    "externalSecrets: {refreshInterval: 1.5h}",
    "externalSecrets: {refreshInterval: 500ms}",
    "externalSecrets: {computeStore: {name: '', kind: SecretStore}}",
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

/// What the program says of one cluster's values, merged over defaults.
fn render_over(defaults: &str, text: &str) -> Run {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", text);
    sandbox.write("defaults.yaml", defaults);
    sandbox.render(&["--defaults", "defaults.yaml"])
}

/// Each half of what is merged, and whether both together are whole.
const HALVES: [(&str, &str); 8] = [
    ("storage: {credentials: workloadIdentity}", ""),
    (
        "storage: {credentials: {accessKeyId: a}}",
        "storage: {credentials: {secretAccessKey: b}}",
    ),
    (
        "storage: {credentials: {accessKeyId: a, secretAccessKey: {env: NONE}}}",
        "storage: {credentials: {existingSecret: true, accessKeyId: null, secretAccessKey: null}}",
    ),
    (
        "storage: {credentials: {accessKeyId: a, secretAccessKey: {env: NONE}}}",
        "storage: {credentials: {secretAccessKey: {env: null, file: c0.yaml}}}",
    ),
    (
        "storage: {credentials: {externalSecret: {key: k, accessKeyIdProperty: a}}}\nexternalSecrets: {computeStore: {kind: SecretStore}}",
        "storage: {credentials: {externalSecret: {secretAccessKeyProperty: b}}}\nexternalSecrets: {computeStore: {name: a}}",
    ),
    (
        "storage: {credentials: workloadIdentity, extraEnv: {A: a}}\nlabels: {a: b}\nannotations: {a: b}",
        "storage: {extraEnv: {A: null}}\nlabels: {a: null}\nannotations: {a: null}",
    ),
    (
        "storage: {credentials: workloadIdentity}\nserviceAccount: {extraRules: []}",
        "serviceAccount: {extraRules: null}\ncluster: null",
    ),
    (
        "storage: {credentials: workloadIdentity}\nkubeconfig: {server: 'https://203.0.113.8'}",
        "kubeconfig: {server: null}",
    ),
];

#[test]
fn in_a_fleet_each_leaves_to_the_other_what_it_likes() {
    let alone = validator();
    let validator = validator_of(&schema_of_fleet());
    assert!(validator.is_valid(&parsed(&fixture_text("fleet/defaults.yaml"))));
    for (defaults, rest) in HALVES {
        let values = format!("name: c0\n{rest}\n");
        for half in [defaults, &values] {
            assert!(validator.is_valid(&parsed(half)), "{half}");
        }
        assert!(!alone.is_valid(&parsed(&values)), "{values}");
        let run = render_over(&format!("{defaults}\ntoken: none\n"), &values);
        // The file that stands for a key isn't one.
        let is_only_odd = rest.contains("file: c0.yaml") && run.stderr.contains("no S3 key has");
        assert!(
            run.code == 0 || is_only_odd,
            "{defaults}\n{values}\n{}",
            run.stderr
        );
    }
}

#[test]
fn in_a_fleet_mistakes_are_still_mistakes() {
    let validator = validator_of(&schema_of_fleet());
    let base = "storage: {credentials: workloadIdentity}";
    for wrong in WRONG {
        let text = format!("{base}\n{wrong}\n");
        // What is missing may be in the other half.
        let is_incomplete = wrong.contains("computeStore: {name: a}}");
        assert_eq!(validator.is_valid(&parsed(&text)), is_incomplete, "{text}");
        render_over(&text, "name: c0\n").fails();
    }
}

/// The schema of a fleet leaves what is in a list as it is, and finds that by these two shapes.
#[test]
fn what_lists_hold_is_a_definition_or_plain() {
    fn check(schema: &Value, count: &mut usize) {
        let children = schema
            .as_object()
            .into_iter()
            .flat_map(|keys| keys.values());
        let items = schema.as_array().into_iter().flatten();
        children.chain(items).for_each(|child| check(child, count));
        let Some(items) = schema.get("items") else {
            return;
        };
        *count += 1;
        let plain = ["string", "integer", "number", "boolean"];
        let is_plain = items["type"].as_str().is_some_and(|it| plain.contains(&it));
        assert!(items["$ref"].is_string() || is_plain, "{items}");
    }
    let mut count = 0;
    check(&schema(), &mut count);
    assert!(count > 4, "{count}");
}

#[test]
fn a_cluster_of_a_fleet_has_its_name() {
    let validator = validator_of(&schema_of_fleet());
    let base = "storage: {credentials: workloadIdentity}\ntoken: none\n";
    let values = format!("name: null\n{base}");
    assert!(!validator.is_valid(&parsed(&values)));
    render_over("labels: {a: b}\n", &values).fails_with(&["`name`"]);
    // Defaults have none.
    assert!(validator.is_valid(&parsed(base)));
}

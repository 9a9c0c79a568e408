//! The manifests read with Kubernetes' own types, and with the Cluster's, field by field.
//!
//! The types pass unknown fields over, so each object is written back and compared as a whole: a
//! field that is misspelt or in the wrong place is then missing.

mod external_secrets;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use external_secrets::{ExternalSecret, ExternalSecretSpec, PushSecret, PushSecretSpec};

use crate::objects::json_documents;
use crate::support::{Sandbox, fixture_bytes, fixture_names, fixture_text, render_fixture, run};

/// The Cluster of `michelangelo.api/v2`. Its CRD requires nothing and drops what it doesn't know,
/// so that only this finds a misspelt field.
#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Cluster {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    spec: ClusterSpec,
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ClusterSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    sla: Option<SlaType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dc: Option<DcType>,
    kubernetes: KubernetesSpec,
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
enum SlaType {
    #[serde(rename = "SLA_TYPE_INVALID")]
    Invalid,
    #[serde(rename = "SLA_TYPE_PRODUCTION")]
    Production,
    #[serde(rename = "SLA_TYPE_EPHEMERAL")]
    Ephemeral,
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
enum DcType {
    #[serde(rename = "DC_TYPE_INVALID")]
    Invalid,
    #[serde(rename = "DC_TYPE_ON_PREM")]
    OnPrem,
    #[serde(rename = "DC_TYPE_CLOUD_GCP")]
    CloudGcp,
    #[serde(rename = "DC_TYPE_CLOUD_OCI")]
    CloudOci,
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct KubernetesSpec {
    rest: Rest,
    skus: Vec<Sku>,
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rest {
    host: String,
    port: String,
    token_tag: String,
    ca_data_tag: String,
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Sku {
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_gb: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disk_size_gb: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gpu: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gpu_sku: Option<String>,
}

#[test]
fn every_field_of_every_fixture_is_one_of_its_kind() {
    let sandbox = Sandbox::new();
    let mut kinds = BTreeSet::new();
    for name in fixture_names("values") {
        let stream = run(
            &mut render_fixture(&sandbox, &name, &["--side", "both"]),
            "",
        );
        for object in json_documents(stream.succeeds()) {
            let kind = object["kind"].as_str().unwrap().to_owned();
            assert_eq!(written_back(&kind, &object), object, "{kind} of {name}");
            kinds.insert(kind);
        }
    }
    let all = [
        "Cluster",
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "ExternalSecret",
        "PushSecret",
        "Role",
        "RoleBinding",
        "Secret",
        "ServiceAccount",
    ];
    assert_eq!(kinds, all.map(str::to_owned).into());
}

fn written_back(kind: &str, object: &Value) -> Value {
    fn through<T: DeserializeOwned + Serialize>(object: &Value) -> Value {
        serde_json::to_value(typed::<T>(object)).unwrap()
    }
    match kind {
        "ServiceAccount" => through::<ServiceAccount>(object),
        "ClusterRole" => through::<ClusterRole>(object),
        "ClusterRoleBinding" => through::<ClusterRoleBinding>(object),
        "Role" => through::<Role>(object),
        "RoleBinding" => through::<RoleBinding>(object),
        "ConfigMap" => through::<ConfigMap>(object),
        "Secret" => through::<Secret>(object),
        "ExternalSecret" => through::<ExternalSecret>(object),
        "PushSecret" => through::<PushSecret>(object),
        "Cluster" => {
            assert_eq!(object["apiVersion"], "michelangelo.api/v2");
            through::<Cluster>(object)
        }
        _ => panic!("{kind} is a kind that this program does not render"),
    }
}

#[track_caller]
fn typed<T: DeserializeOwned>(object: &Value) -> T {
    serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{error}: {object:#}"))
}

#[test]
fn misspelt_and_misplaced_fields_are_noticed() {
    for (kind, text) in [
        (
            "Secret",
            "{apiVersion: v1, kind: Secret, metadata: {name: a}, typ: Opaque}",
        ),
        (
            "Secret",
            "{apiVersion: v1, kind: Secret, metadata: {name: a, type: Opaque}}",
        ),
        (
            "ClusterRoleBinding",
            "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {}, roleRef: {apiGroup: a, kind: b, name: c, namespace: d}}",
        ),
    ] {
        let object = json_documents(text).remove(0);
        assert_ne!(written_back(kind, &object), object, "{text}");
    }
    for spec in [
        "{kubernetes: {rest: {host: a, port: '1', tokenTag: b, caDataTag: c}, sku: []}}",
        "{kubernetes: {rest: {host: a, port: 1, tokenTag: b, caDataTag: c}, skus: []}}",
        "{kubernetes: {rest: {host: a, port: '1', tokenTag: b, cadataTag: c}, skus: []}}",
        "{kubernetes: {rest: {host: a, port: '1', tokenTag: b, caDataTag: c}, skus: [{memoryGB: '1'}]}}",
        "{sla: production, kubernetes: {rest: {host: a, port: '1', tokenTag: b, caDataTag: c}, skus: []}}",
    ] {
        // As a value first: read directly, a number would pass for text.
        let read = serde_json::from_value::<ClusterSpec>(json_documents(spec).remove(0));
        assert!(read.is_err(), "{spec}");
    }
}

/// The operator's specs have no field that may be left out, but for those that have no default.
#[test]
fn fields_that_are_missing_in_the_operators_objects_are_noticed() {
    fn takes<T: DeserializeOwned>(spec: &Value) -> bool {
        serde_json::from_value::<T>(spec.clone()).is_ok()
    }
    let sandbox = Sandbox::new();
    let mut command = render_fixture(&sandbox, "external-config-map", &["--side", "both"]);
    let mut seen = 0;
    for object in json_documents(run(&mut command, "").succeeds()) {
        let takes = match object["kind"].as_str().unwrap() {
            "ExternalSecret" => takes::<ExternalSecretSpec>,
            "PushSecret" => takes::<PushSecretSpec>,
            _ => continue,
        };
        let spec = &object["spec"];
        assert!(takes(spec));
        for (path, rest) in without_each(spec) {
            let is_of_a_mapping = path.contains("/template/data/") || path.contains("/labels/");
            let (parent, field) = path.rsplit_once('/').unwrap();
            let is_optional = match field {
                "property" | "manifest" | "type" | "metadata" => true,
                "data" => parent.ends_with("/template"),
                _ => is_of_a_mapping,
            };
            assert_eq!(takes(&rest), is_optional, "{path}");
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen}");
}

/// The value without one of its fields, at whatever depth, for each of them: its path, and the rest.
fn without_each(value: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut below = |key: &str, child: &Value, put: &dyn Fn(Value) -> Value| {
        for (path, changed) in without_each(child) {
            all.push((format!("/{key}{path}"), put(changed)));
        }
    };
    match value {
        Value::Object(fields) => {
            for (key, child) in fields {
                let with = |child| {
                    let mut fields = fields.clone();
                    fields.insert(key.clone(), child);
                    Value::Object(fields)
                };
                below(key, child, &with);
            }
            for key in fields.keys() {
                let mut rest = fields.clone();
                rest.remove(key);
                all.push((format!("/{key}"), Value::Object(rest)));
            }
        }
        Value::Array(items) => {
            for (at, child) in items.iter().enumerate() {
                let with = |child| {
                    let mut items = items.clone();
                    items[at] = child;
                    Value::Array(items)
                };
                below(&at.to_string(), child, &with);
            }
        }
        _ => {}
    }
    all
}

/// Everything that the manual procedure's values render to, side by side with its own words.
#[test]
fn the_seed_registration_is_these_objects() {
    let sandbox = Sandbox::new();
    let stream = run(
        &mut render_fixture(&sandbox, "seed", &["--side", "both"]),
        "",
    );
    let objects = json_documents(stream.succeeds_quietly());
    let objects: [Value; 9] = objects.try_into().unwrap();
    let [
        account,
        role,
        binding,
        config_map,
        storage,
        own_token,
        ca,
        token,
        cluster,
    ] = objects;
    let own_name = "michelangelo-compute-0";
    assert_eq!(
        typed::<ServiceAccount>(&account),
        ServiceAccount {
            metadata: metadata("ray-manager", Some("default")),
            ..ServiceAccount::default()
        }
    );
    assert_eq!(
        typed::<ClusterRole>(&role),
        ClusterRole {
            metadata: metadata("ray-manager", None),
            rules: Some(vec![PolicyRule {
                api_groups: Some(texts(&["ray.io"])),
                resources: Some(texts(&["rayclusters", "rayjobs"])),
                verbs: texts(&[
                    "create", "get", "list", "watch", "update", "patch", "delete"
                ]),
                ..PolicyRule::default()
            }]),
            ..ClusterRole::default()
        }
    );
    assert_eq!(
        typed::<ClusterRoleBinding>(&binding),
        ClusterRoleBinding {
            metadata: metadata("ray-manager-binding", None),
            role_ref: RoleRef {
                api_group: Some("rbac.authorization.k8s.io".to_owned()),
                kind: "ClusterRole".to_owned(),
                name: "ray-manager".to_owned(),
            },
            subjects: Some(vec![Subject {
                kind: "ServiceAccount".to_owned(),
                name: "ray-manager".to_owned(),
                namespace: Some("default".to_owned()),
                ..Subject::default()
            }]),
        }
    );
    assert_eq!(
        typed::<ConfigMap>(&config_map),
        ConfigMap {
            metadata: metadata("michelangelo-config", Some("default")),
            data: Some(map(&[
                ("MA_FILE_SYSTEM", "s3://default"),
                ("MA_FILE_SYSTEM_S3_SCHEME", "http"),
                ("AWS_ENDPOINT_URL", "http://minio.example.com:9091"),
                ("AWS_ACCESS_KEY_ID", "minioadmin"),
                ("AWS_SECRET_ACCESS_KEY", "minioadmin"),
            ])),
            ..ConfigMap::default()
        }
    );
    let keys = [
        ("AWS_ACCESS_KEY_ID", "minioadmin"),
        ("AWS_SECRET_ACCESS_KEY", "minioadmin"),
    ];
    assert_eq!(typed::<Secret>(&storage), opaque("aws-credentials", &keys));
    assert_eq!(
        typed::<Secret>(&own_token),
        Secret {
            metadata: ObjectMeta {
                annotations: Some(map(&[(
                    "kubernetes.io/service-account.name",
                    "ray-manager"
                )])),
                ..metadata("ray-manager-token", Some("default"))
            },
            type_: Some("kubernetes.io/service-account-token".to_owned()),
            ..Secret::default()
        }
    );
    let ca_name = "cluster-michelangelo-compute-0-ca-data";
    let authority = String::from_utf8(fixture_bytes("certificates/ca.crt")).unwrap();
    assert_eq!(
        typed::<Secret>(&ca),
        opaque(ca_name, &[("cadata", &authority)])
    );
    let token_name = "cluster-michelangelo-compute-0-client-token";
    let token_text = fixture_text("tokens/long-lived.token");
    assert_eq!(
        typed::<Secret>(&token),
        opaque(token_name, &[("token", &token_text)])
    );
    assert_eq!(
        typed::<Cluster>(&cluster),
        Cluster {
            api_version: "michelangelo.api/v2".to_owned(),
            kind: "Cluster".to_owned(),
            metadata: metadata(own_name, Some("ma-system")),
            spec: ClusterSpec {
                kubernetes: KubernetesSpec {
                    rest: Rest {
                        host: "https://203.0.113.7".to_owned(),
                        port: "6443".to_owned(),
                        token_tag: token_name.to_owned(),
                        ca_data_tag: ca_name.to_owned(),
                    },
                    skus: Vec::new(),
                },
                ..ClusterSpec::default()
            },
        }
    );
}

fn opaque(name: &str, data: &[(&str, &str)]) -> Secret {
    let data = map(data).into_iter();
    Secret {
        metadata: metadata(name, Some("default")),
        type_: Some("Opaque".to_owned()),
        data: Some(
            data.map(|(key, text)| (key, k8s_openapi::ByteString(text.into_bytes())))
                .collect(),
        ),
        ..Secret::default()
    }
}

fn metadata(name: &str, namespace: Option<&str>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: namespace.map(str::to_owned),
        labels: Some(map(&[
            ("app.kubernetes.io/managed-by", "ma-register"),
            ("app.kubernetes.io/part-of", "michelangelo"),
            ("app.kubernetes.io/instance", "michelangelo-compute-0"),
        ])),
        ..ObjectMeta::default()
    }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

//! Reads the manifests with the types of Kubernetes, the External Secrets Operator and the Cluster.
//!
//! Kubernetes' types ignore unknown fields, so each object is written back and compared: a misspelt or misplaced field
//! is then missing.

mod external_secrets;

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, from_value, to_value};

use crate::support::{fixture, fixtures, objects, run};
use external_secrets::{ExternalSecret, PushSecret};

/// An object whose fields are all known.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Object<Spec> {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    spec: Spec,
}

/// The spec of a Cluster. Stricter than its CRD, which requires nothing and drops unknown fields.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Cluster {
    #[serde(skip_serializing_if = "Option::is_none")]
    sla: Option<SlaType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dc: Option<DcType>,
    #[serde(rename = "schedulerType", skip_serializing_if = "Option::is_none")]
    scheduler_type: Option<SchedulerType>,
    kubernetes: Kubernetes,
}

#[derive(Deserialize, Serialize)]
enum SchedulerType {
    #[serde(rename = "SCHEDULER_TYPE_DEFAULT")]
    Default,
    #[serde(rename = "SCHEDULER_TYPE_KUEUE")]
    Kueue,
}

#[derive(Deserialize, Serialize)]
enum SlaType {
    #[serde(rename = "SLA_TYPE_PRODUCTION")]
    Production,
    #[serde(rename = "SLA_TYPE_EPHEMERAL")]
    Ephemeral,
}

#[derive(Deserialize, Serialize)]
enum DcType {
    #[serde(rename = "DC_TYPE_ON_PREM")]
    OnPrem,
    #[serde(rename = "DC_TYPE_CLOUD_GCP")]
    CloudGcp,
    #[serde(rename = "DC_TYPE_CLOUD_OCI")]
    CloudOci,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Kubernetes {
    rest: Rest,
    skus: Vec<Sku>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rest {
    host: String,
    port: String,
    token_tag: String,
    ca_data_tag: String,
}

#[derive(Deserialize, Serialize)]
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

/// Reads an object into its type and writes it back.
type WriteBack = fn(Value) -> Value;

/// The kind and version of each rendered object.
const KINDS: [(&str, &str, WriteBack); 10] = [
    ("Cluster", "michelangelo.api/v2", write_back::<Object<Cluster>>),
    ("ClusterRole", RBAC, write_back::<ClusterRole>),
    ("ClusterRoleBinding", RBAC, write_back::<ClusterRoleBinding>),
    ("ConfigMap", "v1", write_back::<ConfigMap>),
    ("ExternalSecret", "external-secrets.io/v1", write_back::<Object<ExternalSecret>>),
    ("PushSecret", "external-secrets.io/v1alpha1", write_back::<Object<PushSecret>>),
    ("Role", RBAC, write_back::<Role>),
    ("RoleBinding", RBAC, write_back::<RoleBinding>),
    ("Secret", "v1", write_back::<Secret>),
    ("ServiceAccount", "v1", write_back::<ServiceAccount>),
];
const RBAC: &str = "rbac.authorization.k8s.io/v1";

fn write_back<T: DeserializeOwned + Serialize>(object: Value) -> Value {
    let shown = format!("{object:#}");
    let typed: T = from_value(object).unwrap_or_else(|error| panic!("{error}: {shown}"));
    to_value(typed).unwrap()
}

#[test]
fn every_field_of_every_fixture_is_one_of_its_kind() {
    let mut seen = BTreeSet::new();
    for name in fixtures() {
        let run = run(&mut fixture(&["render", "--side", "both"], &name));
        for object in objects(run.succeeds()) {
            let of_kind = |(kind, ..): &&(&str, _, _)| object["kind"] == *kind;
            let (kind, version, write_back) = KINDS.iter().find(of_kind).unwrap();
            assert_eq!(object["apiVersion"], *version, "{kind} of {name}");
            assert_eq!(write_back(object.clone()), object, "{kind} of {name}");
            seen.insert(*kind);
        }
    }
    assert_eq!(seen, KINDS.iter().map(|(kind, ..)| *kind).collect());
}

#[test]
fn misspelt_and_misplaced_fields_are_noticed() {
    for text in [
        "{kind: Secret, apiVersion: v1, metadata: {name: a}, typ: Opaque}",
        "{kind: Secret, apiVersion: v1, metadata: {name: a, type: Opaque}}",
    ] {
        let object = objects(text).remove(0);
        assert_ne!(write_back::<Secret>(object.clone()), object, "{text}");
    }
    let rest = "rest: {host: a, port: '1', tokenTag: b, caDataTag: c}";
    assert!(is_cluster(&format!("{{kubernetes: {{{rest}, skus: []}}}}")));
    for spec in [
        format!("{{kubernetes: {{{rest}, sku: []}}}}"),
        format!("{{kubernetes: {{{rest}, skus: [{{memoryGB: '1'}}]}}}}"),
        format!("{{kubernetes: {{{rest}, skus: [{{memoryGb: 1}}]}}}}"),
        format!("{{kubernetes: {{{rest}, skus: []}}, sla: production}}"),
        "{kubernetes: {rest: {host: a, port: 1, tokenTag: b, caDataTag: c}, skus: []}}".to_owned(),
    ] {
        assert!(!is_cluster(&spec), "{spec}");
    }
}

fn is_cluster(spec: &str) -> bool {
    // Through a `Value`, since serde_yaml would read a number as a string.
    from_value::<Cluster>(objects(spec).remove(0)).is_ok()
}

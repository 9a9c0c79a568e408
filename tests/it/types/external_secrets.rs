//! The External Secrets Operator's kinds, from the field list of its API: every field that its CRDs
//! know and this program may write, and every default that the API server would fill in as a field
//! that has to be there.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};

/// `ExternalSecret` of `external-secrets.io/v1`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalSecret {
    api_version: V1,
    kind: String,
    metadata: ObjectMeta,
    spec: ExternalSecretSpec,
}

#[derive(Debug, Deserialize, Serialize)]
enum V1 {
    #[serde(rename = "external-secrets.io/v1")]
    V1,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalSecretSpec {
    refresh_interval: String,
    secret_store_ref: StoreRef,
    target: Target,
    data: Vec<Data>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoreRef {
    name: String,
    kind: StoreKind,
}

#[derive(Debug, Deserialize, Serialize)]
enum StoreKind {
    SecretStore,
    ClusterSecretStore,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Target {
    name: String,
    creation_policy: CreationPolicy,
    deletion_policy: TargetDeletionPolicy,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<TargetManifest>,
    template: Template,
}

#[derive(Debug, Deserialize, Serialize)]
enum CreationPolicy {
    Owner,
    Orphan,
    Merge,
    None,
}

#[derive(Debug, Deserialize, Serialize)]
enum TargetDeletionPolicy {
    Delete,
    Merge,
    Retain,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TargetManifest {
    api_version: String,
    kind: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Template {
    engine_version: EngineVersion,
    merge_policy: MergePolicy,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    type_: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<TemplateMetadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum EngineVersion {
    V2,
}

#[derive(Debug, Deserialize, Serialize)]
enum MergePolicy {
    Replace,
    Merge,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct TemplateMetadata {
    labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Data {
    secret_key: String,
    remote_ref: RemoteRef,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RemoteRef {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    property: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    conversion_strategy: ConversionStrategy,
    decoding_strategy: DecodingStrategy,
    metadata_policy: MetadataPolicy,
}

#[derive(Debug, Deserialize, Serialize)]
enum ConversionStrategy {
    Default,
    Unicode,
}

#[derive(Debug, Deserialize, Serialize)]
enum DecodingStrategy {
    Auto,
    Base64,
    Base64URL,
    None,
}

#[derive(Debug, Deserialize, Serialize)]
enum MetadataPolicy {
    None,
    Fetch,
}

/// `PushSecret` of `external-secrets.io/v1alpha1`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PushSecret {
    api_version: V1Alpha1,
    kind: String,
    metadata: ObjectMeta,
    spec: PushSecretSpec,
}

#[derive(Debug, Deserialize, Serialize)]
enum V1Alpha1 {
    #[serde(rename = "external-secrets.io/v1alpha1")]
    V1Alpha1,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PushSecretSpec {
    refresh_interval: String,
    update_policy: UpdatePolicy,
    deletion_policy: PushDeletionPolicy,
    secret_store_refs: Vec<StoreRef>,
    selector: Selector,
    template: Template,
    data: Vec<PushData>,
}

#[derive(Debug, Deserialize, Serialize)]
enum UpdatePolicy {
    Replace,
    IfNotExists,
}

#[derive(Debug, Deserialize, Serialize)]
enum PushDeletionPolicy {
    Delete,
    None,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Selector {
    secret: SelectedSecret,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SelectedSecret {
    name: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PushData {
    #[serde(rename = "match")]
    match_: Match,
    conversion_strategy: PushConversionStrategy,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Match {
    secret_key: String,
    remote_ref: PushRemoteRef,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PushRemoteRef {
    remote_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    property: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
enum PushConversionStrategy {
    None,
    ReverseUnicode,
}

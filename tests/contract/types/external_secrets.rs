//! The rendered part of the External Secrets Operator's specs. Fields that the API server would fill in are required,
//! since GitOps tools would show a diff forever.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalSecret {
    refresh_interval: String,
    secret_store_ref: StoreRef,
    target: Target,
    data: Vec<Data>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoreRef {
    name: String,
    kind: StoreKind,
}

#[derive(Deserialize, Serialize)]
enum StoreKind {
    SecretStore,
    ClusterSecretStore,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Target {
    name: String,
    creation_policy: Owner,
    deletion_policy: Retain,
    template: TargetTemplate,
}

#[derive(Deserialize, Serialize)]
enum Owner {
    Owner,
}

#[derive(Deserialize, Serialize)]
enum Retain {
    Retain,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TargetTemplate {
    engine_version: V2,
    merge_policy: Replace,
    r#type: Opaque,
    metadata: TemplateMetadata,
}

#[derive(Deserialize, Serialize)]
enum V2 {
    #[serde(rename = "v2")]
    V2,
}

#[derive(Deserialize, Serialize)]
enum Replace {
    Replace,
}

#[derive(Deserialize, Serialize)]
enum Opaque {
    Opaque,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct TemplateMetadata {
    labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Data {
    secret_key: String,
    remote_ref: RemoteRef,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RemoteRef {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    property: Option<String>,
    conversion_strategy: Strategy,
    decoding_strategy: Never,
    metadata_policy: Never,
}

#[derive(Deserialize, Serialize)]
enum Strategy {
    Default,
}

#[derive(Deserialize, Serialize)]
enum Never {
    None,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PushSecret {
    refresh_interval: String,
    update_policy: Replace,
    deletion_policy: Never,
    secret_store_refs: Vec<StoreRef>,
    selector: Selector,
    template: PushTemplate,
    data: Vec<PushData>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Selector {
    secret: SelectedSecret,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SelectedSecret {
    name: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PushTemplate {
    engine_version: V2,
    merge_policy: Replace,
    r#type: Opaque,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PushData {
    r#match: Match,
    conversion_strategy: Never,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Match {
    secret_key: String,
    remote_ref: PushRemoteRef,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PushRemoteRef {
    remote_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    property: Option<String>,
}

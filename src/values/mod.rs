//! The values file: what a platform engineer writes about one compute cluster.
//!
//! These types mirror the file. Every key is optional, since defaults may set it: [`crate::registration`] checks which
//! are missing and which contradict each other.

mod folder;
mod forms;
mod load;
mod merge;
mod secrets;
mod text;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use forms::{Credentials, KeyPair, RemoteKeys, SecretForm, SecretSource, TokenForm};
pub use load::{MergedValues, load};
pub use secrets::read_secret_file;
pub use text::Text;

use crate::findings::Code;

/// An RFC 1123 subdomain, the form of most objects' names.
const SUBDOMAIN: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// Whether a key's value may be a secret. A key below it may be a misplaced part of one.
fn may_be_secret(key: &str) -> bool {
    ["storage.credentials", "storage.extraEnv", "token"].iter().any(|secret| {
        key.strip_prefix(secret).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// Everything that a values file may hold.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a mapping")]
pub struct Values {
    /// Name of the compute cluster in the control plane.
    #[schemars(
        required,
        length(min = 1, max = 63),
        regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub name: Option<Text>,
    /// The compute kubeconfig, and settings that replace its own.
    pub kubeconfig: Option<KubeconfigValues>,
    /// Settings of the Cluster's spec.
    pub cluster: Option<ClusterSpec>,
    /// The object storage that jobs use.
    pub storage: Option<StorageValues>,
    /// The service account that the control plane uses in the compute cluster.
    pub service_account: Option<ServiceAccountValues>,
    /// ServiceAccount `default`, that every Ray pod runs as. It is rendered only if this is given.
    pub pod_service_account: Option<PodServiceAccountValues>,
    /// Source of the service account's token; left out, `--token-file`.
    pub token: Option<TokenForm>,
    /// Stores of the External Secrets Operator.
    pub external_secrets: Option<ExternalSecretsValues>,
    /// Labels added to every manifest.
    #[schemars(with = "Option<BTreeMap<Text, Option<Text>>>")]
    pub labels: Option<BTreeMap<Text, Text>>,
    /// Annotations added to every manifest.
    #[schemars(with = "Option<BTreeMap<Text, Option<Text>>>")]
    pub annotations: Option<BTreeMap<Text, Text>>,
    /// Findings that are accepted for this cluster.
    pub allow: Option<Vec<Code>>,
}

/// `kubeconfig`: where and how the compute kubeconfig is read.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(
    rename_all = "camelCase",
    deny_unknown_fields,
    expecting = "a mapping such as `{path: FILE}`"
)]
pub struct KubeconfigValues {
    /// Path of the kubeconfig, relative to the values file; left out, `$KUBECONFIG` or `~/.kube/config`.
    #[schemars(length(min = 1))]
    pub path: Option<Text>,
    /// Name of the context in it; left out, the current one.
    pub context: Option<Text>,
    /// The address at which the control plane reaches the API server, where that differs:
    /// `https://HOST:PORT`.
    #[schemars(regex(pattern = "^[Hh][Tt][Tt][Pp][Ss]://"))]
    pub server: Option<Text>,
    /// Path of a PEM file, relative to the values file, where the kubeconfig has no certificate authority
    /// or another one; or `system`, for a server with a certificate from a public authority.
    #[schemars(length(min = 1))]
    pub certificate_authority: Option<Text>,
}

/// `cluster`: what is copied into the Cluster's spec.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a mapping")]
pub struct ClusterSpec {
    /// Service level.
    pub sla: Option<Sla>,
    /// Kind of data centre.
    pub dc: Option<Dc>,
    /// Region, in the provider's own words.
    #[schemars(length(min = 1))]
    pub region: Option<Text>,
    /// Zone, in the provider's own words.
    #[schemars(length(min = 1))]
    pub zone: Option<Text>,
    /// How jobs are scheduled there; left out, so is the field, which older control planes don't know. With `kueue`
    /// the control plane needs `controllermgr.jobs.scheduler.backend: kueue`, and each project a LocalQueue.
    pub scheduler_type: Option<SchedulerType>,
    /// Kinds of machine.
    pub skus: Option<Vec<Sku>>,
}

/// How jobs are scheduled in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SchedulerType {
    /// By Kubernetes alone.
    #[serde(rename(deserialize = "default", serialize = "SCHEDULER_TYPE_DEFAULT"))]
    Default,
    /// By Kueue.
    #[serde(rename(deserialize = "kueue", serialize = "SCHEDULER_TYPE_KUEUE"))]
    Kueue,
}

/// Service level of a cluster.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
pub enum Sla {
    /// For production.
    #[serde(rename(deserialize = "production", serialize = "SLA_TYPE_PRODUCTION"))]
    Production,
    /// Without a promise.
    #[serde(rename(deserialize = "ephemeral", serialize = "SLA_TYPE_EPHEMERAL"))]
    Ephemeral,
}

/// Kind of data centre that a cluster is in.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
pub enum Dc {
    /// Your own.
    #[serde(rename(deserialize = "on-prem", serialize = "DC_TYPE_ON_PREM"))]
    OnPrem,
    /// Google Cloud.
    #[serde(rename(deserialize = "gcp", serialize = "DC_TYPE_CLOUD_GCP"))]
    Gcp,
    /// Oracle Cloud.
    #[serde(rename(deserialize = "oci", serialize = "DC_TYPE_CLOUD_OCI"))]
    Oci,
}

/// One kind of machine of a cluster; fields as in the Cluster's `spec.kubernetes.skus`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a mapping")]
pub struct Sku {
    /// Number of processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u16>,
    /// Memory in GB, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_gb: Option<Text>,
    /// Disk in GB, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_size_gb: Option<Text>,
    /// Number of GPUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<u16>,
    /// Kind of GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_sku: Option<Text>,
}

/// `storage`: the object storage that jobs use.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a mapping")]
pub struct StorageValues {
    /// An fsspec URL; left out, `s3://default`.
    #[schemars(regex(pattern = "^[a-z][-+.:a-z0-9]*://"))]
    pub file_system: Option<Text>,
    /// Scheme of the endpoint; left out, that of its URL, or `https` without one.
    pub scheme: Option<Scheme>,
    /// URL of an S3 API, as pods of the compute cluster reach it; left out for AWS S3 itself.
    #[schemars(regex(pattern = "^https?://"))]
    pub endpoint: Option<Text>,
    /// How jobs get access.
    pub credentials: Option<Credentials>,
    /// Region of the S3 API, as `AWS_REGION` and `AWS_DEFAULT_REGION` of every Ray pod. AWS S3 outside `us-east-1`
    /// needs it.
    #[schemars(length(min = 1))]
    pub region: Option<Text>,
    /// Name of a second Secret with the S3 key, for the log collector of Michelangelo's chart: its value
    /// `controllermgr.jobs.k8sengine.mapper.logPersistence.credentialsSecret`, by default
    /// `michelangelo-object-storage-credentials`. `none` if logs aren't kept or someone else makes the Secret.
    #[schemars(length(max = 253), regex(pattern = SUBDOMAIN))]
    pub collector_secret: Option<Text>,
    /// Further environment variables of every Ray pod.
    #[schemars(with = "Option<BTreeMap<Text, Option<SecretForm>>>")]
    pub extra_env: Option<BTreeMap<Text, SecretForm>>,
}

/// Scheme of the storage endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Unencrypted.
    Http,
    /// Encrypted.
    Https,
}

impl std::fmt::Display for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

/// `serviceAccount`: the service account that the control plane uses in the compute cluster.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a mapping")]
pub struct ServiceAccountValues {
    /// Whether the ServiceAccount, its role and its binding are rendered; left out, `true`. With `false` someone else
    /// has them, such as a chart, and only the token Secrets are rendered.
    pub create: Option<bool>,
    /// Its name, in namespace `default`; left out, `ray-manager`.
    #[schemars(length(max = 253), regex(pattern = SUBDOMAIN))]
    pub name: Option<Text>,
    /// Names of its token Secrets, of which the last is the current one: append one to rotate. Left out,
    /// `[NAME-token]`.
    #[schemars(length(min = 1), extend("uniqueItems" = true), inner(length(max = 253), regex(pattern = SUBDOMAIN)))]
    pub token_secrets: Option<Vec<Text>>,
    /// Rules beyond those for Ray.
    pub extra_rules: Option<Vec<Rule>>,
    /// How far its rights reach; left out, `cluster`.
    pub scope: Option<Scope>,
}

/// `podServiceAccount`: ServiceAccount `default`, that every Ray pod runs as.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a mapping")]
pub struct PodServiceAccountValues {
    /// Its annotations, by which a platform gives pods access: `eks.amazonaws.com/role-arn` or
    /// `iam.gke.io/gcp-service-account`.
    #[schemars(with = "Option<BTreeMap<Text, Option<Text>>>")]
    pub annotations: Option<BTreeMap<Text, Text>>,
    /// Names of its image pull secrets. They replace those that it has.
    pub image_pull_secrets: Option<Vec<Text>>,
}

/// How far the service account's rights reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Every namespace: a ClusterRole and a ClusterRoleBinding.
    #[default]
    Cluster,
    /// Namespace `default`: a Role and a RoleBinding.
    Namespace,
}

/// A PolicyRule of `rbac.authorization.k8s.io/v1`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a mapping")]
pub struct Rule {
    /// API groups; `""` is the core group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_groups: Option<Vec<Text>>,
    /// Resources, in plural and lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<Text>>,
    /// Names of the objects that the rule is about; left out, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_names: Option<Vec<Text>>,
    /// Paths that aren't resources, such as `/metrics`.
    #[serde(rename = "nonResourceURLs", skip_serializing_if = "Option::is_none")]
    pub non_resource_urls: Option<Vec<Text>>,
    /// Allowed verbs, such as `get`.
    #[schemars(length(min = 1))]
    pub verbs: Vec<Text>,
}

/// `externalSecrets`: how the External Secrets Operator reaches the stores.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a mapping")]
pub struct ExternalSecretsValues {
    /// The store as the compute cluster knows it.
    pub compute_store: Option<Store>,
    /// The store as the control-plane cluster knows it.
    pub control_plane_store: Option<Store>,
    /// Prefix of the token's key in the store, before the cluster's name; left out, `michelangelo/`.
    #[schemars(regex(pattern = "^[-a-z0-9/]*$"))]
    pub key_prefix: Option<Text>,
    /// Property that the token has there; null where the store has no properties. Left out, `token`.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<Text>", regex(pattern = "^[-_A-Za-z0-9]+$"))]
    pub property: Option<Option<Text>>,
    /// How often the operator looks, in whole hours, minutes and seconds, such as `90m`; `0s` is once.
    /// Left out, `1h0m0s`.
    #[schemars(regex(pattern = "^(0|([0-9]+[hms])+)$"))]
    pub refresh_interval: Option<Text>,
}

/// A store of the External Secrets Operator.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
pub struct Store {
    /// Its name.
    #[schemars(length(max = 253), regex(pattern = SUBDOMAIN))]
    pub name: Text,
    /// Its kind.
    pub kind: StoreKind,
}

/// Kind of a store of the External Secrets Operator.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
pub enum StoreKind {
    /// A store of namespace `default`.
    SecretStore,
    /// A store for every namespace.
    ClusterSecretStore,
}

/// With `#[serde(default)]`, distinguishes a null from a missing key.
fn given<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

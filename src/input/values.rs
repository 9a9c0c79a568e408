//! The values file: what a platform engineer writes about one compute cluster.
//!
//! These types mirror the file. They say what may be written where; whether it makes sense
//! together is decided in [`crate::registration`].

mod forms;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

pub use forms::{
    CREDENTIALS_FORMS, CredentialsValues, RemoteKeysValues, SecretSource, SecretValue, TokenValues,
};

/// What Kubernetes takes for the name of most objects: an RFC 1123 subdomain.
const SUBDOMAIN: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// Everything that a values file may hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Values {
    /// Name of the compute cluster in the control plane.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub name: String,
    /// Where and how the compute kubeconfig is read.
    pub kubeconfig: Option<KubeconfigValues>,
    /// What is copied into the Cluster's spec.
    pub cluster: Option<ClusterValues>,
    /// The object storage that jobs use.
    #[schemars(required)]
    pub storage: Option<StorageValues>,
    /// The service account by which the control plane works in the compute cluster.
    pub service_account: Option<ServiceAccountValues>,
    /// Where the service account's token comes from.
    pub token: Option<TokenValues>,
    /// Stores of the External Secrets Operator.
    pub external_secrets: Option<ExternalSecretsValues>,
    /// Labels added to every manifest.
    pub labels: Option<BTreeMap<String, String>>,
    /// Annotations added to every manifest.
    pub annotations: Option<BTreeMap<String, String>>,
    /// Findings that are accepted for this cluster, by their codes: what would otherwise be an error or
    /// a warning, such as `loopback-server`.
    pub allow: Option<Vec<String>>,
}

/// `kubeconfig`: where and how the compute kubeconfig is read.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubeconfigValues {
    /// Path of the kubeconfig, relative to the values file; where it is left out, `--kubeconfig`,
    /// `$KUBECONFIG` or `~/.kube/config`.
    #[schemars(length(min = 1))]
    pub path: Option<String>,
    /// Name of the context in it; where it is left out, `--context` or the current one.
    pub context: Option<String>,
    /// The address at which the control plane reaches the API server, where that differs:
    /// `https://HOST:PORT`.
    #[schemars(regex(pattern = "^[Hh][Tt][Tt][Pp][Ss]://"))]
    pub server: Option<String>,
    /// Path of a PEM file, relative to the values file, where the kubeconfig has none or another one; or
    /// `system`, for a server whose certificate comes from a public authority.
    #[schemars(length(min = 1))]
    pub certificate_authority: Option<String>,
}

/// `cluster`: what is copied into the Cluster's spec.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterValues {
    /// Service level.
    pub sla: Option<Sla>,
    /// Kind of data centre.
    pub dc: Option<DataCentre>,
    /// Region, in the provider's own words.
    #[schemars(length(min = 1))]
    pub region: Option<String>,
    /// Zone, in the provider's own words.
    #[schemars(length(min = 1))]
    pub zone: Option<String>,
    /// Kinds of machine.
    pub skus: Option<Vec<Sku>>,
}

/// Service level of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sla {
    /// `SLA_TYPE_PRODUCTION`
    Production,
    /// `SLA_TYPE_EPHEMERAL`
    Ephemeral,
}

/// Kind of data centre that a cluster is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DataCentre {
    /// `DC_TYPE_ON_PREM`
    OnPrem,
    /// `DC_TYPE_CLOUD_GCP`
    Gcp,
    /// `DC_TYPE_CLOUD_OCI`
    Oci,
}

/// One kind of machine of a cluster; fields as in the Cluster's `spec.kubernetes.skus`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sku {
    /// Number of processors.
    #[schemars(range(min = 0, max = i32::MAX))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<i32>,
    /// Memory in GB, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_gb: Option<String>,
    /// Disk in GB, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_size_gb: Option<String>,
    /// Number of GPUs.
    #[schemars(range(min = 0, max = i32::MAX))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<i32>,
    /// Kind of GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_sku: Option<String>,
}

/// `storage`: the object storage that jobs use.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageValues {
    /// An fsspec URL; `s3://default` where it is left out.
    #[schemars(regex(pattern = "^[A-Za-z][-+.:A-Za-z0-9]*://"))]
    pub file_system: Option<String>,
    /// Scheme of the endpoint; where it is left out, that of its URL, or `https` without one.
    pub scheme: Option<StorageScheme>,
    /// URL of an S3 API, as pods of the compute cluster reach it; left out for AWS's own.
    #[schemars(regex(pattern = "^https?://"))]
    pub endpoint: Option<String>,
    /// How jobs get access: by a key that stands here or is read from elsewhere, by the platform
    /// (`workloadIdentity`), by a store, or by a Secret that is there already.
    #[schemars(required)]
    pub credentials: Option<CredentialsValues>,
    /// Further environment variables of every pod.
    pub extra_env: Option<BTreeMap<String, String>>,
}

/// Scheme of the storage endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StorageScheme {
    /// Unencrypted.
    Http,
    /// Encrypted.
    Https,
}

impl StorageScheme {
    /// The scheme as it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// `serviceAccount`: the service account by which the control plane works in the compute cluster.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceAccountValues {
    /// Its name, in namespace `default`; `ray-manager` where it is left out.
    #[schemars(length(max = 253), regex(pattern = SUBDOMAIN))]
    pub name: Option<String>,
    /// Names of its token Secrets, of which the last is the current one: append one to rotate.
    /// `[NAME-token]` where they are left out.
    #[schemars(length(min = 1), extend("uniqueItems" = true), inner(length(max = 253), regex(pattern = SUBDOMAIN)))]
    pub token_secrets: Option<Vec<String>>,
    /// Rules beyond those for Ray.
    pub extra_rules: Option<Vec<Rule>>,
    /// How far its rights reach; `cluster` where it is left out.
    pub scope: Option<Scope>,
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// API groups; `""` is the core group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_groups: Option<Vec<String>>,
    /// Resources, in plural and lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<String>>,
    /// Names of the objects that the rule is about; all where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_names: Option<Vec<String>>,
    /// Paths that aren't resources, such as `/metrics`.
    #[serde(rename = "nonResourceURLs", skip_serializing_if = "Option::is_none")]
    pub non_resource_urls: Option<Vec<String>>,
    /// What is allowed, such as `get`.
    #[schemars(length(min = 1))]
    pub verbs: Vec<String>,
}

/// `externalSecrets`: how the External Secrets Operator reaches the stores.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalSecretsValues {
    /// The store as the compute cluster knows it.
    pub compute_store: Option<StoreValues>,
    /// The store as the control-plane cluster knows it.
    pub control_plane_store: Option<StoreValues>,
    /// What the token's key in the store begins with; the cluster's name follows. `michelangelo/` where
    /// it is left out.
    #[schemars(regex(pattern = "^[-a-z0-9/]*$"))]
    pub key_prefix: Option<String>,
    /// Property that the token has there; given as null where the store has no properties.
    #[serde(default, deserialize_with = "given")]
    #[schemars(extend("default" = "token"), regex(pattern = "^[-_A-Za-z0-9]+$"))]
    pub property: Option<Option<String>>,
    /// How often the operator looks, in whole hours, minutes and seconds, such as `90m`; `0s` is once.
    /// `1h0m0s` where it is left out.
    #[schemars(regex(pattern = "^(0|([0-9]+[hms])+)$"))]
    pub refresh_interval: Option<String>,
}

/// A store of the External Secrets Operator.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreValues {
    /// Its name.
    #[schemars(length(max = 253), regex(pattern = SUBDOMAIN))]
    pub name: String,
    /// Its kind.
    pub kind: StoreKind,
}

/// Kind of a store of the External Secrets Operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum StoreKind {
    /// A store of namespace `default`.
    SecretStore,
    /// A store for every namespace.
    ClusterSecretStore,
}

impl StoreKind {
    /// The kind as Kubernetes knows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SecretStore => "SecretStore",
            Self::ClusterSecretStore => "ClusterSecretStore",
        }
    }
}

/// Tells a key that is given as null from one that isn't given, with `#[serde(default)]`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

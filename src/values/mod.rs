//! The values file: what a platform engineer writes about one compute cluster.
//!
//! These types mirror the file. Every key is optional, since defaults may set it: [`crate::registration`] checks which
//! are missing and which contradict each other.

mod folder;
mod forms;
mod load;
mod merge;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use folder::count_keys;
pub use forms::{Credentials, RemoteKeys, SecretForm, SecretSource, Text, TokenForm};
pub use load::{MergedValues, load};

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
    /// Name of the compute cluster in the control plane. Required: at most 63 small letters, digits and `-`. The
    /// Cluster and its Secrets are named after it. Another name registers another cluster, and the old registration
    /// stays.
    #[schemars(
        required,
        length(min = 1, max = 63),
        regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub name: Option<Text>,
    /// The compute cluster's kubeconfig, and settings that replace its own. All are optional. Credentials aren't read
    /// from it.
    pub kubeconfig: Option<KubeconfigValues>,
    /// Settings that are copied into the Cluster's spec. All are optional.
    pub cluster: Option<ClusterSpec>,
    /// The object storage that jobs use. Every Ray pod gets it as environment variables, from ConfigMap
    /// `michelangelo-config`.
    pub storage: Option<StorageValues>,
    /// The service account that the control plane uses in the compute cluster. All keys are optional. It is in
    /// namespace `default`.
    pub service_account: Option<ServiceAccountValues>,
    /// ServiceAccount `default`, which every Ray pod uses. It is rendered only if this is given. It is in namespace
    /// `default`; other pods may use it, too, so `runbook deregister` leaves it.
    pub pod_service_account: Option<PodServiceAccountValues>,
    /// Source of the token: `{file: PATH}`, `{env: NAME}`, `externalSecret` or `none`. Left out, pass `--token-file`,
    /// which also replaces this key; the script of `runbook register` reads the token from the compute cluster.
    pub token: Option<TokenForm>,
    /// Stores of the External Secrets Operator. `token: externalSecret` needs both stores,
    /// `storage.credentials.externalSecret` only `computeStore`.
    pub external_secrets: Option<ExternalSecretsValues>,
    /// Labels of every object: a mapping of names to text. Default: none beside the program's own. ServiceAccount
    /// `default` doesn't get them.
    #[schemars(with = "Option<BTreeMap<Text, Option<Text>>>")]
    pub labels: Option<BTreeMap<Text, Text>>,
    /// Annotations of every object: a mapping of names to text. Default: none beside those that an object needs.
    /// ServiceAccount `default` doesn't get them.
    #[schemars(with = "Option<BTreeMap<Text, Option<Text>>>")]
    pub annotations: Option<BTreeMap<Text, Text>>,
    /// Findings to accept for this cluster: a list of codes. Default: none. An accepted finding is not printed and
    /// doesn't stop the run, even with `--strict`; `inspect` lists it. `duplicate-endpoint` has to be in the lists of
    /// both clusters.
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
    /// Path of the kubeconfig, relative to the file that names it. Default: `$KUBECONFIG`, or `~/.kube/config`. `~` and
    /// variables aren't expanded. `--kubeconfig` replaces it.
    #[schemars(length(min = 1))]
    pub path: Option<Text>,
    /// Name of the context to use. Default: the current one, with the finding `unpinned-context` if there are several.
    /// `--context` replaces it.
    pub context: Option<Text>,
    /// URL at which the control plane reaches the API server, `https://HOST:PORT`. Default: the server of the
    /// kubeconfig; the port is 443 if it is left out. Set it if that address works only on your machine, or only
    /// through a proxy. The server's certificate has to be for this host.
    #[schemars(regex(pattern = "^[Hh][Tt][Tt][Pp][Ss]://"))]
    pub server: Option<Text>,
    /// CA that verifies the API server: the path of a PEM file, or `system`. Default: the CA of the kubeconfig. The
    /// path is relative to the file that names it. `system` is for a server with a certificate from a public authority:
    /// the controller then uses its own roots.
    #[schemars(length(min = 1))]
    pub certificate_authority: Option<Text>,
}

/// `cluster`: what is copied into the Cluster's spec.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a mapping")]
pub struct ClusterSpec {
    /// Service level of the cluster. Default: left out.
    pub sla: Option<Sla>,
    /// Kind of data centre that the cluster is in. Default: left out, for AWS as well.
    pub dc: Option<Dc>,
    /// Region of the cluster, as its provider names it, such as `us-east-1`. Default: left out. The region of the
    /// storage is another key, `storage.region`.
    #[schemars(length(min = 1))]
    pub region: Option<Text>,
    /// Zone of the cluster, as its provider names it, such as `us-east-1a`. Default: left out.
    #[schemars(length(min = 1))]
    pub zone: Option<Text>,
    /// How jobs are scheduled in the cluster. Default: left out, as older control planes don't know the field. `kueue`
    /// needs `controllermgr.jobs.scheduler.backend: kueue` in Michelangelo's chart, and for each project a LocalQueue
    /// `ma-PROJECT` in namespace `default` of the compute cluster.
    pub scheduler_type: Option<SchedulerType>,
    /// Kinds of machine that the cluster has, a list. Default: none. All keys are optional: `[{cpu: 8, memoryGb:
    /// "32"}]`.
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
    /// Number of processors of a machine, such as `8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u16>,
    /// Memory of a machine in GB, as text: `"32"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_gb: Option<Text>,
    /// Disk of a machine in GB, as text: `"100"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_size_gb: Option<Text>,
    /// Number of GPUs of a machine, such as `1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<u16>,
    /// Kind of the GPUs, such as `a100`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_sku: Option<Text>,
}

/// `storage`: the object storage that jobs use.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a mapping")]
pub struct StorageValues {
    /// Where jobs keep their data: an fsspec URL, such as `s3://BUCKET`. Default: `s3://default`, a bucket called
    /// `default`.
    #[schemars(regex(pattern = "^[a-z][-+.:a-z0-9]*://"))]
    pub file_system: Option<Text>,
    /// Scheme of `storage.endpoint`. Default: that of its URL, or `https` if there is no endpoint. Leave it out: the
    /// two have to agree.
    pub scheme: Option<Scheme>,
    /// URL of the S3 API, as pods of the compute cluster reach it. Default: left out, for AWS S3 itself.
    /// `http://HOST:PORT` or `https://HOST:PORT`, without the bucket, which belongs in `storage.fileSystem`.
    #[schemars(regex(pattern = "^[Hh][Tt][Tt][Pp][Ss]?://"))]
    pub endpoint: Option<Text>,
    /// How jobs get access to the storage. Required: a key pair (`accessKeyId` and `secretAccessKey`), or one of the
    /// other forms. Ray pods read a key pair from ConfigMap `michelangelo-config`, where it is plain text. Beside
    /// `workloadIdentity` and `existingSecret`, `storage.collectorSecret` is `none`: there is no key for it.
    pub credentials: Option<Credentials>,
    /// Region of the S3 API, such as `eu-west-1`. Default: left out. Every Ray pod gets it as `AWS_REGION` and
    /// `AWS_DEFAULT_REGION`; AWS S3 outside `us-east-1` needs it.
    #[schemars(length(min = 1))]
    pub region: Option<Text>,
    /// Secret with the S3 key for the log collector: its name, or `none`. Default: left out, with the finding
    /// `no-collector-secret`. By default Michelangelo's chart runs a log collector beside each Ray container, and
    /// without this Secret no Ray pod starts. The program renders it. Its name is the chart's value
    /// `controllermgr.jobs.k8sengine.mapper.logPersistence.credentialsSecret`, by default
    /// `michelangelo-object-storage-credentials`. Write `none` if logs aren't kept, if someone else makes the Secret,
    /// or if there is no key.
    #[schemars(length(max = 253), regex(pattern = SUBDOMAIN))]
    pub collector_secret: Option<Text>,
    /// Further environment variables of every Ray pod: a mapping of names to values. Default: none. A value is text,
    /// `{env: NAME}` or `{file: PATH}`; the last two are secrets, but the ConfigMap holds them as plain text. Those of
    /// the other keys of `storage`, such as `AWS_ENDPOINT_URL`, are errors.
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
    /// Whether the ServiceAccount, its role and its binding are rendered. Default: `true`. With `false` someone else
    /// makes them, such as a chart. The token Secrets are still rendered; `scope` and `extraRules` are then errors.
    pub create: Option<bool>,
    /// Name of the service account. Default: `ray-manager`.
    #[schemars(length(max = 253), regex(pattern = SUBDOMAIN))]
    pub name: Option<Text>,
    /// Names of its token Secrets, the current one last. Default: one, the account's name with `-token`:
    /// `[ray-manager-token]`. To rotate the token, append a name, and make and run the script of `runbook register`
    /// again. It says when the old name may be removed.
    #[schemars(length(min = 1), extend("uniqueItems" = true), inner(length(max = 253), regex(pattern = SUBDOMAIN)))]
    pub token_secrets: Option<Vec<Text>>,
    /// Rules of its role beyond those that Ray jobs need, as in a ClusterRole. Default: none. A rule has `verbs`, and
    /// `apiGroups` and `resources`, or `nonResourceURLs`.
    pub extra_rules: Option<Vec<Rule>>,
    /// Namespaces in which its rights apply. Default: `cluster`. Ray jobs run in namespace `default`, so `namespace` is
    /// enough for them.
    pub scope: Option<Scope>,
}

/// `podServiceAccount`: ServiceAccount `default`, that every Ray pod runs as.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a mapping")]
pub struct PodServiceAccountValues {
    /// Its annotations: a mapping of names to text. Default: none. With `eks.amazonaws.com/role-arn` or
    /// `iam.gke.io/gcp-service-account` the platform gives pods access without keys.
    #[schemars(with = "Option<BTreeMap<Text, Option<Text>>>")]
    pub annotations: Option<BTreeMap<Text, Text>>,
    /// Names of its image pull secrets, a list. Default: left out. They replace the whole list of the ServiceAccount,
    /// so name the existing ones, too.
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
    /// API groups of the resources, such as `ray.io`; `""` is the core group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_groups: Option<Vec<Text>>,
    /// Resources, in plural and lower case, such as `pods`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<Text>>,
    /// Names of the objects that the rule is about. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_names: Option<Vec<Text>>,
    /// Paths that aren't resources, such as `/metrics`. Only with `scope: cluster`, in place of `resources`.
    #[serde(rename = "nonResourceURLs", skip_serializing_if = "Option::is_none")]
    pub non_resource_urls: Option<Vec<Text>>,
    /// Allowed verbs, such as `get`. Required.
    #[schemars(length(min = 1))]
    pub verbs: Vec<Text>,
}

/// `externalSecrets`: how the External Secrets Operator reaches the stores.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a mapping")]
pub struct ExternalSecretsValues {
    /// Store as the compute cluster knows it: the token is written to it, the S3 key read from it.
    pub compute_store: Option<Store>,
    /// Store as the control-plane cluster knows it: the token is read from it.
    pub control_plane_store: Option<Store>,
    /// Start of the token's key in the store; the cluster's name follows. Default: `michelangelo/`.
    #[schemars(regex(pattern = "^[-a-z0-9/]*$"))]
    pub key_prefix: Option<Text>,
    /// Property of the token's key that holds the token. Default: `token`. Write `null` for a store without properties.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<Text>", regex(pattern = "^[-_A-Za-z0-9]+$"))]
    pub property: Option<Option<Text>>,
    /// How often the operator reads the store, such as `90m` or `1h0m0s`. Default: `1h0m0s`. In hours, minutes and
    /// seconds; with `0s` it reads it only once.
    #[schemars(regex(pattern = "^(0|([0-9]+[hms])+)$"))]
    pub refresh_interval: Option<Text>,
}

/// A store of the External Secrets Operator.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
pub struct Store {
    /// Name of the store. Required.
    #[schemars(length(max = 253), regex(pattern = SUBDOMAIN))]
    pub name: Text,
    /// Kind of the store. Required.
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

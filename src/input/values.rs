//! The values file: what a platform engineer writes about one compute cluster.
//!
//! These types mirror the file. They say what may be written where; whether it makes sense
//! together is decided in [`crate::registration`].

use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::SecretString;
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

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
    /// Codes of the findings that are accepted for this cluster.
    pub allow: Option<Vec<String>>,
}

/// `kubeconfig`: where and how the compute kubeconfig is read.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubeconfigValues {
    /// Path of the kubeconfig, relative to the values file; where it is left out, `--kubeconfig`,
    /// `$KUBECONFIG` or `~/.kube/config`.
    pub path: Option<String>,
    /// Name of the context in it; where it is left out, `--context` or the current one.
    pub context: Option<String>,
    /// The address at which the control plane reaches the API server, where that differs.
    pub server: Option<String>,
    /// Path of a PEM file, relative to the values file, where the kubeconfig has none or another one; or
    /// `system`, for a server whose certificate comes from a public authority.
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
    pub region: Option<String>,
    /// Zone, in the provider's own words.
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
    pub file_system: Option<String>,
    /// Scheme of the endpoint; where it is left out, that of its URL, or `https` without one.
    pub scheme: Option<StorageScheme>,
    /// URL of an S3 API; left out for AWS's own.
    pub endpoint: Option<String>,
    /// How jobs get access.
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

/// `storage.credentials`: how jobs get access to the storage.
#[derive(Debug, JsonSchema)]
#[schemars(untagged, rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum CredentialsValues {
    /// By an S3 key pair.
    Keys {
        /// The key's public half.
        access_key_id: SecretValue,
        /// The key's secret half.
        secret_access_key: SecretValue,
    },
    /// By the platform, without keys.
    #[schemars(schema_with = "workload_identity")]
    WorkloadIdentity,
    /// By a Secret and ConfigMap keys that someone else manages.
    #[schemars(schema_with = "existing_secret")]
    ExistingSecret,
    /// By an S3 key pair that the External Secrets Operator gets from a store.
    ExternalSecret {
        /// Where the store has it.
        #[schemars(rename = "externalSecret")]
        remote: RemoteKeysValues,
        /// Whether the operator makes the ConfigMap as well, with the key in it.
        #[schemars(with = "Option<bool>")]
        config_map: bool,
    },
}

/// `storage.credentials.externalSecret`: where a store has an S3 key pair.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoteKeysValues {
    /// Key in the store.
    pub key: String,
    /// Property of it with the key's public half.
    pub access_key_id_property: String,
    /// Property of it with the key's secret half.
    pub secret_access_key_property: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CredentialsMapping {
    access_key_id: Option<SecretValue>,
    secret_access_key: Option<SecretValue>,
    existing_secret: Option<bool>,
    external_secret: Option<RemoteKeysValues>,
    config_map: Option<bool>,
}

/// The forms of `storage.credentials`, for messages.
pub const CREDENTIALS_FORMS: &str = "`accessKeyId` and `secretAccessKey`, `workloadIdentity`, `{externalSecret: {key: …, accessKeyIdProperty: …, secretAccessKeyProperty: …}}`, or `{existingSecret: true}`";

impl TryFrom<CredentialsMapping> for CredentialsValues {
    type Error = String;

    fn try_from(mapping: CredentialsMapping) -> Result<Self, String> {
        let CredentialsMapping {
            access_key_id,
            secret_access_key,
            existing_secret,
            external_secret,
            config_map,
        } = mapping;
        if config_map.is_some() && external_secret.is_none() {
            return Err("`configMap` stands beside `externalSecret` only, whose key the operator would put into the ConfigMap too".to_owned());
        }
        match (
            access_key_id,
            secret_access_key,
            existing_secret,
            external_secret,
        ) {
            (Some(access_key_id), Some(secret_access_key), None, None) => Ok(Self::Keys {
                access_key_id,
                secret_access_key,
            }),
            (Some(_), None, None, None) => Err("the key `secretAccessKey` is missing".to_owned()),
            (None, Some(_), None, None) => Err("the key `accessKeyId` is missing".to_owned()),
            (None, None, Some(true), None) => Ok(Self::ExistingSecret),
            (None, None, None, Some(remote)) => Ok(Self::ExternalSecret {
                remote,
                config_map: config_map.unwrap_or_default(),
            }),
            _ => Err(format!("expected one of: {CREDENTIALS_FORMS}")),
        }
    }
}

impl<'de> Deserialize<'de> for CredentialsValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match WordOr::<CredentialsMapping>::deserialize(deserializer)? {
            WordOr::Word("workloadIdentity") => Ok(Self::WorkloadIdentity),
            WordOr::Word("externalSecret") => Err(de::Error::custom(
                "`externalSecret` has to say where the store has the key: `{externalSecret: {key: …, accessKeyIdProperty: …, secretAccessKeyProperty: …}}`",
            )),
            WordOr::Word(_) => Err(de::Error::custom(format!(
                "expected one of: {CREDENTIALS_FORMS}"
            ))),
            WordOr::Other(mapping) => {
                Self::try_from(mapping).map_err(<D::Error as de::Error>::custom)
            }
        }
    }
}

/// A secret as a values file gives it: in the clear, or where it is to be read.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum SecretValue {
    /// The secret itself.
    Literal(#[schemars(with = "String")] SecretString),
    /// Where it is to be read.
    From(SecretSource),
}

/// Where a secret is to be read: exactly one of an environment variable and a file.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum SecretSource {
    /// Name of an environment variable.
    Env(String),
    /// Path of a file, relative to the values file.
    File(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceMapping {
    env: Option<String>,
    file: Option<String>,
}

impl TryFrom<SourceMapping> for SecretSource {
    type Error = &'static str;

    fn try_from(mapping: SourceMapping) -> Result<Self, &'static str> {
        match (mapping.env, mapping.file) {
            (Some(name), None) => Ok(Self::Env(name)),
            (None, Some(path)) => Ok(Self::File(path)),
            _ => Err("expected exactly one of `{env: NAME}` and `{file: PATH}`"),
        }
    }
}

impl<'de> Deserialize<'de> for SecretValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match WordOr::<SourceMapping>::deserialize(deserializer)? {
            WordOr::Word(secret) => Ok(Self::Literal(secret.into())),
            WordOr::Other(mapping) => SecretSource::try_from(mapping)
                .map(Self::From)
                .map_err(de::Error::custom),
        }
    }
}

/// `token`: where the service account's token comes from.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum TokenValues {
    /// It is read.
    From(SecretSource),
    /// Someone else makes the Secret.
    #[schemars(schema_with = "none")]
    None,
    /// The External Secrets Operator takes it from the compute cluster to the control plane.
    #[schemars(schema_with = "external_secret")]
    ExternalSecret,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenMapping {
    env: Option<String>,
    file: Option<String>,
    #[serde(default, deserialize_with = "given")]
    external_secret: Option<de::IgnoredAny>,
}

impl<'de> Deserialize<'de> for TokenValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match WordOr::<TokenMapping>::deserialize(deserializer)? {
            WordOr::Word("none") => Ok(Self::None),
            WordOr::Word("externalSecret") => Ok(Self::ExternalSecret),
            // It may be the token itself, so it isn't shown.
            WordOr::Word(_) => Err(de::Error::custom(
                "expected `{file: PATH}`, `{env: NAME}`, `externalSecret` or `none`; the token itself never stands in a values file",
            )),
            WordOr::Other(TokenMapping {
                external_secret: Some(de::IgnoredAny),
                env: _,
                file: _,
            }) => Err(de::Error::custom(
                "write the word alone, `token: externalSecret`; its settings stand under `externalSecrets`",
            )),
            WordOr::Other(TokenMapping {
                external_secret: None,
                env,
                file,
            }) => SecretSource::try_from(SourceMapping { env, file })
                .map(Self::From)
                .map_err(de::Error::custom),
        }
    }
}

/// `serviceAccount`: the service account by which the control plane works in the compute cluster.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceAccountValues {
    /// Its name, in namespace `default`; `ray-manager` where it is left out.
    pub name: Option<String>,
    /// Names of its token Secrets, of which the last is the current one: append one to rotate.
    /// `[NAME-token]` where they are left out.
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
    /// What is allowed.
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
    pub key_prefix: Option<String>,
    /// Property that the token has there; given as null where the store has no properties.
    #[serde(default, deserialize_with = "given")]
    #[schemars(extend("default" = "token"))]
    pub property: Option<Option<String>>,
    /// How often the operator looks, as a Go duration; `1h0m0s` where it is left out.
    pub refresh_interval: Option<String>,
}

/// A store of the External Secrets Operator.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreValues {
    /// Its name.
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

fn workload_identity(_: &mut SchemaGenerator) -> Schema {
    word("workloadIdentity")
}

fn none(_: &mut SchemaGenerator) -> Schema {
    word("none")
}

fn external_secret(_: &mut SchemaGenerator) -> Schema {
    word("externalSecret")
}

fn existing_secret(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": {"existingSecret": {"const": true}},
        "required": ["existingSecret"],
        "additionalProperties": false,
    })
}

fn word(word: &str) -> Schema {
    json_schema!({"type": "string", "const": word})
}

/// Tells a key that is given as null from one that isn't given, with `#[serde(default)]`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Either one word or something else, such as a mapping.
enum WordOr<'de, T> {
    Word(&'de str),
    Other(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WordOr<'de, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = WordOr<'de, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a mapping")
            }

            fn visit_borrowed_str<E: de::Error>(self, word: &'de str) -> Result<Self::Value, E> {
                Ok(WordOr::Word(word))
            }

            fn visit_map<A: MapAccess<'de>>(self, pairs: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(pairs)).map(WordOr::Other)
            }
        }

        deserializer.deserialize_any(Either(std::marker::PhantomData))
    }
}

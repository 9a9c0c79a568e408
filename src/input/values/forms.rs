//! The values that take one of several forms: a word, or a mapping with certain keys.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::SecretString;
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use super::given;
use crate::placeholder::placeholder_of_path;

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
            WordOr::Word(word) => Err(de::Error::custom(match placeholder_of_path(word) {
                Some(form) => format!(
                    "it is or holds a placeholder, `{form}`; put one of these there: {CREDENTIALS_FORMS}"
                ),
                None => format!("expected one of: {CREDENTIALS_FORMS}"),
            })),
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
        "description": "By a Secret and ConfigMap keys that someone else manages.",
        "properties": {"existingSecret": {"const": true}},
        "required": ["existingSecret"],
        "additionalProperties": false,
    })
}

fn word(word: &str) -> Schema {
    json_schema!({"type": "string", "const": word})
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

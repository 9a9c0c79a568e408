//! Values that are either a word or a mapping. No error here shows a value: it may be a misplaced secret.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::Text;
use crate::secret::Secret;

/// `storage.credentials`: how jobs get access to the storage.
#[derive(Debug)]
pub enum Credentials {
    /// The platform gives it to the pods, without keys.
    WorkloadIdentity,
    /// With a Secret and ConfigMap keys that someone else manages.
    ExistingSecret,
    /// With an S3 key pair, the public half first. Either may still be missing.
    Keys([Option<SecretForm>; 2]),
    /// With an S3 key pair that the External Secrets Operator gets from a store.
    ExternalSecret(RemoteKeys),
    /// Not chosen yet: the placeholder that `init` writes.
    Placeholder,
}

/// `storage.credentials.externalSecret`: where a store has an S3 key pair.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "a mapping")]
pub struct RemoteKeys {
    /// Key in the store, such as `s3/compute-0`. Required.
    pub key: Option<Text>,
    /// Property of the store's key that holds the public half. Required.
    pub access_key_id_property: Option<Text>,
    /// Property of the store's key that holds the secret half. Required.
    pub secret_access_key_property: Option<Text>,
}

const CREDENTIALS: &str = "`accessKeyId` and `secretAccessKey`, `workloadIdentity`, `externalSecret` with its keys, or `existingSecret`";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CredentialsMapping {
    access_key_id: Option<SecretForm>,
    secret_access_key: Option<SecretForm>,
    workload_identity: Option<True>,
    existing_secret: Option<True>,
    external_secret: Option<RemoteKeys>,
}

impl<'de> Deserialize<'de> for Credentials {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let convert = |form| match form {
            Form::Word(word) if word == "workloadIdentity" => Some(Self::WorkloadIdentity),
            Form::Word(word) if word == "existingSecret" => Some(Self::ExistingSecret),
            Form::Word(word) if word.starts_with('<') => Some(Self::Placeholder),
            Form::Word(_) => None,
            Form::Mapping(mapping) => CredentialsMapping::form(mapping),
        };
        deserializer.deserialize_any(OneOf { expected: CREDENTIALS, convert })
    }
}

/// `true` and nothing else, such as the name of a Secret.
struct True;

impl<'de> Deserialize<'de> for True {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match bool::deserialize(deserializer) {
            Ok(true) => Ok(Self),
            _ => Err(de::Error::custom(
                "expected `true`: neither form takes a name, and the Secret is always `aws-credentials`",
            )),
        }
    }
}

impl CredentialsMapping {
    fn form(self) -> Option<Credentials> {
        let Self { access_key_id, secret_access_key, .. } = self;
        let has_keys = access_key_id.is_some() || secret_access_key.is_some();
        match (self.workload_identity, self.existing_secret, self.external_secret) {
            (None, None, None) => Some(Credentials::Keys([access_key_id, secret_access_key])),
            (Some(True), None, None) if !has_keys => Some(Credentials::WorkloadIdentity),
            (None, Some(True), None) if !has_keys => Some(Credentials::ExistingSecret),
            (None, None, Some(remote)) if !has_keys => Some(Credentials::ExternalSecret(remote)),
            _ => None,
        }
    }
}

impl JsonSchema for Credentials {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Credentials".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let secret = generator.subschema_for::<SecretForm>();
        let half = |text: &str| described(text, secret.clone());
        let access_key_id =
            half("Public half of the S3 key: text, `{env: NAME}` or `{file: PATH}`.");
        let secret_access_key =
            half("Secret half of the S3 key: `{env: NAME}`, `{file: PATH}`, or the text itself.");
        let remote = described(
            "Where a store has the S3 key, for the External Secrets Operator. Ray pods don't get it: see the finding `keys-not-in-pods`.",
            generator.subschema_for::<RemoteKeys>(),
        );
        let alone = |key: &str, schema: Schema| {
            let properties = json!({key: schema});
            json_schema!({"type": "object", "additionalProperties": false, "required": [key], "properties": properties})
        };
        let word = |word: &str| {
            let text = format!("`true`: the same as `credentials: {word}`.");
            alone(word, json_schema!({"const": true, "description": text}))
        };
        json_schema!({
            "anyOf": [
                {"const": "workloadIdentity", "description": "The platform gives pods access without keys, by an annotation in `podServiceAccount`."},
                {"const": "existingSecret", "description": "Someone else makes Secret `aws-credentials` and puts its two keys into ConfigMap `michelangelo-config`."},
                {"type": "object", "additionalProperties": false, "properties": {"accessKeyId": access_key_id, "secretAccessKey": secret_access_key}},
                alone("externalSecret", remote),
                word("workloadIdentity"),
                word("existingSecret")
            ]
        })
    }
}

/// Returns a reference to a schema, with a description of its own.
fn described(text: &str, mut schema: Schema) -> Schema {
    schema.insert("description".to_owned(), text.into());
    schema
}

/// A secret in a values file, or a reference to one.
#[derive(Clone, Debug)]
pub enum SecretForm {
    /// The secret itself.
    Literal(Secret),
    /// A place to read it from.
    From(SecretSource),
}

/// A place to read a secret from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// Name of an environment variable.
    Env(String),
    /// Path of a file, relative to the file that names it.
    File(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceMapping {
    env: Option<Text>,
    file: Option<Text>,
}

impl SourceMapping {
    fn source(self) -> Option<SecretSource> {
        match (self.env, self.file) {
            (Some(name), None) => Some(SecretSource::Env(name.0)),
            (None, Some(path)) => Some(SecretSource::File(path.0)),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for SecretForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let convert = |form| match form {
            Form::Word(secret) => Some(Self::Literal(Secret::new(secret))),
            Form::Mapping(mapping) => SourceMapping::source(mapping).map(Self::From),
        };
        let expected = "text, `{env: NAME}` or `{file: PATH}`";
        deserializer.deserialize_any(OneOf { expected, convert })
    }
}

impl JsonSchema for SecretForm {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let [env, file] = sources();
        json_schema!({"anyOf": [{"type": "string"}, env, file]})
    }
}

/// `token`: the source of the service account's token.
#[derive(Clone, Debug)]
pub enum TokenForm {
    /// Read from an environment variable or a file.
    From(SecretSource),
    /// Moved from the compute cluster to the control plane by the External Secrets Operator.
    ExternalSecret,
    /// Someone else makes the Secret.
    None,
}

impl<'de> Deserialize<'de> for TokenForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let convert = |form| match form {
            Form::Word(word) if word == "externalSecret" => Some(Self::ExternalSecret),
            Form::Word(word) if word == "none" => Some(Self::None),
            Form::Word(_) => None,
            Form::Mapping(mapping) => SourceMapping::source(mapping).map(Self::From),
        };
        let expected = "`{file: PATH}`, `{env: NAME}`, `externalSecret` or `none`";
        deserializer.deserialize_any(OneOf { expected, convert })
    }
}

impl JsonSchema for TokenForm {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Token".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let [env, file] = sources();
        json_schema!({
            "anyOf": [
                {"const": "externalSecret", "description": "The External Secrets Operator moves the token through the stores of `externalSecrets`."},
                {"const": "none", "description": "Someone else makes Secret `cluster-NAME-client-token` with the key `token`, in namespace `default` of the control plane."},
                env,
                file
            ]
        })
    }
}

/// Returns the schemas of `{env: NAME}` and `{file: PATH}`.
fn sources() -> [Schema; 2] {
    let keys = [
        (
            "env",
            "Name of the environment variable that holds the value. White space around it is dropped.",
        ),
        (
            "file",
            "Path of the file that holds the value, relative to the file that names it. White space around it is dropped.",
        ),
    ];
    keys.map(|(key, text)| {
        let properties = json!({key: {"type": "string", "description": text}});
        json_schema!({"type": "object", "additionalProperties": false, "required": [key], "properties": properties})
    })
}

enum Form<T> {
    Word(String),
    Mapping(T),
}

/// Reads a value of several forms, with errors that don't show it, as serde's own would.
struct OneOf<T, V> {
    expected: &'static str,
    convert: fn(Form<T>) -> Option<V>,
}

impl<T, V> OneOf<T, V> {
    fn take<E: de::Error>(self, form: Form<T>) -> Result<V, E> {
        (self.convert)(form).ok_or_else(|| E::custom(format!("expected {}", self.expected)))
    }
}

impl<'de, T: Deserialize<'de>, V> Visitor<'de> for OneOf<T, V> {
    type Value = V;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<V, E> {
        self.take(Form::Word(word.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V, A::Error> {
        let mapping = T::deserialize(MapAccessDeserializer::new(map))?;
        self.take(Form::Mapping(mapping))
    }
}

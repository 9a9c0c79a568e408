//! Values that are either a word or a mapping. No error here shows a value: it may be a misplaced secret.

use std::fmt;
use std::ops::Deref;

use schemars::{JsonSchema, Schema};
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::secret::Secret;

// An unquoted number or boolean is an error: `1.10` would arrive as 1.1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Text(pub String);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Quoted;

        impl Visitor<'_> for Quoted {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }
        }

        deserializer.deserialize_any(Quoted)
    }
}

/// `storage.credentials`: how jobs get access to the storage.
#[derive(Debug, JsonSchema)]
#[schemars(with = "Form<CredentialsWord, CredentialsMapping>")]
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

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = remove_empty)]
enum CredentialsWord {
    /// The platform gives pods access without keys, by an annotation in `podServiceAccount`.
    WorkloadIdentity,
    /// Someone else makes Secret `aws-credentials` and puts its two keys into ConfigMap `michelangelo-config`.
    ExistingSecret,
    #[serde(rename = "<ONE OF THESE>")]
    #[schemars(skip)]
    Placeholder,
}

/// Removes what schemars leaves of a skipped variant, and the nulls of optional keys: in a form, a key has a value.
fn remove_empty(schema: &mut Schema) {
    let is_empty = |it: &Value| {
        let has = |key: &str, value: &Value| it.get(key) == Some(value);
        it.is_null() || it == "null" || has("type", &"null".into()) || has("enum", &json!([]))
    };
    let remove = |part: &mut Value| {
        part.as_array_mut().into_iter().for_each(|forms| forms.retain(|form| !is_empty(form)));
    };
    schema.get_mut("oneOf").into_iter().for_each(remove);
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(|it| it.values_mut()) {
        for key in ["anyOf", "enum", "type"] {
            property.get_mut(key).into_iter().for_each(remove);
        }
    }
}

// Two keys are only ever the halves of an S3 key.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = remove_empty, extend(
    "maxProperties" = 2,
    "if" = {"minProperties": 2},
    "then" = {"required": ["accessKeyId", "secretAccessKey"]}
))]
struct CredentialsMapping {
    /// Public half of the S3 key: text, `{env: NAME}` or `{file: PATH}`.
    access_key_id: Option<SecretForm>,
    /// Secret half of the S3 key: `{env: NAME}`, `{file: PATH}`, or the text itself.
    secret_access_key: Option<SecretForm>,
    /// Where a store has the S3 key, for the External Secrets Operator. Ray pods don't get it: see the finding
    /// `keys-not-in-pods`.
    external_secret: Option<RemoteKeys>,
    /// `true`: the same as `credentials: workloadIdentity`.
    workload_identity: Option<True>,
    /// `true`: the same as `credentials: existingSecret`.
    existing_secret: Option<True>,
}

/// `true` and nothing else, such as the name of a Secret.
#[derive(JsonSchema)]
#[schemars(inline, with = "bool", extend("const" = true))]
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

impl<'de> Deserialize<'de> for Credentials {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let convert = |form| match form {
            Form::Word(CredentialsWord::WorkloadIdentity) => Some(Self::WorkloadIdentity),
            Form::Word(CredentialsWord::ExistingSecret) => Some(Self::ExistingSecret),
            Form::Word(CredentialsWord::Placeholder) => Some(Self::Placeholder),
            Form::Mapping(mapping) => CredentialsMapping::form(mapping),
        };
        let expected = "`accessKeyId` and `secretAccessKey`, `workloadIdentity`, `externalSecret` with its keys, or `existingSecret`";
        deserializer.deserialize_any(OneOf { expected, convert })
    }
}

impl CredentialsMapping {
    fn form(self) -> Option<Credentials> {
        let Self { access_key_id, secret_access_key, .. } = self;
        let has_keys = access_key_id.is_some() || secret_access_key.is_some();
        match (self.workload_identity, self.existing_secret, self.external_secret) {
            (None, None, None) => Some(Credentials::Keys([access_key_id, secret_access_key])),
            (Some(_), None, None) if !has_keys => Some(Credentials::WorkloadIdentity),
            (None, Some(_), None) if !has_keys => Some(Credentials::ExistingSecret),
            (None, None, Some(remote)) if !has_keys => Some(Credentials::ExternalSecret(remote)),
            _ => None,
        }
    }
}

/// A secret in a values file, or a reference to one.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(with = "Form<String, SourceMapping>")]
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

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = remove_empty, extend("minProperties" = 1, "maxProperties" = 1))]
struct SourceMapping {
    /// Name of the environment variable that holds the value. White space around it is dropped.
    env: Option<Text>,
    /// Path of the file that holds the value, relative to the file that names it. White space around it is dropped.
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
        let convert = |form: Form<String, SourceMapping>| match form {
            Form::Word(secret) => Some(Self::Literal(Secret::new(secret))),
            Form::Mapping(mapping) => SourceMapping::source(mapping).map(Self::From),
        };
        let expected = "text, `{env: NAME}` or `{file: PATH}`";
        deserializer.deserialize_any(OneOf { expected, convert })
    }
}

/// `token`: the source of the service account's token.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(with = "Form<TokenWord, SourceMapping>")]
pub enum TokenForm {
    /// Read from an environment variable or a file.
    From(SecretSource),
    /// Moved from the compute cluster to the control plane by the External Secrets Operator.
    ExternalSecret,
    /// Someone else makes the Secret.
    None,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum TokenWord {
    /// The External Secrets Operator moves the token through the stores of `externalSecrets`.
    ExternalSecret,
    /// Someone else makes Secret `cluster-NAME-client-token` with the key `token`, in namespace `default` of the
    /// control plane.
    None,
}

impl<'de> Deserialize<'de> for TokenForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let convert = |form| match form {
            Form::Word(TokenWord::ExternalSecret) => Some(Self::ExternalSecret),
            Form::Word(TokenWord::None) => Some(Self::None),
            Form::Mapping(mapping) => SourceMapping::source(mapping).map(Self::From),
        };
        let expected = "`{file: PATH}`, `{env: NAME}`, `externalSecret` or `none`";
        deserializer.deserialize_any(OneOf { expected, convert })
    }
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Form<W, T> {
    Word(W),
    Mapping(T),
}

/// Reads a value of several forms, with errors that don't show it, as serde's own would.
struct OneOf<W, T, V> {
    expected: &'static str,
    convert: fn(Form<W, T>) -> Option<V>,
}

impl<W, T, V> OneOf<W, T, V> {
    fn take<E: de::Error>(self, form: Option<Form<W, T>>) -> Result<V, E> {
        let error = || E::custom(format!("expected {}", self.expected));
        form.and_then(self.convert).ok_or_else(error)
    }
}

impl<'de, W: Deserialize<'de>, T: Deserialize<'de>, V> Visitor<'de> for OneOf<W, T, V> {
    type Value = V;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<V, E> {
        let word = W::deserialize(StrDeserializer::<E>::new(word));
        self.take(word.ok().map(Form::Word))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V, A::Error> {
        let mapping = T::deserialize(MapAccessDeserializer::new(map))?;
        self.take(Some(Form::Mapping(mapping)))
    }
}

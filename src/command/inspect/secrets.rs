//! Facts about a cluster's secrets: where they come from, never what they are.

use crate::input::file::Source;
use crate::input::place::{PathKey, Place};
use crate::input::secret::{is_identifier, may_be_secret};
use crate::input::values::{CredentialsValues, SecretSource, SecretValue, TokenValues};
use crate::input::{Inputs, Request, StorageKeys};
use crate::output::facts::{
    self, Credentials, CredentialsForm, Harmless, Origin, SecretFrom, Token,
};
use crate::registration;
use crate::registration::token::TokenKind;

/// The token: where it comes from, and what it says about itself.
pub fn about_token(origin: Origin, read: Option<&registration::token::Token>) -> Token {
    let (kind, secret) = match read.map(registration::token::Token::kind) {
        None => (None, None),
        Some(TokenKind::LongLived { secret }) => (
            Some(facts::TokenKind::LongLived),
            Some(Harmless::of(&secret)),
        ),
        Some(TokenKind::Bound) => (Some(facts::TokenKind::Bound), None),
        Some(TokenKind::Foreign) => (Some(facts::TokenKind::Foreign), None),
        Some(TokenKind::Opaque) => (Some(facts::TokenKind::Opaque), None),
    };
    Token {
        origin,
        kind,
        subject: read.and_then(|token| token.subject()).map(Harmless::of),
        secret,
        expires: read
            .and_then(registration::token::Token::expires)
            .map(|at| at.to_string()),
    }
}

/// Where the token comes from.
pub fn origin_of_token(inputs: &Inputs, request: &Request) -> Origin {
    let is_read = inputs.token.is_ok();
    match (&inputs.values.token, &request.token_file) {
        (Some(TokenValues::None), _) => Origin {
            from: SecretFrom::None,
            at: None,
        },
        (Some(TokenValues::ExternalSecret), _) => Origin {
            from: SecretFrom::ExternalSecret,
            at: None,
        },
        (Some(TokenValues::From(source)), _) => {
            origin_of_source(source, &inputs.place, PathKey::Token, is_read)
        }
        (None, Some(Source::Stdin)) => Origin {
            from: SecretFrom::Stdin,
            at: None,
        },
        // It stood on the command line, so it isn't hidden where it couldn't be read.
        (None, Some(source)) => Origin {
            from: SecretFrom::File,
            at: Some(Harmless::source(source)),
        },
        (None, None) => Origin {
            from: SecretFrom::NotGiven,
            at: None,
        },
    }
}

/// How jobs get access to the storage, and where the keys come from.
pub fn credentials(inputs: &Inputs) -> Option<Credentials> {
    let of_form = |form: CredentialsForm| Credentials {
        form,
        access_key_id: None,
        secret_access_key: None,
    };
    let values = inputs.values.storage.as_ref()?.credentials.as_ref()?;
    Some(match values {
        CredentialsValues::WorkloadIdentity => of_form(CredentialsForm::WorkloadIdentity),
        CredentialsValues::ExistingSecret => of_form(CredentialsForm::ExistingSecret),
        CredentialsValues::Keys {
            access_key_id,
            secret_access_key,
        } => {
            let keys = inputs.storage_keys.as_ref();
            let is_read = |half: fn(&StorageKeys) -> bool| keys.is_some_and(half);
            let origin = |value: &SecretValue, key: PathKey, is_read: bool| match value {
                SecretValue::Literal(_) => Origin {
                    from: SecretFrom::Values,
                    at: None,
                },
                SecretValue::From(source) => origin_of_source(source, &inputs.place, key, is_read),
            };
            Credentials {
                form: CredentialsForm::Keys,
                access_key_id: Some(origin(
                    access_key_id,
                    PathKey::AccessKeyId,
                    is_read(|keys| keys.access_key_id.is_ok()),
                )),
                secret_access_key: Some(origin(
                    secret_access_key,
                    PathKey::SecretAccessKey,
                    is_read(|keys| keys.secret_access_key.is_ok()),
                )),
            }
        }
        CredentialsValues::ExternalSecret { remote, .. } => {
            let origin = || Origin {
                from: SecretFrom::ExternalSecret,
                at: Some(Harmless::of(&remote.key)),
            };
            Credentials {
                form: CredentialsForm::ExternalSecret,
                access_key_id: Some(origin()),
                secret_access_key: Some(origin()),
            }
        }
    })
}

/// Where a secret was read, or was to be, unless that may be the secret itself.
fn origin_of_source(source: &SecretSource, place: &Place, key: PathKey, is_read: bool) -> Origin {
    match source {
        SecretSource::Env(name) => Origin {
            from: SecretFrom::Env,
            at: (is_read || is_identifier(name)).then(|| Harmless::of(name)),
        },
        SecretSource::File(path) => Origin {
            from: SecretFrom::File,
            at: (place.resolve(key, path).ok())
                .filter(|path| is_read || !may_be_secret(path))
                .map(|path| Harmless::path(&path)),
        },
    }
}

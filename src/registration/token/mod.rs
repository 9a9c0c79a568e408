//! The service account's token, which the control plane shows to a compute cluster.
//!
//! A *token* is what goes into the control plane's token Secret and from there, byte for byte,
//! into every request. Kubernetes makes two kinds, both JSON Web Tokens (see `jwt`): the
//! long-lived one of a token Secret, and the one of `kubectl create token`, which expires. What
//! can be told of either without a network is whose it is and how long it lasts; whether it is
//! authentic, and not revoked, only the API server can tell, and nothing here says so.

use std::fmt;

use anyhow::{bail, ensure};
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use crate::registration::server::placeholder;
use crate::text::shown;

mod findings;
mod jwt;

use jwt::{Claims, NotJwt};

/// Far more than any token, and less than a file that was named by mistake.
const MAX_LENGTH: usize = 64 * 1024;

/// Base64 as `base64` and kubectl write it, and as people copy it: with or without the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A service account's token. Neither `Debug` nor any message shows it.
#[derive(Clone)]
pub struct Token {
    secret: SecretString,
    claims: Result<Claims, NotJwt>,
}

/// What kind of token it is, going by what it says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Of a token Secret: valid until that Secret is deleted.
    LongLived {
        /// The Secret's name.
        secret: String,
    },
    /// Of `kubectl create token` or a pod's volume: issued for a time, perhaps for an object.
    Bound,
    /// A JSON Web Token of someone else's, an identity provider's for one.
    Foreign,
    /// Not a JSON Web Token.
    Opaque,
}

impl Token {
    /// Takes a token from the text of a file, a variable or standard input. The error never holds
    /// any of it.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        // The control plane sends the bytes as they are: a line's end would break every request.
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        refuse_other_things(text)?;
        refuse_other_spellings(text)?;
        refuse_odd_characters(text)?;
        Ok(Self {
            secret: SecretString::from(text),
            claims: jwt::claims(text),
        })
    }

    /// The token itself, for its Secret and nothing else.
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }

    /// Whose token it says it is.
    pub fn subject(&self) -> Option<&str> {
        self.claims.as_ref().ok()?.subject.as_deref()
    }

    /// When it says it expires.
    pub fn expires(&self) -> Option<Timestamp> {
        self.claims.as_ref().ok()?.expires
    }

    /// What kind of token it says it is.
    pub fn kind(&self) -> TokenKind {
        match &self.claims {
            Err(_) => TokenKind::Opaque,
            Ok(claims) => match claims.legacy_secret() {
                Some(secret) => TokenKind::LongLived {
                    secret: secret.to_owned(),
                },
                None if claims.is_bound => TokenKind::Bound,
                None => TokenKind::Foreign,
            },
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// Refuses what was read from the wrong place.
fn refuse_other_things(text: &str) -> anyhow::Result<()> {
    ensure!(
        !text.is_empty(),
        "the token is empty, and the control plane would use an empty one until it restarts; wait \
         until the token Secret has its `token`, and read it again"
    );
    ensure!(
        text.len() <= MAX_LENGTH,
        "the token has {} bytes, more than any token; give a file with the token alone",
        text.len()
    );
    ensure!(
        !text.contains("-----BEGIN "),
        "found a PEM block (a certificate or a key) where a token was expected; give the token of \
         the service account's Secret"
    );
    ensure!(
        !is_document(text),
        "found a JSON or YAML document where a token was expected; give the token alone, such as \
         `kubectl -n default get secret NAME -o jsonpath='{{.data.token}}' | base64 -d` prints it"
    );
    if let Some(form) = placeholder(text) {
        bail!(
            "the token is a placeholder ({}); give the token of the service account's Secret",
            shown(form)
        );
    }
    Ok(())
}

/// Whether it is a kubeconfig, a Secret, an `ExecCredential` or the like.
fn is_document(text: &str) -> bool {
    const KEYS: [&str; 7] = [
        "apiVersion:",
        "kind:",
        "metadata:",
        "clusters:",
        "users:",
        "data:",
        "token:",
    ];
    text.starts_with(['{', '['])
        || text.lines().any(|line| {
            let line = line.trim_start();
            line.trim_end() == "---" || KEYS.iter().any(|key| line.starts_with(key))
        })
}

/// Refuses a token that isn't written as itself.
fn refuse_other_spellings(text: &str) -> anyhow::Result<()> {
    ensure!(
        !text.starts_with(['"', '\'']) && !text.ends_with(['"', '\'']),
        "the token has quotes around it, which the control plane would send along; remove them"
    );
    let first = text.split_ascii_whitespace().next().unwrap_or_default();
    ensure!(
        !first.eq_ignore_ascii_case("bearer") && !first.eq_ignore_ascii_case("authorization:"),
        "the token begins with {}, which the control plane adds itself; give what follows it",
        if first.eq_ignore_ascii_case("bearer") {
            "`Bearer`"
        } else {
            "`Authorization:`"
        }
    );
    ensure!(
        !is_base64_of_jwt(text),
        "the token is still in base64, as `.data.token` of a Secret is; decode it, with \
         `kubectl -n default get secret NAME -o jsonpath='{{.data.token}}' | base64 -d`"
    );
    Ok(())
}

/// Whether it is a JSON Web Token in base64, perhaps wrapped into lines.
fn is_base64_of_jwt(text: &str) -> bool {
    let encoded: Zeroizing<Vec<u8>> = Zeroizing::new(
        text.bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect(),
    );
    let Ok(decoded) = BASE64.decode(&*encoded).map(Zeroizing::new) else {
        return false;
    };
    // Every JSON Web Token begins so: it is `{"` in base64.
    std::str::from_utf8(&decoded)
        .is_ok_and(|token| token.starts_with("eyJ") && token.matches('.').count() == 2)
}

/// Refuses what can't be in an HTTP header, where the control plane puts the token.
fn refuse_odd_characters(text: &str) -> anyhow::Result<()> {
    ensure!(
        !text.starts_with('\u{feff}'),
        "the token's file begins with a byte order mark; save it as plain ASCII"
    );
    ensure!(
        text.is_ascii(),
        "the token has characters that are not ASCII, so it is none or was damaged in copying; \
         read it from the Secret again"
    );
    ensure!(
        !text.contains(['\n', '\r']),
        "the token has several lines; give one token, on one line without a break"
    );
    ensure!(
        !text.contains(|c: char| c.is_ascii_whitespace()),
        "the token has white space in it; give the token alone"
    );
    ensure!(
        !text.contains(|c: char| c.is_ascii_control()),
        "the token has control characters in it, so it is none or was damaged in copying; read it \
         from the Secret again"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn token(payload: &Value) -> String {
        jwt::token(&json!({"alg": "RS256"}), payload)
    }

    #[test]
    fn white_space_around_is_taken_off() {
        let text = token(&json!({"sub": "x"}));
        for around in ["\n", "\r\n", " ", "\t\n"] {
            let parsed = Token::parse(&format!("{around}{text}{around}")).unwrap();
            assert_eq!(parsed.expose(), text);
        }
    }

    #[test]
    fn other_things_are_refused_and_not_shown() {
        let jwt = token(&json!({"sub": "x"}));
        let encoded = STANDARD.encode(format!("{jwt}hunter2"));
        let (start, end) = encoded.split_at(20);
        for (text, part) in [
            (String::new(), "empty"),
            (" \n\t".to_owned(), "empty"),
            ("x".repeat(64 * 1024 + 1), "65537 bytes"),
            ("hunter2 x".to_owned(), "white space in it"),
            ("hunter2\tx".to_owned(), "white space in it"),
            ("hunter2\nx".to_owned(), "several lines"),
            ("hunter2\u{b}".to_owned(), "control characters"),
            ("hunter2\0".to_owned(), "control characters"),
            ("\u{1b}hunter2".to_owned(), "control characters"),
            ("hünter2".to_owned(), "not ASCII"),
            ("hunter2\u{a0}".to_owned(), "not ASCII"),
            ("\u{feff}hunter2".to_owned(), "byte order mark"),
            (encoded.clone(), "still in base64"),
            (encoded.trim_end_matches('=').to_owned(), "still in base64"),
            (format!("{start}\n{end}\n"), "still in base64"),
            (format!("Bearer {jwt}"), "begins with `Bearer`"),
            ("bearer hunter2".to_owned(), "begins with `Bearer`"),
            ("Bearer".to_owned(), "begins with `Bearer`"),
            (
                "Authorization: Bearer hunter2".to_owned(),
                "begins with `Authorization:`",
            ),
            ("\"hunter2\"".to_owned(), "quotes"),
            ("'hunter2'".to_owned(), "quotes"),
            ("<token>".to_owned(), "a placeholder (`<...>`)"),
            ("<< TOKEN >>".to_owned(), "a placeholder (`<...>`)"),
            ("${TOKEN}".to_owned(), "a placeholder (`${...}`)"),
            ("CHANGEME".to_owned(), "a placeholder"),
            ("{\"kind\": \"hunter2\"}".to_owned(), "document"),
            ("[\"hunter2\"]".to_owned(), "document"),
            (
                "apiVersion: v1\nkind: Config\nusers: [hunter2]".to_owned(),
                "document",
            ),
            ("---\nstringData: {token: hunter2}".to_owned(), "document"),
            ("# a note\napiVersion: v1".to_owned(), "document"),
            ("token: hunter2".to_owned(), "document"),
            (
                "-----BEGIN CERTIFICATE-----\nhunter2".to_owned(),
                "a PEM block",
            ),
            (
                "x\n-----BEGIN RSA PRIVATE KEY-----\nhunter2".to_owned(),
                "a PEM block",
            ),
        ] {
            let error = match Token::parse(&text) {
                Ok(_) => panic!("{text:?} is accepted"),
                Err(error) => format!("{error:?}"),
            };
            assert!(error.contains(part), "{text:?}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
            assert!(!error.contains("hünter2"), "{error}");
            assert!(!error.contains(start), "{error}");
        }
    }

    #[test]
    fn tokens_of_other_makes_are_accepted() {
        for text in [
            "sha256~Zm9vYmFy_-x",
            "abcdef.0123456789abcdef",
            "K10abc::server:def",
            "c2VjcmV0",
            "a/b+c==",
        ] {
            let token = Token::parse(text).expect(text);
            assert_eq!(token.kind(), TokenKind::Opaque, "{text}");
            assert_eq!((token.subject(), token.expires()), (None, None), "{text}");
        }
        assert!(Token::parse(&"x".repeat(64 * 1024)).is_ok());
    }

    #[test]
    fn kinds_are_told_apart() {
        let long_lived = TokenKind::LongLived {
            secret: "s".to_owned(),
        };
        for (payload, kind) in [
            (
                json!({"iss": "kubernetes/serviceaccount",
                    "kubernetes.io/serviceaccount/secret.name": "s"}),
                long_lived,
            ),
            (
                json!({"kubernetes.io": {"namespace": "default"}}),
                TokenKind::Bound,
            ),
            (
                json!({"iss": "https://accounts.example.com"}),
                TokenKind::Foreign,
            ),
        ] {
            assert_eq!(
                Token::parse(&token(&payload)).unwrap().kind(),
                kind,
                "{payload}"
            );
        }
    }

    #[test]
    fn subject_and_expiry_are_those_of_the_claims() {
        let token = Token::parse(&token(&json!({"sub": "x", "exp": 1_800_000_000}))).unwrap();
        assert_eq!(token.subject(), Some("x"));
        assert_eq!(token.expires(), Timestamp::from_second(1_800_000_000).ok());
    }

    #[test]
    fn debug_output_has_no_token() {
        let token = Token::parse("hunter2").unwrap();
        assert_eq!(format!("{token:?}"), "Token(***)");
        assert_eq!(format!("{:?}", Some(&token)), "Some(Token(***))");
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_unseen(text in ".{0,40}") {
            let text = format!("{text}hunter2{text}");
            match Token::parse(&text) {
                Ok(token) => prop_assert_eq!(
                    token.expose(),
                    text.trim_matches(|c: char| c.is_ascii_whitespace())
                ),
                Err(error) => {
                    let error = format!("{error:?}");
                    prop_assert!(!error.contains("hunter2"), "{}", error);
                }
            }
        }
    }
}

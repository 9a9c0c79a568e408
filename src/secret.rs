//! Secrets: tokens and S3 keys.

use std::fmt;

use crate::diagnostic::{Code, Diagnostic};

/// A secret. `Debug` doesn't show it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text for a secret, as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for its Secret and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The finding where the text is a reference or a placeholder that an earlier step should have replaced.
    pub fn unresolved(&self) -> Option<Diagnostic> {
        let (form, step) = unresolved(self.expose())?;
        let message = format!("the secret is {form}");
        Some(Diagnostic::finding(Code::UnresolvedSecret, message).help(step))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Whether a key of a ConfigMap names a secret by one of the words between its underscores.
pub fn names_a_secret(key: &str) -> bool {
    key.split('_').any(|word| {
        ["KEY", "SECRET", "TOKEN", "PASSWORD", "PASSWD"]
            .iter()
            .any(|secret| word.eq_ignore_ascii_case(secret))
    })
}

/// What a text is that stands for a secret, and the step that replaces it.
fn unresolved(text: &str) -> Option<(&'static str, &'static str)> {
    let within = |start, end| text.strip_prefix(start)?.strip_suffix(end);
    let is_variable = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let variable = within("${", "}").or(text.strip_prefix('$'));
    Some(if text.starts_with("ref+") && text.contains("://") {
        ("a vals reference", "resolve it first: `vals eval -f FILE`")
    } else if text.starts_with("op://") {
        (
            "a 1Password reference",
            "resolve it first: `op inject -i FILE`, or `op read` for one secret",
        )
    } else if text.starts_with("vault:") {
        (
            "a Vault reference",
            "read it first: `vault kv get -field=FIELD PATH`, and pass it by `{env: NAME}`",
        )
    } else if within("ENC[", "]").is_some() {
        ("still encrypted by SOPS", "decrypt the file first: `sops -d FILE`")
    } else if text.starts_with("arn:aws:secretsmanager:") {
        (
            "the ARN of a secret",
            "read it first: `aws secretsmanager get-secret-value`, and pass it by `{env: NAME}`",
        )
    } else if variable.is_some_and(is_variable) || within("%", "%").is_some_and(is_variable) {
        (
            "the name of an environment variable",
            "run the file through `envsubst` first; an S3 key or token may be `{env: NAME}`",
        )
    } else if within("<", ">").is_some() || text.eq_ignore_ascii_case("changeme") {
        ("a placeholder", "write the secret, `{env: NAME}` or `{file: PATH}`")
    } else if within("{{", "}}").is_some() {
        ("a template expression", "render the values file with its template engine first")
    } else {
        return None;
    })
}

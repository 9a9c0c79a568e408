//! The service account's token, which the control plane sends to a compute cluster byte for byte.
//!
//! Kubernetes makes two kinds, both JSON Web Tokens: the long-lived one of a token Secret, and the one of
//! `kubectl create token`, which expires. Only the API server knows whether one is authentic.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value};

use super::service_account::ServiceAccount;
use crate::diagnostic::Diagnostic;
use crate::findings::Code;
use crate::secret::{Secret, decoded, unresolved};
use crate::show::{shown, utc};

/// Issuer of a token Secret's token. `kubectl create token` has the API server's own.
const SECRET_ISSUER: &str = "kubernetes/serviceaccount";

/// A token to render.
#[derive(Debug)]
pub struct Token {
    pub secret: Secret,
    /// Its claims; `None` if it isn't a JSON Web Token.
    pub claims: Option<Claims>,
}

/// The claims of a token, unverified.
#[derive(Debug)]
pub struct Claims {
    pub subject: Option<String>,
    /// Unix time, in seconds.
    expires: Option<i64>,
    /// Name of its Secret, if it is a long-lived token.
    pub token_secret: Option<String>,
}

impl Claims {
    /// Returns when it expires, in UTC; `None` if it doesn't.
    pub fn expires(&self) -> Option<String> {
        self.expires.map(utc)
    }
}

impl Token {
    pub fn new(secret: Secret) -> Self {
        let claims = claims(secret.expose());
        Self { secret, claims }
    }

    /// Returns the findings about the token of a service account, at a time.
    pub fn findings(&self, account: &ServiceAccount, now: Timestamp) -> Vec<Diagnostic> {
        if let Some(finding) = unresolved(&self.secret) {
            return vec![finding];
        }
        let current = account.token_secrets.last().map_or("NAME", String::as_str);
        let source = format!(
            "read it from the compute cluster: `kubectl --context CONTEXT -n default get secret {current} -o jsonpath='{{.data.token}}' | base64 -d`"
        );
        let Some(claims) = &self.claims else {
            let is_base64 = decoded(self.secret.expose()).is_some_and(|it| it.starts_with("eyJ"));
            let help = if is_base64 { "decode it first: `base64 -d`" } else { &source };
            let message = "the token is not a JSON Web Token";
            return vec![Diagnostic::finding(Code::TokenNotJwt, message, help)];
        };
        let mut findings = Vec::new();
        let expected = format!("system:serviceaccount:default:{}", account.name);
        let subject = claims.subject.as_deref().unwrap_or_default();
        if subject != expected {
            let (subject, expected) = (shown(subject), shown(expected));
            let message = format!("the token is for {subject}, not for {expected}");
            findings.push(Diagnostic::finding(Code::TokenWrongSubject, message, &source));
        } else if let Some(secret) = &claims.token_secret
            && secret != current
        {
            let (secret, current) = (shown(secret), shown(current));
            let message = format!(
                "the token belongs to the Secret {secret}, and the current one is {current}"
            );
            findings.push(Diagnostic::finding(Code::TokenSecretNotCurrent, message, &source));
        }
        // The control plane never renews a token, so a later expiry is a finding, too.
        if let Some(expires) = claims.expires {
            let is_past = expires <= now.as_second();
            let code = if is_past { Code::TokenExpired } else { Code::TokenExpires };
            let verb = if is_past { "expired" } else { "expires" };
            let message = format!("the token {verb} at {}", utc(expires));
            findings.push(Diagnostic::finding(code, message, &source));
        }
        findings
    }
}

/// Refuses text around a token, as it is copied out of JSON or a header.
pub fn check_bare(secret: Secret) -> Result<Secret, Diagnostic> {
    let text = secret.expose();
    let around = if text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("Bearer ")) {
        "`Bearer ` before it"
    } else if text.starts_with(['"', '\'']) && text.ends_with(['"', '\'']) {
        "quotes around it"
    } else {
        return Ok(secret);
    };
    Err(Diagnostic::error(format!("the token has {around}")).help("write the token alone"))
}

/// Reads the claims of a JSON Web Token, `HEADER.CLAIMS.SIGNATURE` in base64url.
fn claims(token: &str) -> Option<Claims> {
    let object = |part: &str| -> Option<Map<String, Value>> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    };
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else {
        return None;
    };
    object(header)?;
    let claims = object(claims)?;
    let is_url_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if signature.is_empty() || !signature.bytes().all(is_url_safe) {
        return None;
    }
    let text = |key: &str| claims.get(key).and_then(Value::as_str).map(str::to_owned);
    let is_of_secret = text("iss").as_deref() == Some(SECRET_ISSUER);
    let expires = claims.get("exp").and_then(|exp| {
        // Go drops a fraction, too.
        #[allow(clippy::cast_possible_truncation, reason = "it saturates")]
        exp.as_i64().or_else(|| exp.as_f64().map(|seconds| seconds as i64))
    });
    Some(Claims {
        subject: text("sub"),
        expires,
        token_secret: text("kubernetes.io/serviceaccount/secret.name").filter(|_| is_of_secret),
    })
}

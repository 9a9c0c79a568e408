//! Reading a JSON Web Token's claims: three parts in base64url between dots, a header, claims and
//! a signature, the first two JSON objects (RFC 7519). The signature is not checked, since the
//! key for it is the compute cluster's.
//!
//! Parse errors are dropped here: they quote what they choke on.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// Base64url as Go's JWT library reads it: no padding, whatever the unused last bits.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// The issuer that the API server writes into the long-lived token of a Secret.
const LEGACY_ISSUER: &str = "kubernetes/serviceaccount";

/// Why a text is not a JSON Web Token that an API server would take; it completes `it ...`.
pub(super) type NotJwt = &'static str;

/// What a token says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) subject: Option<String>,
    pub(super) expires: Option<Timestamp>,
    /// The subject, as the other claims about the service account make it up.
    pub(super) account: Option<String>,
    /// Whether the API server issued it on request, for a time.
    pub(super) is_bound: bool,
    issuer: Option<String>,
    secret: Option<String>,
}

impl Claims {
    /// The token Secret that it belongs to, for a long-lived token.
    pub(super) fn legacy_secret(&self) -> Option<&str> {
        let is_legacy = self.issuer.as_deref() == Some(LEGACY_ISSUER);
        self.secret.as_deref().filter(|_| is_legacy)
    }
}

/// Reads the claims of a token.
pub(super) fn claims(token: &str) -> Result<Claims, NotJwt> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("doesn't have three parts with dots between them");
    };
    let header = object(header).ok_or("has a header that is no JSON object in base64url")?;
    match header.get("alg").and_then(Value::as_str) {
        None => return Err("has a header that names no algorithm"),
        Some(alg) if alg.eq_ignore_ascii_case("none") => return Err("is not signed (`alg: none`)"),
        Some(_) => {}
    }
    let payload = object(payload).ok_or("has claims that are no JSON object in base64url")?;
    match BASE64URL.decode(signature) {
        Err(_) => return Err("has a signature that is not base64url, so it may be cut off"),
        Ok(bytes) if bytes.is_empty() => return Err("has no signature"),
        Ok(_) => {}
    }
    read(&payload)
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = BASE64URL.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn read(payload: &Map<String, Value>) -> Result<Claims, NotJwt> {
    let text = |claims: &Map<String, Value>, name: &str| {
        claims.get(name).and_then(Value::as_str).map(str::to_owned)
    };
    let flat = |name: &str| text(payload, &format!("kubernetes.io/serviceaccount/{name}"));
    let bound = payload.get("kubernetes.io").and_then(Value::as_object);
    let bound_account = || {
        let account = bound?.get("serviceaccount")?.as_object()?;
        Some((text(bound?, "namespace")?, text(account, "name")?))
    };
    let flat_account = || Some((flat("namespace")?, flat("service-account.name")?));
    Ok(Claims {
        subject: text(payload, "sub"),
        expires: expiry(payload)?,
        account: bound_account()
            .or_else(flat_account)
            .map(|(namespace, name)| format!("system:serviceaccount:{namespace}:{name}")),
        is_bound: bound.is_some(),
        issuer: text(payload, "iss"),
        secret: flat("secret.name"),
    })
}

/// The time in `exp`: seconds, perhaps with a fraction. One that no calendar has is the last or
/// first that it has.
fn expiry(payload: &Map<String, Value>) -> Result<Option<Timestamp>, NotJwt> {
    let number = match payload.get("exp") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number,
        Some(_) => return Err("has an `exp` that is not a number"),
    };
    let seconds = number
        .as_i64()
        .or_else(|| number.as_f64().map(whole_seconds))
        .unwrap_or(i64::MAX);
    let beyond = if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Ok(Some(Timestamp::from_second(seconds).unwrap_or(beyond)))
}

/// Drops the fraction, as Go's JWT library does.
#[allow(clippy::cast_possible_truncation)] // `as` saturates, which is what is wanted.
fn whole_seconds(seconds: f64) -> i64 {
    seconds as i64
}

/// Makes a token out of its claims.
#[cfg(test)]
pub(super) fn token(header: &Value, payload: &Value) -> String {
    let part = |value: &Value| BASE64URL.encode(value.to_string());
    format!("{}.{}.c2lnbmF0dXJl", part(header), part(payload))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_claims(payload: &Value) -> Result<Claims, NotJwt> {
        claims(&token(&json!({"alg": "RS256", "kid": "x"}), payload))
    }

    #[test]
    fn the_claims_of_a_secret_token_are_read() {
        let claims = read_claims(&json!({
            "iss": "kubernetes/serviceaccount",
            "sub": "system:serviceaccount:default:ray-manager",
            "kubernetes.io/serviceaccount/namespace": "default",
            "kubernetes.io/serviceaccount/secret.name": "ray-manager-token",
            "kubernetes.io/serviceaccount/service-account.name": "ray-manager",
        }))
        .unwrap();
        let subject = Some("system:serviceaccount:default:ray-manager".to_owned());
        assert_eq!(claims.subject, subject);
        assert_eq!(claims.account, subject);
        assert_eq!(claims.expires, None);
        assert_eq!(claims.legacy_secret(), Some("ray-manager-token"));
        assert!(!claims.is_bound);
    }

    #[test]
    fn the_claims_of_a_bound_token_are_read() {
        let claims = read_claims(&json!({
            "iss": "https://kubernetes.default.svc.cluster.local",
            "sub": "system:serviceaccount:default:ray-manager",
            "aud": ["https://kubernetes.default.svc.cluster.local"],
            "exp": 1_800_000_000,
            "kubernetes.io": {"namespace": "default", "serviceaccount": {"name": "ray-manager"}},
        }))
        .unwrap();
        assert_eq!(claims.account, claims.subject);
        assert_eq!(claims.expires, Timestamp::from_second(1_800_000_000).ok());
        assert_eq!(claims.legacy_secret(), None);
        assert!(claims.is_bound);
    }

    #[test]
    fn a_secret_name_counts_from_its_issuer_only() {
        let claims = read_claims(&json!({
            "iss": "https://example.com",
            "kubernetes.io/serviceaccount/secret.name": "x",
        }))
        .unwrap();
        assert_eq!(claims.legacy_secret(), None);
    }

    #[test]
    fn claims_of_other_types_are_missing() {
        let odd = json!({"iss": 1, "sub": ["x"], "exp": null, "kubernetes.io": "x"});
        assert_eq!(read_claims(&odd), Ok(Claims::default()));
        let partial = json!({"kubernetes.io": {"namespace": "default", "serviceaccount": 1}});
        assert_eq!(read_claims(&partial).unwrap().account, None);
    }

    #[test]
    fn every_number_is_a_time() {
        for (exp, expected) in [
            (json!(0), "1970-01-01T00:00:00Z"),
            (json!(1_800_000_000), "2027-01-15T08:00:00Z"),
            (json!(1_800_000_000.9), "2027-01-15T08:00:00Z"),
            (json!(1.8e9), "2027-01-15T08:00:00Z"),
            (json!(-1), "1969-12-31T23:59:59Z"),
        ] {
            let claims = read_claims(&json!({ "exp": exp })).unwrap();
            assert_eq!(claims.expires.unwrap().to_string(), expected, "{exp}");
        }
        for (exp, expected) in [
            (json!(i64::MAX), Timestamp::MAX),
            (json!(u64::MAX), Timestamp::MAX),
            (json!(1e300), Timestamp::MAX),
            (json!(i64::MIN), Timestamp::MIN),
            (json!(-1e300), Timestamp::MIN),
        ] {
            let claims = read_claims(&json!({ "exp": exp })).unwrap();
            assert_eq!(claims.expires, Some(expected), "{exp}");
        }
    }

    #[test]
    fn what_is_no_token_is_told_why() {
        let header = BASE64URL.encode(r#"{"alg":"RS256"}"#);
        let claims_part = BASE64URL.encode(r#"{"sub":"x"}"#);
        let encode = |text: &str| BASE64URL.encode(text);
        let (h, c) = (header.as_str(), claims_part.as_str());
        for (token, reason) in [
            ("sha256~abc".to_owned(), "three parts"),
            ("abcdef.0123456789abcdef".to_owned(), "three parts"),
            (format!("{h}.{c}"), "three parts"),
            (format!("{h}.{c}.c2ln.x.y"), "three parts"),
            ("a.b.c".to_owned(), "a header that is no JSON"),
            (format!(".{c}.c2ln"), "a header that is no JSON"),
            (
                format!("{}.{c}.c2ln", encode("[]")),
                "a header that is no JSON",
            ),
            (format!("{h}=.{c}.c2ln"), "a header that is no JSON"),
            (format!("{}.{c}.c2ln", encode("{}")), "no algorithm"),
            (
                format!("{}.{c}.c2ln", encode(r#"{"alg":"none"}"#)),
                "not signed",
            ),
            (
                format!("{}.{c}.", encode(r#"{"alg":"None"}"#)),
                "not signed",
            ),
            (
                format!("{h}.{}.c2ln", encode("\"x\"")),
                "claims that are no JSON",
            ),
            (
                format!("{h}.{}.c2ln", encode(&"[".repeat(5000))),
                "claims that are no JSON",
            ),
            (
                format!("{h}.{}.c2ln", encode("\u{1b}")),
                "claims that are no JSON",
            ),
            (
                format!("{h}.{}.c2ln", encode(r#"{"exp":1e999}"#)),
                "claims that are no JSON",
            ),
            (
                format!("{h}.{}.c2ln", encode(r#"{"exp":"1"}"#)),
                "`exp` that is not a number",
            ),
            (format!("{h}.{c}."), "no signature"),
            (format!("{h}.{c}.c2ln="), "not base64url"),
            (format!("{h}.{c}.c2+n"), "not base64url"),
            (format!("{h}.{c}.c2lnx"), "not base64url"),
        ] {
            let found = claims(&token).expect_err(&token);
            assert!(found.contains(reason), "{token}: {found}");
        }
        // Unused last bits, which Go reads over.
        assert!(claims(&format!("{h}.{c}.c3")).is_ok());
    }
}

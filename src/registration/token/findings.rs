//! What is suspicious about a token, going by what it says about itself.

use std::time::SystemTime;

use jiff::Timestamp;

use super::Token;
use super::jwt::Claims;
use crate::registration::finding::{Code, Finding};
use crate::text::{shown, shown_list};

/// How much of a name from a token is shown: a claim may fill the whole token.
const SHOWN_LENGTH: usize = 200;

impl Token {
    /// What is suspicious about the token. `service_account` is the name of ours, in namespace
    /// `default`; of `token_secrets`, the last is the current one. The clock only tells whether
    /// an expiry lies ahead.
    pub fn findings(
        &self,
        service_account: &str,
        token_secrets: &[String],
        now: SystemTime,
    ) -> Vec<Finding> {
        let source = source(token_secrets);
        let claims = match &self.claims {
            Ok(claims) => claims,
            Err(reason) => return vec![not_jwt(reason, &source)],
        };
        let mut findings = Vec::new();
        match wrong_subject(claims, service_account, &source) {
            Some(finding) => findings.push(finding),
            // Another account's Secrets are none of ours, which goes without saying.
            None => findings.extend(not_current(claims, token_secrets)),
        }
        findings.extend(claims.expires.map(|at| expiry(at, now, &source)));
        findings
    }
}

/// Where to take the right token from.
fn source(token_secrets: &[String]) -> String {
    let secret = token_secrets.last().map_or_else(
        || "its token Secret".to_owned(),
        |name| format!("the Secret {}", shown(name)),
    );
    format!("{secret} in namespace `default` of the compute cluster")
}

fn not_jwt(reason: &str, source: &str) -> Finding {
    let text = format!(
        "the token is not a JSON Web Token, as service accounts have: it {reason}; the control \
         plane would send it all the same, and be refused unless the API server knows such \
         tokens; take the token from {source}, or list `{}` under `allow`",
        Code::TokenNotJwt,
    );
    Finding::new(Code::TokenNotJwt, text)
}

fn wrong_subject(claims: &Claims, service_account: &str, source: &str) -> Option<Finding> {
    let ours = format!("system:serviceaccount:default:{service_account}");
    let found = match (&claims.subject, &claims.account) {
        (None, _) => "has no subject".to_owned(),
        (Some(subject), _) if *subject != ours => format!("is for {}", brief(subject)),
        (Some(_), Some(account)) if *account != ours => {
            format!(
                "is for {} by its subject and for {} by its other claims",
                shown(&ours),
                brief(account)
            )
        }
        (Some(_), _) => return None,
    };
    let text = format!(
        "the token {found}, and {} was expected: the control plane would act as someone else, \
         with other permissions, or be refused; take the token from {source}, or list `{}` under \
         `allow`",
        shown(&ours),
        Code::TokenWrongSubject,
    );
    Some(Finding::new(Code::TokenWrongSubject, text))
}

fn not_current(claims: &Claims, token_secrets: &[String]) -> Option<Finding> {
    let secret = claims.legacy_secret()?;
    let current = token_secrets.last()?;
    if secret == current {
        return None;
    }
    let text = if token_secrets.iter().any(|name| name == secret) {
        format!(
            "the token is of the Secret {}, and the current one is {}: the control plane would \
             lose access once the older Secret is deleted; take the token from {}",
            brief(secret),
            shown(current),
            source(token_secrets),
        )
    } else {
        format!(
            "the token is of the Secret {}, which is not in `serviceAccount.tokenSecrets` ({}): \
             the control plane would lose access once that Secret is deleted, as nothing here \
             keeps it; take the token from {}, or add that Secret's name at the list's end",
            brief(secret),
            shown_list(token_secrets),
            source(token_secrets),
        )
    };
    Some(Finding::new(Code::TokenSecretNotCurrent, text))
}

fn expiry(at: Timestamp, now: SystemTime, source: &str) -> Finding {
    // A clock beyond the calendar is not worth an error: the finding is there either way.
    let has_expired = Timestamp::try_from(now).is_ok_and(|now| at <= now);
    if has_expired {
        let text = format!(
            "the token expired at {at}: the compute cluster would refuse every request of the \
             control plane; take the token, which doesn't expire, from {source}"
        );
        return Finding::new(Code::TokenExpired, text);
    }
    let text = format!(
        "the token expires at {at}: from then on the compute cluster would refuse every request of \
         the control plane; a longer `kubectl create token --duration` may not help, as EKS and \
         GKE cap it, so take the token, which doesn't expire, from {source}"
    );
    Finding::new(Code::TokenExpires, text)
}

/// Shows a name from a token, cut where it is longer than any name.
fn brief(name: &str) -> String {
    match name.char_indices().nth(SHOWN_LENGTH) {
        Some((end, _)) => {
            let start = name.get(..end).unwrap_or_default();
            format!("{} (cut off here)", shown(start))
        }
        None => shown(name).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use serde_json::{Value, json};

    use super::super::jwt;
    use super::*;

    const OURS: &str = "system:serviceaccount:default:ray-manager";
    const EXPIRY: u64 = 1_800_000_000;

    fn findings_at(payload: &Value, seconds: u64) -> Vec<Finding> {
        let token = jwt::token(&json!({"alg": "RS256"}), payload);
        let secrets = ["ray-manager-token".to_owned(), "ray-manager-2".to_owned()];
        let now = UNIX_EPOCH + Duration::from_secs(seconds);
        Token::parse(&token)
            .unwrap()
            .findings("ray-manager", &secrets, now)
    }

    fn only(payload: &Value, seconds: u64) -> (Code, String) {
        let mut findings = findings_at(payload, seconds);
        assert_eq!(findings.len(), 1, "{findings:?}");
        let finding = findings.remove(0);
        (finding.code, finding.text)
    }

    fn of_secret(subject: &str, secret: &str) -> Value {
        json!({
            "iss": "kubernetes/serviceaccount",
            "sub": subject,
            "kubernetes.io/serviceaccount/secret.name": secret,
        })
    }

    #[test]
    fn our_current_token_has_no_finding() {
        assert_eq!(findings_at(&of_secret(OURS, "ray-manager-2"), EXPIRY), []);
        assert_eq!(findings_at(&json!({ "sub": OURS }), EXPIRY), []);
    }

    #[test]
    fn another_subject_is_wrong() {
        let account = |namespace, name| {
            json!({"sub": OURS, "kubernetes.io":
                {"namespace": namespace, "serviceaccount": {"name": name}}})
        };
        for (payload, part) in [
            (json!({}), "has no subject"),
            (json!({"sub": 1}), "has no subject"),
            (json!({"sub": ""}), "is for ``"),
            (
                json!({"sub": "system:serviceaccount:kube-system:ray-manager"}),
                ":kube-system:",
            ),
            (
                json!({"sub": "system:serviceaccount:default:default"}),
                ":default:default`",
            ),
            (
                json!({"sub": "SYSTEM:serviceaccount:default:ray-manager"}),
                "is for `SYSTEM:",
            ),
            (json!({"sub": "a\u{1b}[31m"}), "is for `a\\u{1b}[31m`"),
            (json!({"sub": "é".repeat(5000)}), "é` (cut off here)"),
            (
                account("ma-system", "ray-manager"),
                "`system:serviceaccount:ma-system:ray-manager` by",
            ),
            (
                of_secret("jane@example.com", "jane"),
                "is for `jane@example.com`",
            ),
        ] {
            let (code, text) = only(&payload, 0);
            assert_eq!(code, Code::TokenWrongSubject, "{payload}");
            assert!(text.contains(part), "{text}");
            assert!(
                text.contains("`system:serviceaccount:default:ray-manager`"),
                "{text}"
            );
            assert!(text.contains("from the Secret `ray-manager-2`"), "{text}");
            assert!(text.len() < 1200, "{text}");
        }
        assert_eq!(findings_at(&account("default", "ray-manager"), 0), []);
    }

    #[test]
    fn an_older_or_unknown_secret_is_not_current() {
        let (code, text) = only(&of_secret(OURS, "ray-manager-token"), 0);
        assert_eq!(code, Code::TokenSecretNotCurrent);
        assert!(text.contains("`ray-manager-token`, and the current one is `ray-manager-2`"));
        let (code, text) = only(&of_secret(OURS, "other"), 0);
        assert_eq!(code, Code::TokenSecretNotCurrent);
        assert!(text.contains("not in `serviceAccount.tokenSecrets` (`ray-manager-token`, "));
    }

    #[test]
    fn the_clock_tells_expires_from_expired() {
        let payload = json!({"sub": OURS, "exp": EXPIRY});
        for (now, code) in [
            (0, Code::TokenExpires),
            (EXPIRY - 1, Code::TokenExpires),
            (EXPIRY, Code::TokenExpired),
            (EXPIRY + 1, Code::TokenExpired),
        ] {
            let (found, text) = only(&payload, now);
            assert_eq!(found, code, "{now}");
            assert!(text.contains("2027-01-15T08:00:00Z"), "{text}");
            assert!(text.contains("`ray-manager-2`"), "{text}");
        }
        assert!(only(&payload, 0).1.contains("EKS and GKE cap it"));
    }

    #[test]
    fn an_absurd_clock_or_expiry_is_no_panic() {
        assert_eq!(
            only(&json!({"sub": OURS, "exp": 1e300}), 0).0,
            Code::TokenExpires
        );
        assert_eq!(
            only(&json!({"sub": OURS, "exp": -1e300}), 0).0,
            Code::TokenExpired
        );
        let after_the_calendar = i64::MAX.unsigned_abs();
        let payload = json!({"sub": OURS, "exp": EXPIRY});
        assert_eq!(only(&payload, after_the_calendar).0, Code::TokenExpires);
    }

    #[test]
    fn a_wrong_subject_and_an_expiry_are_two_findings() {
        let codes: Vec<Code> = findings_at(&json!({"exp": 0}), 0)
            .into_iter()
            .map(|finding| finding.code)
            .collect();
        assert_eq!(codes, [Code::TokenWrongSubject, Code::TokenExpired]);
    }

    #[test]
    fn an_opaque_token_is_not_shown() {
        let token = Token::parse("sha256~hunter2").unwrap();
        let findings = token.findings("ray-manager", &[], UNIX_EPOCH);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].code, Code::TokenNotJwt);
        assert!(findings[0].text.contains("it doesn't have three parts"));
        assert!(
            findings[0]
                .text
                .contains("list `token-not-jwt` under `allow`")
        );
        assert!(!findings[0].text.contains("hunter2"));
    }

    #[test]
    fn without_a_list_of_secrets_none_is_current() {
        let token = jwt::token(&json!({"alg": "RS256"}), &of_secret(OURS, "x"));
        let token = Token::parse(&token).unwrap();
        assert_eq!(token.findings("ray-manager", &[], UNIX_EPOCH), []);
    }
}

//! What is suspicious about certificates that are well-formed.
//!
//! One cause is one finding:
//! - by role, at most one for each certificate, the first that applies: `ca-x509-v1` (version 1
//!   or 2, which can't state a role), `leaf-without-san` (self-signed, not an authority, and for
//!   no host, so that Go can use it neither as an authority nor as the server's own),
//!   `ca-not-a-ca`;
//! - by time, for all certificates together: `ca-expired` where all have expired, else
//!   `ca-one-expired` where some have; and `ca-not-yet-valid` where none is valid and some will
//!   be. One that isn't valid yet beside a valid one is a rotation prepared in good time;
//! - by size, `ca-too-large-for-apply`.

use std::time::SystemTime;

use jiff::Timestamp;

use super::x509::{Certificate, Role};
use crate::registration::finding::{Code, Finding};
use crate::text::shown;

/// The limit of all annotations of an object together, in bytes; client-side `kubectl apply`
/// stores the whole object in one.
const ANNOTATION_LIMIT: usize = 256 * 1024;

/// The findings about a bundle, at a time.
pub fn of(pem: &str, certificates: &[Certificate], now: SystemTime) -> Vec<Finding> {
    let named: Vec<Named<'_>> = name(certificates);
    let mut findings: Vec<Finding> = named.iter().filter_map(about_role).collect();
    findings.extend(about_expiry(&named, now));
    findings.extend(about_start(&named, now));
    findings.extend(about_size(pem));
    findings
}

/// A certificate and how to speak of it.
struct Named<'a> {
    certificate: &'a Certificate,
    /// Subjects alone don't tell the certificates of a rotation apart.
    name: String,
}

fn name(certificates: &[Certificate]) -> Vec<Named<'_>> {
    let total = certificates.len();
    let name = |index: usize, subject: &str| {
        let place = match total {
            1 => "the certificate".to_owned(),
            _ => format!("certificate {} of {total}", index + 1),
        };
        match subject {
            "" => format!("{place} (without a subject)"),
            _ => format!("{place} {}", shown(subject)),
        }
    };
    certificates
        .iter()
        .enumerate()
        .map(|(index, certificate)| Named {
            certificate,
            name: name(index, &certificate.subject),
        })
        .collect()
}

fn about_role(named: &Named<'_>) -> Option<Finding> {
    let Named { certificate, name } = named;
    if certificate.version < 3 {
        let version = certificate.version;
        return Some(Finding::new(
            Code::CaX509V1,
            format!(
                "{name} is X.509 version {version}, which can't say whether it may sign others: \
                 the control plane's Go client takes it as an authority, other clients refuse it; \
                 have the authority issued again as version 3 with CA:TRUE"
            ),
        ));
    }
    let reason = match certificate.role {
        Role::Authority => return None,
        Role::Unstated => "has no basicConstraints",
        Role::Leaf => "has CA:FALSE",
        Role::WithoutCertSign => "has a keyUsage without keyCertSign",
    };
    let is_leaf = certificate.role != Role::WithoutCertSign;
    if is_leaf && certificate.self_signed && !certificate.names_a_host {
        return Some(Finding::new(
            Code::LeafWithoutSan,
            format!(
                "{name} is self-signed, {reason} and has no DNS name or IP address as a subject \
                 alternative name: the control plane will refuse the API server that presents it, \
                 because Go ignores the common name; issue it again with the server's host as a \
                 subject alternative name, or give the authority that signs the API server's \
                 certificate"
            ),
        ));
    }
    Some(Finding::new(
        Code::CaNotACa,
        format!(
            "{name} {reason}, so it is not an authority: the control plane will accept at most an \
             API server that presents this very certificate, and none whose certificate it \
             signed; give the authority that signs the API server's certificate"
        ),
    ))
}

fn about_expiry(named: &[Named<'_>], now: SystemTime) -> Option<Finding> {
    let expired: Vec<&Named<'_>> = named
        .iter()
        .filter(|named| now > named.certificate.not_after)
        .collect();
    if expired.is_empty() {
        return None;
    }
    let list: Vec<String> = expired
        .iter()
        .map(|named| format!("{} on {}", named.name, date(named.certificate.not_after)))
        .collect();
    let list = list.join(", ");
    Some(if expired.len() == named.len() {
        Finding::new(
            Code::CaExpired,
            format!(
                "expired: {list}: the control plane will refuse every connection to the compute \
                 cluster; export the kubeconfig again with the authority of today"
            ),
        )
    } else {
        Finding::new(
            Code::CaOneExpired,
            format!(
                "expired: {list}: the control plane will refuse an API server whose certificate \
                 an expired one signed, and go by the others; remove what nothing uses any more"
            ),
        )
    })
}

fn about_start(named: &[Named<'_>], now: SystemTime) -> Option<Finding> {
    let is_valid = |c: &Certificate| c.not_before <= now && now <= c.not_after;
    if named.iter().any(|named| is_valid(named.certificate)) {
        return None;
    }
    let first = named
        .iter()
        .filter(|named| now <= named.certificate.not_after)
        .min_by_key(|named| named.certificate.not_before)?;
    Some(Finding::new(
        Code::CaNotYetValid,
        format!(
            "not valid before {}: {}: the control plane will refuse every connection to the \
             compute cluster until then; wait, give the authority of today, or set this \
             machine's clock if it is wrong",
            date(first.certificate.not_before),
            first.name
        ),
    ))
}

fn about_size(pem: &str) -> Option<Finding> {
    let size = pem.len().div_ceil(3) * 4;
    (size > ANNOTATION_LIMIT).then(|| {
        Finding::new(
            Code::CaTooLargeForApply,
            format!(
                "the certificates take {size} bytes as base64: client-side `kubectl apply` will \
                 fail, because it keeps a copy in an annotation and annotations hold \
                 {ANNOTATION_LIMIT} bytes; use `kubectl apply --server-side`, or give only the \
                 authorities that sign the API server's certificate"
            ),
        )
    })
}

/// A day in UTC. X.509's "never expires", the last second of 9999, lies some hours past jiff's last
/// timestamp.
fn date(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(
        |_| "9999-12-31".to_owned(),
        |timestamp| timestamp.strftime("%Y-%m-%d").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::super::CertificateAuthority;
    use super::super::samples::{
        AUTHORITY, EXPIRED, FOREVER, FUTURE, OTHER_AUTHORITY, SELF_SIGNED_EMAIL_LEAF,
        SELF_SIGNED_LEAF, SELF_SIGNED_SAN_LEAF, SIGNED_LEAF, UNSTATED, UNSTATED_WITHOUT_SAN,
        VERSION_1, WITHOUT_CERT_SIGN,
    };
    use super::*;

    /// The first of January of a year, near enough.
    fn year(year: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs((year - 1970) * 31_556_952)
    }

    fn findings(pems: &[&str], now: SystemTime) -> Vec<Finding> {
        let authority = CertificateAuthority::from_pem(pems.concat().as_bytes()).expect("PEM");
        assert_eq!(authority.pem(), pems.concat());
        authority.findings(now)
    }

    fn codes(pems: &[&str], now: SystemTime) -> Vec<Code> {
        findings(pems, now)
            .iter()
            .map(|finding| finding.code)
            .collect()
    }

    #[test]
    fn an_authority_of_today_is_not_suspicious() {
        assert_eq!(findings(&[AUTHORITY], year(2030)), []);
        assert_eq!(
            findings(&[AUTHORITY, OTHER_AUTHORITY, FOREVER], year(2030)),
            []
        );
    }

    #[test]
    fn one_finding_about_each_role() {
        let now = year(2027);
        assert_eq!(codes(&[VERSION_1], now), [Code::CaX509V1]);
        assert_eq!(codes(&[SELF_SIGNED_LEAF], now), [Code::LeafWithoutSan]);
        assert_eq!(
            codes(&[SELF_SIGNED_EMAIL_LEAF], now),
            [Code::LeafWithoutSan]
        );
        assert_eq!(codes(&[UNSTATED_WITHOUT_SAN], now), [Code::LeafWithoutSan]);
        assert_eq!(codes(&[SELF_SIGNED_SAN_LEAF], now), [Code::CaNotACa]);
        assert_eq!(codes(&[UNSTATED], now), [Code::CaNotACa]);
        assert_eq!(codes(&[SIGNED_LEAF], now), [Code::CaNotACa]);
        assert_eq!(codes(&[WITHOUT_CERT_SIGN], now), [Code::CaNotACa]);
    }

    #[test]
    fn each_certificate_of_a_bundle_is_named() {
        let found = findings(&[AUTHORITY, SIGNED_LEAF, UNSTATED], year(2027));
        let starts = found.iter().map(|finding| finding.text.split(',').next());
        assert_eq!(
            starts.collect::<Vec<_>>(),
            [
                Some("certificate 2 of 3 `CN=signed"),
                Some("certificate 3 of 3 `CN=unstated")
            ]
        );
    }

    #[test]
    fn expiry_and_start() {
        assert_eq!(codes(&[EXPIRED], year(2022)), [Code::CaExpired]);
        assert_eq!(codes(&[EXPIRED, AUTHORITY], year(2060)), [Code::CaExpired]);
        assert_eq!(
            codes(&[AUTHORITY, EXPIRED], year(2030)),
            [Code::CaOneExpired]
        );
        assert_eq!(codes(&[FUTURE], year(2030)), [Code::CaNotYetValid]);
        assert_eq!(
            codes(&[AUTHORITY, FUTURE], year(2010)),
            [Code::CaNotYetValid]
        );
        assert_eq!(codes(&[AUTHORITY, FUTURE], year(2030)), []);
        assert_eq!(
            codes(&[EXPIRED, FUTURE], year(2030)),
            [Code::CaOneExpired, Code::CaNotYetValid]
        );
        assert_eq!(codes(&[FOREVER], year(9999)), []);
    }

    #[test]
    fn the_last_second_is_valid_as_in_go() {
        let authority = CertificateAuthority::from_pem(EXPIRED.as_bytes()).expect("PEM");
        let end = authority.certificates().first().expect("one").not_after;
        assert_eq!(authority.findings(end), []);
        assert_eq!(authority.findings(end + Duration::from_secs(1)).len(), 1);
    }

    #[test]
    fn texts_give_the_date_and_the_subject() {
        let found = findings(&[AUTHORITY, EXPIRED], year(2030));
        let text = &found.first().expect("one").text;
        assert!(
            text.starts_with(
                "expired: certificate 2 of 2 `CN=expired,O=Acme\\, Inc.` on 2021-01-31: "
            ),
            "{text}"
        );
        let found = findings(&[AUTHORITY, FUTURE], year(2010));
        let text = &found.first().expect("one").text;
        assert!(
            text.starts_with("not valid before 2020-01-31: certificate 1 of 2"),
            "{text}"
        );
        let forever = CertificateAuthority::from_pem(FOREVER.as_bytes()).expect("PEM");
        assert_eq!(
            date(forever.certificates().first().expect("one").not_after),
            "9999-12-31"
        );
    }

    #[test]
    fn the_clock_never_fails() {
        let forever = CertificateAuthority::from_pem(FOREVER.as_bytes()).expect("PEM");
        for now in [UNIX_EPOCH, UNIX_EPOCH - Duration::from_secs(1 << 40)] {
            assert_eq!(forever.findings(now).len(), 1);
        }
    }

    #[test]
    fn size_counts_as_base64() {
        assert_eq!(about_size(&"a".repeat(196_608)), None);
        let found = about_size(&"a".repeat(196_609)).expect("a finding");
        assert_eq!(found.code, Code::CaTooLargeForApply);
        assert!(found.text.contains("262148 bytes"));
    }
}

//! The certificate authority with which the control plane verifies a compute cluster's API server.
//!
//! Its Go client reads PEM with `CertPool.AppendCertsFromPEM`, which silently skips blocks that it can't read. So
//! unambiguous input is normalised, and everything else is refused.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::jiff::Timestamp;
use rustls_pki_types::pem::{PemObject as _, SectionKind};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Error, X509Version};

use crate::diagnostic::Diagnostic;
use crate::findings::Code;
use crate::input::yaml;
use crate::show::{list, utc};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// The API server's limit, in bytes. Client-side `kubectl apply` copies the whole object into an annotation.
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// Distinct certificates; none if the controller's own roots verify the server.
#[derive(Debug, Default)]
pub struct CertificateAuthority {
    /// The PEM for the control plane: clean input byte for byte, other input written anew.
    pub pem: String,
    pub certificates: Vec<Certificate>,
}

#[derive(Debug)]
pub struct Certificate {
    /// The subject, in RFC 4514 form.
    pub subject: String,
    der: Vec<u8>,
    not_before: i64,
    not_after: i64,
    /// Why it isn't a CA; `None` if it is one.
    finding: Option<Diagnostic>,
}

impl Certificate {
    /// Parses a certificate, or returns `None` if Go would refuse it.
    fn read(der: &[u8]) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        // Go refuses a negative serial number.
        let serial_is_negative =
            certificate.raw_serial().first().is_none_or(|byte| byte & 0x80 != 0);
        if !rest.is_empty() || serial_is_negative {
            return None;
        }
        Some(Self {
            subject: certificate.subject().to_string(),
            der: der.to_vec(),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            finding: about_role(&certificate).ok()?,
        })
    }

    /// Returns the SHA-256 fingerprint, as `openssl x509 -fingerprint -sha256` prints it.
    pub fn sha256(&self) -> String {
        let digest = Sha256::digest(&self.der);
        let hex: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        hex.join(":")
    }

    /// Returns the last second of its validity, in UTC.
    pub fn expires(&self) -> String {
        utc(self.not_after)
    }
}

impl CertificateAuthority {
    /// Reads `certificate-authority-data`. Fails if the text isn't base64 of what [`CertificateAuthority::from_pem`]
    /// accepts.
    pub fn from_base64(text: &str) -> Result<Self, Diagnostic> {
        let text: String = text.split_ascii_whitespace().collect();
        if ["DATA+OMITTED", "REDACTED"].contains(&text.as_str()) {
            let error = Diagnostic::error("`kubectl config view` left the certificate out");
            let help = "export the kubeconfig with `kubectl config view --raw --minify --flatten`";
            return Err(error.help(help));
        }
        if text.contains("-----BEGIN") {
            return Err(Diagnostic::error("expected base64, found PEM")
                .help("write `certificate-authority: FILE`, or the output of `base64 < FILE`"));
        }
        let bytes = STANDARD.decode(&text).map_err(|_| not_pem())?;
        Self::from_pem(&bytes)
    }

    /// Reads a PEM file, and drops duplicate certificates. Fails if any block isn't a certificate that Go can read,
    /// or there is none. The error shows none of the input.
    pub fn from_pem(bytes: &[u8]) -> Result<Self, Diagnostic> {
        let text = match bytes {
            // PowerShell's `>` writes UTF-16.
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => &yaml::decode(bytes.to_vec())?,
            _ => std::str::from_utf8(bytes).map_err(|_| not_pem())?,
        };
        if text.trim_start().starts_with("LS0tLS1CRUdJTi") {
            let error = Diagnostic::error("the certificate is base64-encoded once more");
            return Err(error.help("decode it first: `base64 -d`"));
        }
        if !text.trim().contains('\n') && text.contains(BEGIN) {
            let error = Diagnostic::error("the line breaks of the certificate are lost");
            return Err(error.help("copy it again with its line breaks"));
        }
        if text.contains("PRIVATE KEY-----") {
            return Err(Diagnostic::error("found a private key; only certificates are allowed")
                .help("keep only the blocks between `BEGIN CERTIFICATE` and `END CERTIFICATE`"));
        }
        // Certificates copied from YAML are indented, and Rancher ends each line with `\`.
        let ends = |c: char| c.is_whitespace() || c == '\u{feff}' || c == '\\';
        let lines: String =
            text.lines().map(|line| line.trim_matches(ends).to_owned() + "\n").collect();
        let total = lines.matches("-----BEGIN ").count();
        if total == 0 {
            return Err(not_pem());
        }
        let mut seen = HashSet::new();
        let mut certificates = Vec::new();
        let mut pem = String::new();
        let mut blocks = 0;
        for block in <(SectionKind, Vec<u8>)>::pem_slice_iter(lines.as_bytes()) {
            blocks += 1;
            let der = match block {
                Ok((SectionKind::Certificate, der)) => der,
                Ok(_) => return Err(bad_block(blocks, total, "is not a certificate")),
                Err(_) => return Err(bad_block(blocks, total, "is cut off or not base64")),
            };
            let certificate = Certificate::read(&der)
                .ok_or_else(|| bad_block(blocks, total, "is not a certificate, or is corrupt"))?;
            if seen.insert(der.clone()) {
                pem.push_str(&encode(&der));
                certificates.push(certificate);
            }
        }
        // The parser skips blocks of unknown types without an error.
        if blocks != total {
            return Err(not_pem());
        }
        if is_clean(text) && certificates.len() == total {
            text.clone_into(&mut pem);
        }
        Ok(Self { pem, certificates })
    }

    /// Returns the findings at a time. Nothing else depends on the clock, so that renders are reproducible.
    pub fn findings(&self, now: Timestamp) -> Vec<Diagnostic> {
        let now = now.as_second();
        let mut findings: Vec<Diagnostic> =
            self.certificates.iter().filter_map(|it| it.finding.clone()).collect();
        let all = self.certificates.len();
        let subjects = |is_odd: &dyn Fn(&Certificate) -> bool| -> Vec<&String> {
            self.certificates.iter().filter(|it| is_odd(it)).map(|it| &it.subject).collect()
        };
        let expired = subjects(&|certificate| certificate.not_after < now);
        let early = subjects(&|certificate| certificate.not_before > now);
        if expired.len() == all {
            let message = format!("the certificate authority has expired: {}", list(&expired));
            let help = "export the kubeconfig again, or set `kubeconfig.certificateAuthority`";
            findings.push(Diagnostic::finding(Code::CaExpired, message, help));
        } else if !expired.is_empty() {
            let (number, subjects) = (expired.len(), list(&expired));
            let message = format!("{number} of {all} certificates expired: {subjects}");
            let help = "remove the expired certificates";
            findings.push(Diagnostic::finding(Code::CaOneExpired, message, help));
        }
        if !early.is_empty() && early.len() + expired.len() == all {
            let message = format!("the certificate authority is not valid yet: {}", list(early));
            let help = "check this machine's clock";
            findings.push(Diagnostic::finding(Code::CaNotYetValid, message, help));
        }
        if self.pem.len().div_ceil(3) * 4 > ANNOTATIONS_LIMIT {
            let message = "the certificates are too large for client-side `kubectl apply`";
            let help =
                "use `kubectl apply --server-side`, or keep only the authority of the API server";
            findings.push(Diagnostic::finding(Code::CaTooLargeForApply, message, help));
        }
        findings
    }
}

/// Returns a finding if a certificate isn't one of an authority.
fn about_role(certificate: &X509Certificate<'_>) -> Result<Option<Diagnostic>, X509Error> {
    let name = list([certificate.subject().to_string()]);
    let constraints = certificate.basic_constraints()?.map(|constraints| constraints.value);
    let usage = certificate.key_usage()?.map(|usage| usage.value);
    let has_san = certificate.subject_alternative_name()?.is_some_and(|names| {
        use x509_parser::prelude::GeneralName::{DNSName, IPAddress};
        names.value.general_names.iter().any(|name| matches!(name, DNSName(_) | IPAddress(_)))
    });
    if certificate.version() != X509Version::V3 {
        let message = format!("the certificate {name} is X.509 v1, so it is not marked as a CA");
        let help = "issue it again as version 3 with CA:TRUE";
        return Ok(Some(Diagnostic::finding(Code::CaX509V1, message, help)));
    }
    let is_authority = constraints.is_some_and(|constraints| constraints.ca);
    // Go refuses it even as the server's own certificate.
    if !is_authority && !has_san && certificate.issuer() == certificate.subject() {
        let message = format!("the self-signed certificate {name} has no subject alternative name");
        let help = "issue it again with the server's host as a subject alternative name";
        return Ok(Some(Diagnostic::finding(Code::LeafWithoutSan, message, help)));
    }
    let defect = match (constraints, usage) {
        (None, _) => "has no basicConstraints",
        (Some(constraints), _) if !constraints.ca => "has CA:FALSE",
        (_, Some(usage)) if !usage.key_cert_sign() => "has no keyCertSign",
        _ => return Ok(None),
    };
    let message = format!("the certificate {name} {defect}, so it is not an authority");
    let help =
        "set `kubeconfig.certificateAuthority` to the CA that signs the API server's certificate";
    Ok(Some(Diagnostic::finding(Code::CaNotACa, message, help)))
}

/// Whether a text has certificates and line feeds only: Go reads it in full, so it is kept unchanged.
fn is_clean(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let is_body = |line: &str| !line.is_empty() && line.bytes().all(is_base64);
    let is_line = |line: &str| line == BEGIN || line == END || is_body(line);
    text.ends_with('\n')
        && text.trim_end_matches('\n').split('\n').all(is_line)
        && !text.ends_with("\n\n")
}

fn encode(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"))
}

fn not_pem() -> Diagnostic {
    Diagnostic::error("not a PEM certificate")
        .help("a PEM certificate begins with `-----BEGIN CERTIFICATE-----`; convert DER with `openssl x509 -inform der`")
}

fn bad_block(number: usize, total: usize, what: &str) -> Diagnostic {
    Diagnostic::error(format!("PEM block {number} of {total} {what}"))
        .help("copy the certificate again, or remove the block")
}

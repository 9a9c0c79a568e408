//! An X.509 certificate: a subject's name and public key with a validity, signed by an issuer.
//!
//! Read with the same leniency as Go's `x509.ParseCertificate` where that matters (old serial
//! numbers, path lengths), and refused for what it refuses ([`go`]), because the control plane
//! would skip such a certificate and say nothing.

mod alternative_names;
mod der;
mod elliptic_curve;
mod extensions;
mod go;
mod name;
mod name_constraints;
mod public_key;

use std::fmt::Write as _;
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use x509_cert::certificate::{CertificateInner, Raw, TbsCertificateInner, Version};
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::name::Name;

use der::{BOOLEAN, Reader, SEQUENCE};
use extensions::{BASIC_CONSTRAINTS, KEY_USAGE, SUBJECT_ALT_NAME};

const CORRUPT: &str = "is not an X.509 certificate, or is corrupt: \
    copy the certificate again, or remove the block";

/// What is known of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// The subject as RFC 4514 writes it; may be empty. Text from input.
    pub subject: String,
    /// The first moment at which it is valid.
    pub not_before: SystemTime,
    /// The last moment at which it is valid.
    pub not_after: SystemTime,
    /// The X.509 version, 1 to 3; only the third has extensions.
    pub version: u8,
    /// Whether subject and issuer are the same.
    pub self_signed: bool,
    /// Whether it may sign others, as Go sees it.
    pub role: Role,
    /// Whether it is for a server's DNS name or IP address; Go ignores the common name.
    pub names_a_host: bool,
}

/// Whether a certificate may sign others, by its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It may.
    Authority,
    /// It has no basicConstraints. Before version 3 none can have them, and Go lets those sign.
    Unstated,
    /// Its basicConstraints say CA:FALSE.
    Leaf,
    /// Its basicConstraints say CA:TRUE, and its keyUsage lacks keyCertSign.
    WithoutCertSign,
}

impl Certificate {
    /// Reads DER without anything after it; an error completes a sentence that begins with the
    /// certificate's place.
    pub(super) fn from_der(der: &[u8]) -> Result<Self, &'static str> {
        let parsed = CertificateInner::<Raw>::from_der(der).map_err(|_| CORRUPT)?;
        go::check(der)?;
        let tbs = parsed.tbs_certificate();
        let validity = tbs.validity();
        Ok(Self {
            der: der.to_vec(),
            subject: rfc4514(tbs.subject()).ok_or(CORRUPT)?,
            not_before: validity.not_before.to_system_time(),
            not_after: validity.not_after.to_system_time(),
            version: tbs.version() as u8 + 1,
            self_signed: tbs.subject() == tbs.issuer(),
            role: role(tbs).ok_or(CORRUPT)?,
            names_a_host: names_a_host(tbs).ok_or(CORRUPT)?,
        })
    }

    /// The SHA-256 fingerprint, as `openssl x509 -fingerprint -sha256` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let bytes = Sha256::digest(&self.der);
        let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }

    /// The last moment at which it is valid, as RFC 3339 writes it.
    #[must_use]
    pub fn expires(&self) -> String {
        // X.509's "never expires" lies some hours past jiff's last timestamp.
        jiff::Timestamp::try_from(self.not_after)
            .map_or_else(|_| "9999-12-31T23:59:59Z".to_owned(), |at| at.to_string())
    }

    /// The certificate itself, as DER; a fingerprint is a hash of it.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

/// A name's text; the formatter fails where a value can't be encoded, which `to_string` would
/// turn into a panic.
fn rfc4514(name: &Name) -> Option<String> {
    let mut text = String::new();
    write!(text, "{name}").ok().map(|()| text)
}

/// Identifiers and values of the extensions; Go looks at none before version 3.
fn extensions(tbs: &TbsCertificateInner<Raw>) -> impl Iterator<Item = (ObjectIdentifier, &[u8])> {
    tbs.extensions()
        .filter(|_| tbs.version() == Version::V3)
        .into_iter()
        .flatten()
        .map(|extension| (extension.extn_id, extension.extn_value.as_bytes()))
}

fn extension(tbs: &TbsCertificateInner<Raw>, id: ObjectIdentifier) -> Option<&[u8]> {
    extensions(tbs).find_map(|(found, value)| (found == id).then_some(value))
}

/// `None` where an extension can't be read.
fn role(tbs: &TbsCertificateInner<Raw>) -> Option<Role> {
    let may_sign = extension(tbs, KEY_USAGE).map_or(Some(true), may_sign)?;
    let Some(constraints) = extension(tbs, BASIC_CONSTRAINTS) else {
        return Some(Role::Unstated);
    };
    let mut constraints = Reader::new(constraints).inner(SEQUENCE)?;
    let is_authority = constraints.is_next(BOOLEAN) && constraints.boolean()?;
    Some(match (is_authority, may_sign) {
        (false, _) => Role::Leaf,
        (true, false) => Role::WithoutCertSign,
        (true, true) => Role::Authority,
    })
}

/// Whether a keyUsage has keyCertSign (bit 5), or nothing at all, which Go takes for no keyUsage.
fn may_sign(key_usage: &[u8]) -> Option<bool> {
    let (bits, _) = Reader::new(key_usage).bit_string()?;
    Some(match bits {
        [first, rest @ ..] => {
            let has_ninth = rest.first().is_some_and(|byte| byte & 0x80 != 0);
            first & 0x04 != 0 || (*first == 0 && !has_ninth)
        }
        [] => true,
    })
}

/// Whether the subjectAltName has a dNSName or an iPAddress.
fn names_a_host(tbs: &TbsCertificateInner<Raw>) -> Option<bool> {
    extension(tbs, SUBJECT_ALT_NAME).map_or(Some(false), |names| {
        alternative_names::names_a_host(Reader::new(names))
    })
}

//! An X.509 certificate: a subject's name and public key with a validity, signed by an issuer.
//!
//! Read with the same leniency as Go's `x509.ParseCertificate` where that matters (old serial
//! numbers, path lengths), and refused for what it refuses, because the control plane would skip
//! such a certificate and say nothing.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::SystemTime;

use x509_cert::certificate::{CertificateInner, Raw, TbsCertificateInner, Version};
use x509_cert::der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use x509_cert::der::{Decode, Reader, SliceReader, Tag, Tagged};
use x509_cert::name::Name;

const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");

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
        const CORRUPT: &str = "is not an X.509 certificate, or is corrupt: \
            copy the certificate again, or remove the block";
        let parsed = CertificateInner::<Raw>::from_der(der).map_err(|_| CORRUPT)?;
        refuse_what_go_refuses(&parsed)?;
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

    /// The certificate itself, as DER; a fingerprint is a hash of it.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

fn refuse_what_go_refuses(certificate: &CertificateInner<Raw>) -> Result<(), &'static str> {
    let tbs = certificate.tbs_certificate();
    if tbs
        .serial_number()
        .as_bytes()
        .first()
        .is_some_and(|byte| byte & 0x80 != 0)
    {
        return Err("has a negative serial number, which Go refuses: have it issued again");
    }
    if tbs.signature() != certificate.signature_algorithm() {
        return Err(
            "names two different signature algorithms, which Go refuses: \
            copy the certificate again, or have it issued again",
        );
    }
    let mut seen = HashSet::new();
    if !extensions(tbs).all(|(id, _)| seen.insert(id)) {
        return Err("has one extension twice, which Go refuses: have it issued again");
    }
    if !is_legible(tbs.subject()) || !is_legible(tbs.issuer()) {
        return Err("has a name with characters that its string type forbids, \
            which Go refuses: have it issued again");
    }
    Ok(())
}

/// A name's text; the formatter fails where a value can't be encoded, which `to_string` would
/// turn into a panic.
fn rfc4514(name: &Name) -> Option<String> {
    let mut text = String::new();
    write!(text, "{name}").ok().map(|()| text)
}

/// Whether each of a name's strings has only characters of its type, with Go's exceptions `*` and
/// `&`.
fn is_legible(name: &Name) -> bool {
    name.iter().all(|attribute| {
        let bytes = attribute.value.value();
        match attribute.value.tag() {
            Tag::PrintableString => bytes
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(b)),
            Tag::Ia5String => bytes.is_ascii(),
            Tag::Utf8String => str::from_utf8(bytes).is_ok(),
            _ => true,
        }
    })
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
    let is_authority = sequence(constraints)?.starts_with(&[0x01, 0x01, 0xff]);
    Some(match (is_authority, may_sign) {
        (false, _) => Role::Leaf,
        (true, false) => Role::WithoutCertSign,
        (true, true) => Role::Authority,
    })
}

/// Whether a keyUsage has keyCertSign (bit 5), or nothing at all, which Go takes for no keyUsage.
fn may_sign(key_usage: &[u8]) -> Option<bool> {
    let bits = BitStringRef::from_der(key_usage).ok()?;
    let mut set = bits.bits().take(9);
    Some(bits.get(5) == Some(true) || !set.any(|bit| bit))
}

/// Whether the subjectAltName has a dNSName (2) or an iPAddress (7).
fn names_a_host(tbs: &TbsCertificateInner<Raw>) -> Option<bool> {
    let Some(names) = extension(tbs, SUBJECT_ALT_NAME) else {
        return Some(false);
    };
    let mut reader = SliceReader::new(sequence(names)?).ok()?;
    let mut found = false;
    while !reader.is_finished() {
        let tag = AnyRef::decode(&mut reader).ok()?.tag();
        found |= tag.is_context_specific() && matches!(tag.number().value(), 2 | 7);
    }
    Some(found)
}

/// The content of a DER sequence.
fn sequence(der: &[u8]) -> Option<&[u8]> {
    let any = AnyRef::from_der(der).ok()?;
    (any.tag() == Tag::Sequence).then(|| any.value())
}

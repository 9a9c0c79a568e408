//! What Go's `x509.ParseCertificate` refuses, beyond what makes no certificate at all.
//!
//! Go looks into less than x509-cert does in some places and into more in others: whatever is
//! between the two is refused. Where versions of Go differ, the strictest counts.

use super::CORRUPT;
use super::der::{INTEGER, Reader, SEQUENCE, context, explicit};
use super::public_key::Algorithm;
use super::{extensions, name, public_key};

const NEGATIVE_SERIAL: &str =
    "has a negative serial number, which Go refuses: have it issued again";
const TWO_ALGORITHMS: &str = "names two different signature algorithms, which Go refuses: \
    copy the certificate again, or have it issued again";

/// Refuses a certificate's DER where Go does.
pub fn check(der: &[u8]) -> Result<(), &'static str> {
    let mut certificate = Reader::new(der).inner(SEQUENCE).ok_or(CORRUPT)?;
    let mut signed = certificate.inner(SEQUENCE).ok_or(CORRUPT)?;
    let version = version(&mut signed).ok_or(CORRUPT)?;
    check_serial(&mut signed)?;
    let algorithm = signed.content(SEQUENCE).ok_or(CORRUPT)?;
    if certificate.content(SEQUENCE).ok_or(CORRUPT)? != algorithm {
        return Err(TWO_ALGORITHMS);
    }
    Algorithm::read(algorithm).ok_or(CORRUPT)?;
    certificate.bit_string().ok_or(CORRUPT)?;

    name::check(signed.inner(SEQUENCE).ok_or(CORRUPT)?)?;
    // The validity; x509-cert reads the dates, and more strictly.
    signed.content(SEQUENCE).ok_or(CORRUPT)?;
    name::check(signed.inner(SEQUENCE).ok_or(CORRUPT)?)?;
    public_key::check(signed.inner(SEQUENCE).ok_or(CORRUPT)?)?;
    let list = extensions_of(version, &mut signed).ok_or(CORRUPT)?;
    list.map_or(Ok(()), extensions::check)
}

/// The version as it is written, 0 to 2.
fn version(signed: &mut Reader<'_>) -> Option<u8> {
    let Some(version) = signed.optional(explicit(0))? else {
        return Some(0);
    };
    let mut version = Reader::new(version);
    let number = match version.content(INTEGER)? {
        [number @ 0..=2] => *number,
        _ => return None,
    };
    version.is_empty().then_some(number)
}

fn check_serial(signed: &mut Reader<'_>) -> Result<(), &'static str> {
    match signed.integer().ok_or(CORRUPT)? {
        [0x80..=0xff, ..] => Err(NEGATIVE_SERIAL),
        _ => Ok(()),
    }
}

/// The extensions, at which Go doesn't look before version 3.
fn extensions_of<'a>(version: u8, signed: &mut Reader<'a>) -> Option<Option<&'a [u8]>> {
    if version == 0 {
        return Some(None);
    }
    // Identifiers of the issuer and the subject.
    signed.optional(context(1))?;
    signed.optional(context(2))?;
    if version == 1 {
        return Some(None);
    }
    signed.optional(explicit(3))
}

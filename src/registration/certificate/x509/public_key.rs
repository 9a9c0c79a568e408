//! A certificate's public key: its algorithm, the algorithm's parameters and the key's bytes.
//!
//! Go takes a key of an algorithm that it doesn't know for what it is, and looks into all others.

use x509_cert::der::asn1::ObjectIdentifier;

use super::CORRUPT;
use super::der::{NULL, OBJECT_IDENTIFIER, Reader, SEQUENCE};
use super::elliptic_curve::Curve;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const DSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");
const ECDSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const X25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.110");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

const BAD_RSA: &str = "has an RSA key that Go refuses: \
    copy the certificate again, or have it issued again";
const BAD_DSA: &str = "has a DSA key that Go refuses: \
    copy the certificate again, or have it issued with another kind of key";
const BAD_POINT: &str = "has a public key that is not a point of its elliptic curve, \
    which Go refuses: copy the certificate again, or have it issued again";
const OTHER_CURVE: &str = "has a public key of an elliptic curve that Go doesn't know: \
    have it issued again with a key of P-256, P-384 or P-521";
const BAD_25519: &str = "has a key of Curve25519 that Go refuses: \
    copy the certificate again, or have it issued again";

/// An algorithm's name and its parameters, the latter with their tag.
pub struct Algorithm<'a> {
    name: &'a [u8],
    parameters: Option<(u8, &'a [u8])>,
}

impl<'a> Algorithm<'a> {
    /// Reads the content of an AlgorithmIdentifier.
    pub fn read(content: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(content);
        let name = reader.object_identifier()?;
        let parameters = if reader.is_empty() {
            None
        } else {
            Some(reader.any()?)
        };
        Some(Self { name, parameters })
    }
}

/// Refuses the content of a SubjectPublicKeyInfo where Go does.
pub fn check(mut info: Reader<'_>) -> Result<(), &'static str> {
    let algorithm = info.content(SEQUENCE).ok_or(CORRUPT)?;
    let algorithm = Algorithm::read(algorithm).ok_or(CORRUPT)?;
    let (bytes, unused) = info.bit_string().ok_or(CORRUPT)?;
    check_key(&algorithm, &right_align(bytes, unused))
}

fn check_key(algorithm: &Algorithm<'_>, key: &[u8]) -> Result<(), &'static str> {
    let is = |id: ObjectIdentifier| id.as_bytes() == algorithm.name;
    if is(RSA) {
        has_rsa_key(algorithm, key).ok_or(BAD_RSA)
    } else if is(ECDSA) {
        let curve = curve_name(algorithm).ok_or(CORRUPT)?;
        let curve = Curve::named(curve).ok_or(OTHER_CURVE)?;
        curve.has_point(key).then_some(()).ok_or(BAD_POINT)
    } else if is(X25519) || is(ED25519) {
        let is_sound = algorithm.parameters.is_none() && key.len() == 32;
        is_sound.then_some(()).ok_or(BAD_25519)
    } else if is(DSA) {
        has_dsa_key(algorithm, key).ok_or(BAD_DSA)
    } else {
        Ok(())
    }
}

/// The bits moved so that the unused ones stand in front.
fn right_align(bytes: &[u8], unused: u8) -> Vec<u8> {
    let mut before = 0;
    let shift = |byte: &u8| {
        let pair = u16::from_be_bytes([before, *byte]);
        before = *byte;
        (pair >> unused).to_be_bytes()[1]
    };
    bytes.iter().map(shift).collect()
}

fn has_rsa_key(algorithm: &Algorithm<'_>, key: &[u8]) -> Option<()> {
    let mut key = Reader::new(key).inner(SEQUENCE)?;
    let modulus = key.integer()?;
    let exponent = key.integer()?;
    let is_sound = algorithm.parameters == Some((NULL, &[]))
        && is_positive(modulus)
        && is_positive(exponent)
        && exponent.len() <= 8;
    is_sound.then_some(())
}

fn curve_name<'a>(algorithm: &Algorithm<'a>) -> Option<&'a [u8]> {
    let (tag, name) = algorithm.parameters?;
    (tag == OBJECT_IDENTIFIER).then_some(name)
}

fn has_dsa_key(algorithm: &Algorithm<'_>, key: &[u8]) -> Option<()> {
    let (tag, parameters) = algorithm.parameters?;
    let mut parameters = Reader::new(parameters);
    let numbers = [
        Reader::new(key).integer()?,
        parameters.integer()?,
        parameters.integer()?,
        parameters.integer()?,
    ];
    let is_sound = tag == SEQUENCE && numbers.into_iter().all(is_positive);
    is_sound.then_some(())
}

/// Whether an integer, in as few bytes as can be, is greater than zero.
fn is_positive(integer: &[u8]) -> bool {
    !matches!(integer, [0] | [0x80..=0xff, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn algorithm(id: ObjectIdentifier, parameters: Option<(u8, &[u8])>) -> Vec<u8> {
        let mut content = [&[6, id.as_bytes().len() as u8], id.as_bytes()].concat();
        if let Some((tag, bytes)) = parameters {
            content.extend([tag, bytes.len() as u8]);
            content.extend(bytes);
        }
        content
    }

    fn verdict(id: ObjectIdentifier, parameters: Option<(u8, &[u8])>, key: &[u8]) -> &'static str {
        let algorithm = algorithm(id, parameters);
        let algorithm = Algorithm::read(&algorithm).expect("an algorithm");
        check_key(&algorithm, key).err().unwrap_or("accepted")
    }

    #[test]
    fn rsa() {
        let null = Some((NULL, &[][..]));
        let key = [0x30, 6, 2, 1, 0x7f, 2, 1, 3];
        assert_eq!(verdict(RSA, null, &key), "accepted");
        assert_eq!(verdict(RSA, None, &key), BAD_RSA);
        assert_eq!(verdict(RSA, Some((NULL, &[0])), &key), BAD_RSA);
        for bad in [
            &[0x30, 6, 2, 1, 0, 2, 1, 3][..],
            &[0x30, 6, 2, 1, 0xff, 2, 1, 3],
            &[0x30, 6, 2, 1, 0x7f, 2, 1, 0],
            &[0x30, 6, 2, 1, 0x7f, 2, 1, 0x83],
            &[0x30, 7, 2, 2, 0, 0x7f, 2, 1, 3],
            &[0x30, 3, 2, 1, 0x7f],
            &[0x30, 14, 2, 1, 5, 2, 9, 0, 0x80, 0, 0, 0, 0, 0, 0, 0],
            &[0x31, 6, 2, 1, 0x7f, 2, 1, 3],
        ] {
            assert_eq!(verdict(RSA, null, bad), BAD_RSA, "{bad:?}");
        }
    }

    #[test]
    fn elliptic_curves() {
        let brainpool = ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.7");
        let p256 = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
        let named = |curve: ObjectIdentifier, key: &[u8]| {
            verdict(ECDSA, Some((OBJECT_IDENTIFIER, curve.as_bytes())), key)
        };
        assert_eq!(named(brainpool, &[4; 65]), OTHER_CURVE);
        assert_eq!(named(p256, &[4; 65]), BAD_POINT);
        assert_eq!(verdict(ECDSA, None, &[4; 65]), CORRUPT);
        assert_eq!(verdict(ECDSA, Some((NULL, &[])), &[4; 65]), CORRUPT);
    }

    #[test]
    fn curve_25519() {
        for id in [X25519, ED25519] {
            assert_eq!(verdict(id, None, &[1; 32]), "accepted");
            assert_eq!(verdict(id, None, &[1; 31]), BAD_25519);
            assert_eq!(verdict(id, Some((NULL, &[])), &[1; 32]), BAD_25519);
        }
    }

    #[test]
    fn dsa() {
        let good = [2, 1, 7, 2, 1, 5, 2, 1, 3];
        let parameters = Some((SEQUENCE, &good[..]));
        assert_eq!(verdict(DSA, parameters, &[2, 1, 1]), "accepted");
        assert_eq!(verdict(DSA, parameters, &[2, 1, 0]), BAD_DSA);
        assert_eq!(verdict(DSA, None, &[2, 1, 1]), BAD_DSA);
        let short = Some((SEQUENCE, &good[..6]));
        assert_eq!(verdict(DSA, short, &[2, 1, 1]), BAD_DSA);
    }

    #[test]
    fn unknown_algorithms_are_not_looked_into() {
        let ed448 = ObjectIdentifier::new_unwrap("1.3.101.113");
        assert_eq!(verdict(ed448, None, &[]), "accepted");
    }

    #[test]
    fn unused_bits_come_to_the_front() {
        assert_eq!(right_align(&[0x04, 0x80], 0), [0x04, 0x80]);
        assert_eq!(right_align(&[0x09, 0x82], 1), [0x04, 0xc1]);
    }
}

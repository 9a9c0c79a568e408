//! The names of a certificate's issuer and subject: attributes, each with a string.

use super::CORRUPT;
use super::der::{Reader, SEQUENCE, SET};

const UTF8: u8 = 0x0c;
const NUMERIC: u8 = 0x12;
const PRINTABLE: u8 = 0x13;
const T61: u8 = 0x14;
const IA5: u8 = 0x16;
const BMP: u8 = 0x1e;

const OTHER_TYPE: &str = "has a name with a value that is no string or of a type \
    that Go doesn't know, which Go refuses: have it issued again with UTF8String";
const FORBIDDEN: &str = "has a name with characters that its string type forbids, \
    which Go refuses: have it issued again";

/// Refuses the content of a Name where Go does.
pub fn check(mut name: Reader<'_>) -> Result<(), &'static str> {
    while !name.is_empty() {
        let mut set = name.inner(SET).ok_or(CORRUPT)?;
        while !set.is_empty() {
            let (tag, value) = attribute(&mut set).ok_or(CORRUPT)?;
            check_value(tag, value)?;
        }
    }
    Ok(())
}

/// The tag and the content of an attribute's value.
fn attribute<'a>(set: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let mut attribute = set.inner(SEQUENCE)?;
    attribute.object_identifier()?;
    attribute.any()
}

fn check_value(tag: u8, value: &[u8]) -> Result<(), &'static str> {
    let is_legible = match tag {
        UTF8 => str::from_utf8(value).is_ok(),
        NUMERIC => value.iter().all(|b| b.is_ascii_digit() || *b == b' '),
        PRINTABLE => value.iter().all(is_printable),
        T61 => true,
        IA5 => value.is_ascii(),
        BMP => is_bmp(value),
        _ => return Err(OTHER_TYPE),
    };
    is_legible.then_some(()).ok_or(FORBIDDEN)
}

/// PrintableString's characters, and `*` and `&`, which Go takes too.
fn is_printable(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(byte)
}

/// Whether bytes are characters of two bytes each, none of them half of a pair or reserved.
fn is_bmp(value: &[u8]) -> bool {
    let value = value.strip_suffix(&[0, 0]).unwrap_or(value);
    let (pairs, rest) = value.as_chunks();
    let is_reserved =
        |code: u16| matches!(code, 0xd800..=0xdfff | 0xfdd0..=0xfdef | 0xfffe | 0xffff);
    rest.is_empty()
        && pairs
            .iter()
            .all(|pair: &[u8; 2]| !is_reserved(u16::from_be_bytes(*pair)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_by_their_type() {
        for (tag, good, bad) in [
            (UTF8, &b"Z\xc3\xbcrich"[..], Some(&b"Z\xfcrich"[..])),
            (NUMERIC, b"12 3", Some(b"12-3")),
            (PRINTABLE, b"A & B (*)", Some(b"a_b")),
            (T61, b"Z\xfcrich", None),
            (IA5, b"a_b@c", Some(b"\x80")),
            (BMP, b"\0Z\0\xfc", Some(b"\0Z\0")),
            (BMP, b"\0Z\0\0", Some(b"\xd8\x00\xdc\x00")),
        ] {
            assert_eq!(check_value(tag, good), Ok(()), "{tag:#x}");
            if let Some(bad) = bad {
                assert_eq!(check_value(tag, bad), Err(FORBIDDEN), "{tag:#x}");
            }
        }
    }

    #[test]
    fn other_types() {
        // INTEGER, UniversalString, VisibleString, SEQUENCE.
        for tag in [0x02, 0x1c, 0x1a, SEQUENCE] {
            assert_eq!(check_value(tag, b"1"), Err(OTHER_TYPE));
        }
    }

    #[test]
    fn the_form() {
        let name = |der: &[u8]| check(Reader::new(der));
        assert_eq!(name(b""), Ok(()));
        assert_eq!(name(b"\x31\x08\x30\x06\x06\x01\x2a\x0c\x01a"), Ok(()));
        for bad in [
            &b"\x30\x08\x30\x06\x06\x01\x2a\x0c\x01a"[..],
            b"\x31\x08\x31\x06\x06\x01\x2a\x0c\x01a",
            b"\x31\x08\x30\x06\x06\x01\xaa\x0c\x01a",
            b"\x31\x05\x30\x03\x06\x01\x2a",
            b"\x31",
        ] {
            assert_eq!(name(bad), Err(CORRUPT), "{bad:?}");
        }
    }
}

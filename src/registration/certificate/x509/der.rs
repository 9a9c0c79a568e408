//! DER, the encoding of certificates: each element is a tag, a length and a content.
//!
//! Read as Go's `cryptobyte` does: tags of one byte only, lengths in their shortest form. What
//! may follow the elements that somebody reads is for him to say.

pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;

/// The tag of an implicitly tagged element, or, with its content, of a string.
pub const fn context(number: u8) -> u8 {
    0x80 | number
}

/// The tag of an explicitly tagged element.
pub const fn explicit(number: u8) -> u8 {
    0xa0 | number
}

/// What is still to be read; each reading that fails gives `None`, after which the rest has no
/// meaning.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub const fn new(der: &'a [u8]) -> Self {
        Self(der)
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the next element has a tag.
    pub fn is_next(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// The next element, whatever it is: its tag and content.
    pub fn any(&mut self) -> Option<(u8, &'a [u8])> {
        const LONG_TAG: u8 = 0x1f;
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        if tag & LONG_TAG == LONG_TAG {
            return None;
        }
        let (length, rest) = length(first, rest)?;
        let (content, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some((tag, content))
    }

    /// The content of the next element, which has to have a tag.
    pub fn content(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.any()?;
        (found == tag).then_some(content)
    }

    /// The content of the next element if it has a tag, else nothing.
    pub fn optional(&mut self, tag: u8) -> Option<Option<&'a [u8]>> {
        if self.is_next(tag) {
            self.content(tag).map(Some)
        } else {
            Some(None)
        }
    }

    /// What is in the next element, which has to have a tag.
    pub fn inner(&mut self, tag: u8) -> Option<Self> {
        self.content(tag).map(Self)
    }

    pub fn boolean(&mut self) -> Option<bool> {
        match self.content(BOOLEAN)? {
            [0] => Some(false),
            [0xff] => Some(true),
            _ => None,
        }
    }

    /// An integer's bytes: big-endian, in two's complement, as few as can be.
    pub fn integer(&mut self) -> Option<&'a [u8]> {
        self.integer_with_tag(INTEGER)
    }

    pub fn integer_with_tag(&mut self, tag: u8) -> Option<&'a [u8]> {
        let bytes = self.content(tag)?;
        match bytes {
            [] | [0x00, 0x00..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => None,
            _ => Some(bytes),
        }
    }

    /// The content of an object identifier.
    pub fn object_identifier(&mut self) -> Option<&'a [u8]> {
        let bytes = self.content(OBJECT_IDENTIFIER)?;
        is_object_identifier(bytes, is_small).then_some(bytes)
    }

    /// The bytes of a bit string, and how many bits of the last one are unused.
    pub fn bit_string(&mut self) -> Option<(&'a [u8], u8)> {
        let (&unused, bytes) = self.content(BIT_STRING)?.split_first()?;
        let last = bytes.last().copied();
        let is_sound = match last {
            _ if unused > 7 => false,
            None => unused == 0,
            Some(byte) => byte.trailing_zeros() >= u32::from(unused),
        };
        is_sound.then_some((bytes, unused))
    }
}

/// A length by its first byte, and what follows it.
fn length(first: u8, rest: &[u8]) -> Option<(usize, &[u8])> {
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    let is_shortest = match bytes {
        [] | [0, ..] | [_, _, _, _, _, ..] => false,
        [byte] => *byte >= 0x80,
        _ => true,
    };
    let length = bytes.iter().try_fold(0_usize, |length, byte| {
        Some(length.checked_mul(0x100)? + usize::from(*byte))
    });
    length.filter(|_| is_shortest).map(|length| (length, rest))
}

/// Whether bytes are an object identifier's: numbers of seven bits a byte, the last byte of each
/// without the highest bit, none with zeros in front, and each of an allowed size.
pub fn is_object_identifier(bytes: &[u8], is_allowed: fn(&[u8]) -> bool) -> bool {
    let is_last = |byte: &u8| byte & 0x80 == 0;
    bytes.last().is_some_and(is_last)
        && bytes
            .split_inclusive(is_last)
            .all(|number| !number.starts_with(&[0x80]) && is_allowed(number))
}

/// Whether an object identifier's number is less than 2 to the power of 31.
fn is_small(number: &[u8]) -> bool {
    match number {
        [first, _, _, _, _] => *first < 0x88,
        _ => number.len() < 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(bytes: &[u8], read: impl Fn(&mut Reader<'_>) -> Option<T>) -> Option<T> {
        read(&mut Reader::new(bytes))
    }

    #[test]
    fn lengths_are_in_their_shortest_form() {
        let long = [[0x04, 0x81, 0x80].as_slice(), &[7; 0x80]].concat();
        assert_eq!(read(&long, |r| Some(r.any()?.1.len())), Some(0x80));
        for bad in [
            &[0x04_u8, 0x81, 0x01, 0x00][..],
            &[0x04, 0x82, 0x00, 0x80],
            &[0x04, 0x80, 0x00, 0x00],
            &[0x04, 0x85, 1, 0, 0, 0, 0],
            &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x04, 0x02, 0x00],
            &[0x1f, 0x01, 0x00],
            &[0x04],
            &[],
        ] {
            assert_eq!(read(bad, |r| r.any().map(|_| ())), None, "{bad:?}");
        }
    }

    #[test]
    fn integers_and_booleans_have_one_form() {
        for good in [&[2, 1, 0][..], &[2, 1, 0x80], &[2, 2, 0, 0x80]] {
            assert!(read(good, |r| r.integer().map(|_| ())).is_some());
        }
        for bad in [&[2, 0][..], &[2, 2, 0, 0x7f], &[2, 2, 0xff, 0x80]] {
            assert!(read(bad, |r| r.integer().map(|_| ())).is_none());
        }
        assert_eq!(read(&[1, 1, 0xff], |r| r.boolean()), Some(true));
        assert_eq!(read(&[1, 1, 0], |r| r.boolean()), Some(false));
        assert_eq!(read(&[1, 1, 1], |r| r.boolean()), None);
        assert_eq!(read(&[1, 2, 0, 0], |r| r.boolean()), None);
    }

    #[test]
    fn object_identifiers_are_small_and_whole() {
        let read = |bytes: &[u8]| read(bytes, |r| r.object_identifier().map(|_| ()));
        assert!(read(&[6, 3, 0x2b, 0x65, 0x70]).is_some());
        assert!(read(&[6, 6, 0x2b, 0x87, 0xff, 0xff, 0xff, 0x7f]).is_some());
        assert!(read(&[6, 6, 0x2b, 0x88, 0x80, 0x80, 0x80, 0x00]).is_none());
        assert!(read(&[6, 0]).is_none());
        assert!(read(&[6, 2, 0x2b, 0x80]).is_none());
        assert!(read(&[6, 3, 0x2b, 0x80, 0x01]).is_none());
    }

    #[test]
    fn unused_bits_are_few_and_zero() {
        let read = |bytes: &[u8]| read(bytes, |r| r.bit_string().map(|(_, unused)| unused));
        assert_eq!(read(&[3, 2, 1, 0x06]), Some(1));
        assert_eq!(read(&[3, 1, 0]), Some(0));
        for bad in [&[3, 0][..], &[3, 1, 1], &[3, 2, 2, 0x06], &[3, 2, 8, 0]] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}

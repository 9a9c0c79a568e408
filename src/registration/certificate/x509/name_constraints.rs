//! The nameConstraints extension: for which names an authority may, or may not, sign.

use std::net::IpAddr;

use super::alternative_names::is_address;
use super::der::{Reader, SEQUENCE, context, explicit};

const EMAIL: u8 = context(1);
const DNS: u8 = context(2);
const URI: u8 = context(6);
const IP: u8 = context(7);

/// Whether Go reads the extension's value.
pub fn check(mut value: Reader<'_>) -> Option<()> {
    let mut constraints = value.inner(SEQUENCE)?;
    let permitted = constraints.optional(explicit(0))?;
    let excluded = constraints.optional(explicit(1))?;
    let is_whole = value.is_empty() && constraints.is_empty();
    (is_whole && (permitted.is_some() || excluded.is_some())).then_some(())?;
    [permitted, excluded]
        .into_iter()
        .flatten()
        .try_for_each(check_subtrees)
}

fn check_subtrees(list: &[u8]) -> Option<()> {
    let mut list = Reader::new(list);
    (!list.is_empty()).then_some(())?;
    while !list.is_empty() {
        let (tag, name) = list.inner(SEQUENCE)?.any()?;
        let is_sound = match tag {
            DNS => is_constraint_domain(name),
            EMAIL => is_mailbox(name),
            URI => is_constraint_domain(name) && !is_ip_text(name),
            IP => is_network(name),
            _ => true,
        };
        is_sound.then_some(())?;
    }
    Some(())
}

/// A domain, with a dot in front where it stands for all below it.
fn is_constraint_domain(name: &[u8]) -> bool {
    is_domain(
        name.strip_prefix(b".")
            .filter(|rest| !rest.is_empty())
            .unwrap_or(name),
    )
}

/// Whether bytes are labels of visible ASCII, none of them empty, or nothing at all.
pub fn is_domain(name: &[u8]) -> bool {
    let is_label = |label: &[u8]| !label.is_empty() && label.iter().all(u8::is_ascii_graphic);
    name.is_empty() || name.split(|byte| *byte == b'.').all(is_label)
}

fn is_ip_text(name: &[u8]) -> bool {
    str::from_utf8(name).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}

/// Whether bytes are a domain, or a mailbox in it without quotes, which is less than Go takes.
fn is_mailbox(name: &[u8]) -> bool {
    let Some(at) = name.iter().position(|byte| *byte == b'@') else {
        return is_constraint_domain(name);
    };
    let (local, domain) = name.split_at(at);
    let is_of_atoms =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(byte);
    let domain = domain.strip_prefix(b"@").unwrap_or(domain);
    !local.is_empty() && local.iter().all(is_of_atoms) && is_domain(local) && is_domain(domain)
}

/// Whether bytes are an address and a mask: ones, then zeros.
fn is_network(name: &[u8]) -> bool {
    let (address, mask) = name.split_at(name.len() / 2);
    let bits = mask
        .iter()
        .flat_map(|byte| (0..8).map(move |bit| byte << bit & 0x80 != 0));
    matches!(name.len(), 8 | 32) && bits.is_sorted_by(|a, b| a >= b) && is_address(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_accepted(tag: u8, name: &[u8]) -> bool {
        let length = name.len() as u8;
        let subtree = [&[SEQUENCE, length + 2, tag, length], name].concat();
        let permitted = [&[explicit(0), length + 4], subtree.as_slice()].concat();
        let excluded = [&[explicit(1), length + 4], subtree.as_slice()].concat();
        let [a, b] = [permitted, excluded].map(|list| {
            let value = [&[SEQUENCE, length + 6], list.as_slice()].concat();
            check(Reader::new(&value)).is_some()
        });
        assert_eq!(a, b);
        a
    }

    #[test]
    fn domains() {
        for tag in [DNS, EMAIL, URI] {
            for good in ["", "a", ".a", "a.example.com", "*.a_b"] {
                assert!(is_accepted(tag, good.as_bytes()), "{good:?}");
            }
            for bad in ["a.", "a..b", "..a", ".", "a b", "a\x7f", "\u{e9}"] {
                assert!(!is_accepted(tag, bad.as_bytes()), "{bad:?}");
            }
        }
        assert!(is_accepted(DNS, b"10.0.0.1"));
        assert!(!is_accepted(URI, b"10.0.0.1"));
        assert!(!is_accepted(URI, b"2001:db8::1"));
    }

    #[test]
    fn mailboxes() {
        for good in ["a@b", "a.b+c@example.com"] {
            assert!(is_accepted(EMAIL, good.as_bytes()), "{good:?}");
        }
        for bad in ["@a", "a.@b", ".a@b", "a@b@c d", "a b@c", "a@b."] {
            assert!(!is_accepted(EMAIL, bad.as_bytes()), "{bad:?}");
        }
    }

    #[test]
    fn networks() {
        assert!(is_accepted(IP, &[10, 0, 0, 0, 255, 0, 0, 0]));
        assert!(is_accepted(IP, &[10, 0, 0, 0, 255, 0xfe, 0, 0]));
        assert!(is_accepted(IP, &[[0x20; 16], [0xff; 16]].concat()));
        assert!(!is_accepted(IP, &[10, 0, 0, 0, 255, 0, 1, 0]));
        assert!(!is_accepted(IP, &[10, 0, 0, 0, 255, 0xfd, 0, 0]));
        assert!(!is_accepted(IP, &[10, 0, 0, 0]));
        let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1];
        assert!(!is_accepted(IP, &[mapped, [0xff; 16]].concat()));
    }

    #[test]
    fn the_form() {
        let value = |der: &[u8]| check(Reader::new(der)).is_some();
        assert!(value(b"\x30\x07\xa0\x05\x30\x03\x84\x01a"));
        for bad in [
            &b"\x30\x00"[..],
            b"\x30\x02\xa0\x00",
            b"\x30\x07\xa2\x05\x30\x03\x84\x01a",
            b"\x30\x07\xa0\x05\x30\x03\x84\x01a\x05\x00",
            b"\x30\x09\xa0\x05\x30\x03\x84\x01a\x05\x00",
            b"\x30\x04\xa0\x02\x30\x00",
        ] {
            assert!(!value(bad), "{bad:?}");
        }
    }
}

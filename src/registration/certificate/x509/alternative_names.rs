//! The subjectAltName extension: names, addresses and URIs that a certificate is for.

use std::net::Ipv6Addr;

use super::der::{Reader, SEQUENCE, context};
use super::name_constraints::is_domain;

const EMAIL: u8 = context(1);
const DNS: u8 = context(2);
const URI: u8 = context(6);
const IP: u8 = context(7);

/// Whether Go reads the extension's value.
pub fn check(mut value: Reader<'_>) -> Option<()> {
    let mut names = value.inner(SEQUENCE)?;
    while !names.is_empty() {
        let (tag, name) = names.any()?;
        let is_sound = match tag {
            EMAIL | DNS => name.is_ascii(),
            URI => str::from_utf8(name).is_ok_and(is_uri),
            IP => is_address(name),
            _ => true,
        };
        is_sound.then_some(())?;
    }
    Some(())
}

/// Whether the extension's value has a dNSName or an iPAddress.
pub fn names_a_host(mut value: Reader<'_>) -> Option<bool> {
    let mut names = value.inner(SEQUENCE)?;
    let mut found = false;
    while !names.is_empty() {
        let (tag, _) = names.any()?;
        found |= matches!(tag, DNS | IP);
    }
    Some(found)
}

/// Whether bytes are an address, not one of IPv4 written as one of IPv6.
pub fn is_address(bytes: &[u8]) -> bool {
    match <[u8; 16]>::try_from(bytes) {
        Ok(bytes) => Ipv6Addr::from(bytes).to_ipv4_mapped().is_none(),
        Err(_) => bytes.len() == 4,
    }
}

/// Whether a text is a URI of RFC 3986, which is somewhat less than Go's `url.Parse` takes.
fn is_uri(text: &str) -> bool {
    let is_of_uris =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    if !text.bytes().all(is_of_uris) || !has_sound_escapes(text) {
        return false;
    }
    let rest = match text.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        // Without a scheme a colon may not stand in the first part of a path.
        Some((before, _)) if !before.contains(['/', '?', '#']) => return false,
        _ => text,
    };
    rest.strip_prefix("//").is_none_or(|rest| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        rest.get(..end).is_some_and(is_authority)
    })
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// Whether two hexadecimal digits follow each percent sign.
fn has_sound_escapes(text: &str) -> bool {
    let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    text.split('%').skip(1).all(|after| {
        let after = after.as_bytes();
        is_hex(after.first()) && is_hex(after.get(1))
    })
}

/// Whether a text is an optional user, a host and an optional port.
fn is_authority(text: &str) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let (name, port) = match host.rfind(']') {
        Some(end) => host.split_at(end + 1),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_host = match name.strip_prefix('[').and_then(|n| n.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !name.contains(['[', ']', '%']),
    };
    !user.contains(['@', '[', ']'])
        && is_host
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
        && !host.starts_with('.')
        && is_domain(host.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_accepted(tag: u8, name: &[u8]) -> bool {
        let length = name.len() as u8;
        let value = [&[SEQUENCE, length + 2, tag, length], name].concat();
        check(Reader::new(&value)).is_some()
    }

    #[test]
    fn names_are_ascii() {
        for tag in [EMAIL, DNS, URI] {
            assert!(is_accepted(tag, b""));
            assert!(is_accepted(tag, b"a.example.com"));
            assert!(!is_accepted(tag, b"\x80"));
        }
        assert!(is_accepted(context(0), b"\x80"));
    }

    #[test]
    fn addresses_have_four_or_sixteen_bytes() {
        assert!(is_accepted(IP, &[10, 0, 0, 1]));
        assert!(is_accepted(IP, &[0x20; 16]));
        for length in [0, 3, 5, 15, 17] {
            assert!(!is_accepted(IP, &vec![1; length]), "{length}");
        }
        let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1];
        assert!(!is_accepted(IP, &mapped));
    }

    #[test]
    fn uris() {
        for good in [
            "spiffe://cluster.local/ns/a/sa/b%20c",
            "https://user:word@a.example.com:443/?a=b#c",
            "https://[2001:db8::1]:443",
            "urn:uuid:1",
            "file:///a",
            "mailto:a@example.com",
            "a/b:c",
        ] {
            assert!(is_accepted(URI, good.as_bytes()), "{good}");
        }
        for bad in [
            "spiffe://a..b/",
            "spiffe://a.b./",
            "https://.a/",
            "https://a:b/",
            "https://a:1:2/",
            "https://[1.2.3.4]/",
            "https://[::1]a/",
            "https://a]/",
            "https://a%41/",
            "https://a/%4",
            "https://a/%zz",
            "https://a b/",
            "a\x7f",
            ":a",
            "1:a",
            "https://a@b@c/",
        ] {
            assert!(!is_accepted(URI, bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn a_list_that_ends_early() {
        assert_eq!(check(Reader::new(&[SEQUENCE, 2, DNS, 1])), None);
        assert_eq!(check(Reader::new(&[SEQUENCE, 1, DNS])), None);
    }
}

//! The authority of a server's URL: host and port.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context as _, anyhow, bail, ensure};

use super::Server;
use crate::text::shown;

/// The port of an `https` URL that names none.
const DEFAULT_PORT: u16 = 443;

/// Parses what stands between `https://` and the next `/`.
pub(super) fn parse(authority: &str) -> anyhow::Result<Server> {
    match authority.strip_prefix('[') {
        Some(rest) => parse_bracketed(rest),
        None => parse_plain(authority),
    }
}

/// Parses what follows the `[` of an IPv6 address.
fn parse_bracketed(rest: &str) -> anyhow::Result<Server> {
    let Some((inside, after)) = rest.split_once(']') else {
        bail!(
            "the server's IPv6 address has a `[` and no `]`; write it as `https://[ADDRESS]:PORT`"
        );
    };
    ensure!(
        !inside.contains('%'),
        "the server's IPv6 address has a zone (from the `%` on), which means something on one \
         machine only; give an address that the control plane can dial"
    );
    let Ok(address) = inside.parse::<Ipv6Addr>() else {
        bail!(
            "the server has {} in brackets, which is not an IPv6 address; only those are written \
             as `https://[ADDRESS]:PORT`",
            shown(inside)
        );
    };
    let port = match after.strip_prefix(':') {
        Some(port) => port,
        None if after.is_empty() => "",
        None => bail!(
            "the server has text after the `]` of its IPv6 address that is no port; write it as \
             `https://[ADDRESS]:PORT`"
        ),
    };
    Ok(Server {
        host: address.to_string(),
        address: Some(IpAddr::V6(address)),
        port: parse_port(port)?,
    })
}

/// Parses a name or an IPv4 address, with a port or without.
fn parse_plain(authority: &str) -> anyhow::Result<Server> {
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    ensure!(
        !host.is_empty() || port.contains(':'),
        "the server has no host; write it as `https://HOST:PORT`"
    );
    if port.contains(':') {
        return Err(colons_error(authority));
    }
    let host = host.to_ascii_lowercase();
    let address = host.parse::<Ipv4Addr>().ok();
    let host = match address {
        Some(_) => host,
        None => check_name(&host)?,
    };
    Ok(Server {
        host,
        address: address.map(IpAddr::V4),
        port: parse_port(port)?,
    })
}

fn colons_error(authority: &str) -> anyhow::Error {
    let (address, _zone) = authority.split_once('%').unwrap_or((authority, ""));
    let is_like_ipv6 = address
        .chars()
        .all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.'));
    if is_like_ipv6 {
        anyhow!(
            "the server's IPv6 address has no brackets, so that nobody can tell its end from the \
             port; write it as `https://[ADDRESS]:PORT`"
        )
    } else {
        anyhow!("the server has more than one `:` after its host; write it as `https://HOST:PORT`")
    }
}

/// Checks a host name in lower case, and takes the dot off its end. Go takes it off too before
/// it checks a certificate, but sends it in the `Host` header, which proxies compare, and the
/// control plane would take `host` and `host.` for two clusters.
fn check_name(host: &str) -> anyhow::Result<String> {
    check_characters(host)?;
    let name = host.strip_suffix('.').unwrap_or(host);
    ensure!(
        name.len() <= 253,
        "the server's host name has {} characters, and a host name has 253 at most",
        name.len()
    );
    for label in name.split('.') {
        check_label(label)
            .with_context(|| format!("the server's host {} is no host name", shown(host)))?;
    }
    ensure!(
        !is_numeric_host(host),
        "the server's host {} is read as one address by some programs and as another, or as a \
         name, by others; write an IPv4 address as four decimal numbers up to 255, without \
         leading zeros",
        shown(host)
    );
    Ok(name.to_owned())
}

fn check_characters(host: &str) -> anyhow::Result<()> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let Some(odd) = host.chars().find(|&c| !is_allowed(c)) else {
        return Ok(());
    };
    let mut buffer = [0; 4];
    let odd_shown = shown(odd.encode_utf8(&mut buffer));
    if !odd.is_ascii() {
        bail!("the server's host name has {odd_shown}, which is not ASCII; write it as `xn--...`");
    }
    if odd == '%' {
        bail!(
            "the server's host has a `%`; write the characters themselves instead of their codes"
        );
    }
    bail!(
        "the server's host has {odd_shown}, which no host name has; write it as \
         `https://HOST:PORT` with one name or address as host"
    )
}

fn check_label(label: &str) -> anyhow::Result<()> {
    ensure!(
        !label.is_empty(),
        "it has an empty part; write one dot between two parts"
    );
    ensure!(
        label.len() <= 63,
        "one of its parts has {} characters; a part has 63 at most",
        label.len()
    );
    ensure!(
        !label.starts_with('-') && !label.ends_with('-'),
        "one of its parts begins or ends with `-`"
    );
    Ok(())
}

/// Whether a host that is no plain IPv4 address ends like one, in a decimal or hexadecimal
/// number: `127.1`, `2130706433`, `0x7f.1`, `010.0.0.1`, `1.2.3.4.`. The C library reads those as
/// addresses, Go and Rust don't, and no domain ends so.
pub fn is_numeric_host(host: &str) -> bool {
    if host.parse::<Ipv4Addr>().is_ok() {
        return false;
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or(name);
    let hexadecimal = last
        .strip_prefix("0x")
        .or_else(|| last.strip_prefix("0X"))
        .is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
    hexadecimal || (!last.is_empty() && last.chars().all(|c| c.is_ascii_digit()))
}

/// Parses what follows the `:`. A port that isn't a number is not shown: what stands there may
/// be the password of a URL whose `@HOST` was lost.
fn parse_port(text: &str) -> anyhow::Result<u16> {
    if text.is_empty() {
        return Ok(DEFAULT_PORT);
    }
    ensure!(
        text.chars().all(|c| c.is_ascii_digit()),
        "the server's port is not a number; write one from 1 to 65535 after the host, as in \
         `https://HOST:6443`"
    );
    match text.parse() {
        Ok(port) if port != 0 => Ok(port),
        // Likewise perhaps a password.
        _ if text.len() > 5 => bail!(
            "the server's port has {} digits; write one from 1 to 65535",
            text.len()
        ),
        _ => bail!(
            "the server's port is {}; write one from 1 to 65535",
            shown(text)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(authority: &str) -> String {
        match parse(authority) {
            Ok(server) => panic!("{authority:?} is accepted as {server:?}"),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn each_refusal_says_what_is_wrong() {
        for (authority, part) in [
            // Ports.
            ("h.example:0", "port is `0`"),
            ("h.example:000", "port is `000`"),
            ("h.example:65536", "port is `65536`"),
            ("h.example:99999999999", "from 1 to 65535"),
            ("h.example:abc", "port is not a number"),
            ("h.example:+6443", "port is not a number"),
            ("h.example:-1", "port is not a number"),
            ("h.example:٦٤", "port is not a number"),
            ("h.example:1:2", "more than one `:`"),
            // Hosts.
            ("", "has no host"),
            (":6443", "has no host"),
            ("2001:db8::1", "no brackets"),
            ("::1", "no brackets"),
            ("2001:db8::1:6443", "no brackets"),
            ("fe80::1%25eth0", "no brackets"),
            ("[fe80::1%25eth0]:6443", "has a zone"),
            ("[fe80::1%eth0]", "has a zone"),
            ("[2001:db8::1", "no `]`"),
            ("[2001:db8::1]6443", "after the `]`"),
            ("[203.0.113.7]", "not an IPv6 address"),
            ("[api.example.com]", "not an IPv6 address"),
            ("[]:6443", "not an IPv6 address"),
            ("[:::1]", "not an IPv6 address"),
            ("2001]", "has `]`"),
            ("zürich.example", "write it as `xn--...`"),
            ("h\u{202e}.example", "`\\u{202e}`, which is not ASCII"),
            ("１２７.0.0.1", "not ASCII"),
            ("h%2eexample", "has a `%`"),
            ("h\\x.example", "has `\\`"),
            ("*.example.com", "has `*`"),
            ("a.example,b.example", "has `,`"),
            ("$HOST", "has `$`"),
            ("a..example", "an empty part"),
            (".example", "an empty part"),
            ("h.example..", "an empty part"),
            (".", "an empty part"),
            ("-a.example", "begins or ends with `-`"),
            ("a-.example", "begins or ends with `-`"),
        ] {
            let error = error(authority);
            assert!(error.contains(part), "{authority:?}: {error}");
            assert!(!error.ends_with('.'), "{authority:?}: {error}");
        }
    }

    #[test]
    fn numbers_that_some_read_as_addresses_are_refused() {
        for host in [
            "127.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0X7F.0.0.1",
            "127.0x1",
            "0x",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "010.0.0.1",
            "1.2.3.04",
            "1.2.3.4.",
            "0",
            "api.1",
            "a.0xff",
        ] {
            let error = error(&format!("{host}:6443"));
            assert!(error.contains("four decimal numbers"), "{host}: {error}");
            assert!(is_numeric_host(host), "{host}");
        }
        for host in [
            "1.2.3.4",
            "1.2.3.4a",
            "api.example.com",
            "",
            ".",
            "0xyz",
            "::1",
        ] {
            assert!(!is_numeric_host(host), "{host}");
        }
    }

    #[test]
    fn names_have_the_lengths_of_dns() {
        let long = "a".repeat(63);
        let name = format!("{long}.{long}.{long}.{}", "a".repeat(61));
        assert_eq!(name.len(), 253);
        assert!(parse(&format!("{name}.:6443")).is_ok());
        assert!(error(&format!("{name}a")).contains("254 characters"));
        assert!(error(&format!("{long}a.example")).contains("64 characters"));
    }
}

//! Masking: a URL made fit for a message, without what may be a credential.

/// What stands for everything masked.
const MASK: &str = "***";

/// Shows a URL with `***` for what may hold a credential: its user and password (tokens are
/// written as either), its query, its fragment, a path with unusual characters.
///
/// Text that isn't plainly a URL is masked as a whole: a password with a `/` in it makes every
/// parser disagree about where the password ends.
pub fn mask_url(url: &str) -> String {
    masked(url).unwrap_or_else(|| MASK.to_owned())
}

fn masked(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, tail) = cut_before(rest, &['/', '?', '#', '\\']);
    if !is_scheme(scheme) || tail.contains('@') {
        return None;
    }
    let (user, host) = match authority.rsplit_once('@') {
        Some((_, host)) => ("***@", host),
        None => ("", authority),
    };
    if !is_host_and_port(host) {
        return None;
    }
    Some(format!("{scheme}://{user}{host}{}", masked_tail(tail)))
}

fn masked_tail(tail: &str) -> String {
    let (path, extra) = cut_before(tail, &['?', '#']);
    let path = if path.is_empty() || is_plain_path(path) {
        path
    } else {
        "/***"
    };
    let extra = match extra.chars().next() {
        Some('?') => "?***",
        Some(_) => "#***",
        None => "",
    };
    format!("{path}{extra}")
}

/// Cuts a text in two before the first of these characters.
fn cut_before<'a>(text: &'a str, ends: &[char]) -> (&'a str, &'a str) {
    let end = text.find(ends).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Whether it is a URL's scheme. A long one is none that exists, and may be a secret.
pub(super) fn is_scheme(text: &str) -> bool {
    text.len() <= 16
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Whether it is a host, with a port or without. `admin:hunter2`, the start of a URL with a
/// forgotten `@host`, is not.
fn is_host_and_port(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (text, ""),
    };
    let name = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_host = match name {
        Some(address) => address
            .chars()
            .all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.')),
        None => host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')),
    };
    is_host && !host.is_empty() && port.len() <= 5 && port.chars().all(|c| c.is_ascii_digit())
}

fn is_plain_path(path: &str) -> bool {
    path.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_may_be_a_credential_is_masked() {
        for (url, expected) in [
            ("http://proxy:3128", "http://proxy:3128"),
            ("socks5://10.0.0.1:1080/", "socks5://10.0.0.1:1080/"),
            (
                "https://[2001:db8::1]:6443/x",
                "https://[2001:db8::1]:6443/x",
            ),
            ("https://[2001:db8::1]", "https://[2001:db8::1]"),
            ("http://user:hunter2@proxy:3128", "http://***@proxy:3128"),
            ("http://token@proxy", "http://***@proxy"),
            ("http://u:p@ss@proxy/a", "http://***@proxy/a"),
            ("http://u:p:w@[::1]:80", "http://***@[::1]:80"),
            ("https://h/k8s/clusters/c-1", "https://h/k8s/clusters/c-1"),
            ("https://h/a?token=hunter2", "https://h/a?***"),
            ("https://h?token=hunter2#x", "https://h?***"),
            ("https://h#hunter2", "https://h#***"),
            ("https://h/;password=hunter2", "https://h/***"),
            // A password with `/`, `?` or `#`, an `@` elsewhere: nobody knows where it ends.
            ("http://u:12/hunter2@proxy", "***"),
            ("http://u:12?hunter2@proxy", "***"),
            ("http://u:12#hunter2@proxy", "***"),
            ("https://h/?mail=a@hunter2", "***"),
            // Not a URL.
            ("user:hunter2@proxy:3128", "***"),
            ("proxy:3128", "***"),
            ("http://admin:hunter2", "***"),
            ("http://admin:123456", "***"),
            ("http://http://u:hunter2@proxy", "***"),
            ("user:hunter2://h", "***"),
            ("http:///hunter2", "***"),
            ("http://h\\hunter2", "http://h/***"),
            ("http://h h", "***"),
            ("http://[hunter2]", "***"),
            ("", "***"),
        ] {
            assert_eq!(mask_url(url), expected, "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_password_is_shown(
            scheme in "(http|https|socks5|)",
            user in ".{0,8}",
            before in ".{0,8}",
            after in ".{0,8}",
            tail in "(|:3128|:3128/|/a/b|\\?x=1|#y)",
        ) {
            let url = format!("{scheme}://{user}:{before}hunter2{after}@proxy.example.com{tail}");
            prop_assert!(!mask_url(&url).contains("hunter2"), "{url}");
        }

        #[test]
        fn no_url_like_password_is_shown(
            before in "[a-z0-9@:/?#\\[\\].%\\\\]{0,12}",
            after in "[a-z0-9@:/?#\\[\\].%\\\\]{0,12}",
        ) {
            let url = format!("http://u:{before}hunter2{after}@proxy.example.com:3128");
            prop_assert!(!mask_url(&url).contains("hunter2"), "{url}");
        }
    }
}

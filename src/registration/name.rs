//! Kubernetes' rules for names, label values and keys.
//!
//! Source: `k8s.io/apimachinery/pkg/util/validation` and
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>.

use anyhow::{Result, bail};

use crate::text::shown;

/// Checks an RFC 1123 label: at most 63 of `a-z`, `0-9` and `-`, with a letter or digit at each end.
///
/// # Errors
/// Where it isn't one.
pub fn check_label(name: &str) -> Result<()> {
    if name.len() > 63 {
        bail!(
            "{} has {} characters, and at most 63 are allowed",
            shown(name),
            name.len()
        );
    }
    if !is_label(name) {
        bail!(
            "{} is not a name that Kubernetes takes: expected `a-z`, `0-9` and `-`, with a letter or digit at each end",
            shown(name)
        );
    }
    Ok(())
}

/// Checks an RFC 1123 subdomain: labels of `a-z`, `0-9` and `-` with dots between them, at most
/// 253 characters in all.
///
/// # Errors
/// Where it isn't one.
pub fn check_subdomain(name: &str) -> Result<()> {
    if name.len() > 253 || !is_subdomain(name) {
        bail!(
            "{} is not a name that Kubernetes takes: expected at most 253 of `a-z`, `0-9`, `-` and `.`, with a letter or digit at each end",
            shown(name)
        );
    }
    Ok(())
}

/// Checks the key of an annotation: as a label's, but the prefix may have upper case.
///
/// # Errors
/// Where it isn't one.
pub fn check_annotation_key(key: &str) -> Result<()> {
    check_label_key(&key.to_ascii_lowercase()).map_err(|_| not_a_key(key))
}

/// Checks the key of a label: an optional DNS prefix and `/`, then at most 63 of letters, digits,
/// `-`, `_` and `.`.
///
/// # Errors
/// Where it isn't one.
pub fn check_label_key(key: &str) -> Result<()> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let prefix_is_good = prefix.is_none_or(|prefix| prefix.len() <= 253 && is_subdomain(prefix));
    if !prefix_is_good || name.is_empty() || name.len() > 63 || !is_word(name) {
        return Err(not_a_key(key));
    }
    Ok(())
}

fn not_a_key(key: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "{} is not a key that Kubernetes takes: expected an optional lower-case DNS name and `/`, then at most 63 letters, digits, `-`, `_` and `.` with a letter or digit at each end",
        shown(key)
    )
}

/// Checks a label's value: empty, or at most 63 of letters, digits, `-`, `_` and `.`.
///
/// # Errors
/// Where it isn't one.
pub fn check_label_value(value: &str) -> Result<()> {
    if value.is_empty() || (value.len() <= 63 && is_word(value)) {
        return Ok(());
    }
    bail!(
        "{} is not a label's value: expected at most 63 letters, digits, `-`, `_` and `.` with a letter or digit at each end",
        shown(value)
    )
}

/// Checks the name of an environment variable as Kubernetes takes it from a ConfigMap's key.
///
/// # Errors
/// Where it isn't one.
pub fn check_variable(name: &str) -> Result<()> {
    let allowed =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    let starts_well = name.starts_with(|first: char| allowed(first) && !first.is_ascii_digit());
    if !starts_well
        || name.len() > 253
        || name.starts_with("..")
        || name == "."
        || !name.chars().all(allowed)
    {
        bail!(
            "{} is not the name of an environment variable: expected at most 253 letters, digits, `_`, `-` and `.`, not beginning with a digit",
            shown(name)
        );
    }
    Ok(())
}

fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_subdomain(text: &str) -> bool {
    // Kubernetes limits the whole, not each label.
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.split('.').all(|label| {
        !label.is_empty()
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

fn is_word(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.bytes().all(allowed)
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        let longest = "a".repeat(63);
        for good in ["a", "michelangelo-compute-0", "0", &longest] {
            assert!(check_label(good).is_ok(), "{good}");
        }
        let too_long = "a".repeat(64);
        for bad in ["", "A", "a.b", "-a", "a-", "a_b", "ä", "a\n", &too_long] {
            assert!(check_label(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn subdomains() {
        for good in ["a", "a.b", "ray-manager-token", "0.1"] {
            assert!(check_subdomain(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "a.", ".a", "a..b", "a-.b", "A", "a/b"] {
            assert!(check_subdomain(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys() {
        for good in ["a", "A_b.c", "example.com/a", "app.kubernetes.io/name"] {
            assert!(check_label_key(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "a/",
            "/a",
            "a/b/c",
            "a b",
            "-a",
            "exa mple/a",
            "a:b",
            "\u{212a}8s.io/a",
        ] {
            assert!(check_label_key(bad).is_err(), "{bad}");
            assert!(check_annotation_key(bad).is_err(), "{bad}");
        }
        assert!(check_label_key("Example.com/a").is_err());
        assert!(check_annotation_key("Example.com/a").is_ok());
    }

    #[test]
    fn label_values() {
        for good in ["", "a", "A_b.c-1"] {
            assert!(check_label_value(good).is_ok(), "{good}");
        }
        for bad in ["a b", "-a", "a/", "é"] {
            assert!(check_label_value(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn variables() {
        for good in ["A", "_", "mlflow.uri", "A-1"] {
            assert!(check_variable(good).is_ok(), "{good}");
        }
        for bad in ["", "1A", "A B", "A=B", "..", "..a", ".", "é"] {
            assert!(check_variable(bad).is_err(), "{bad}");
        }
    }
}

//! Kubernetes' rules for names, labels and keys, and a check for leftover placeholders.
//!
//! Source: `k8s.io/apimachinery/pkg/util/validation`.

use crate::diagnostic::Diagnostic;
use crate::show::shown;

/// Checks an RFC 1123 label. A cluster's name must be one: jobs name it in the label `michelangelo/cluster-affinity`.
/// Fails if it isn't one.
pub fn check_label(name: &str) -> Result<(), Diagnostic> {
    check_filled_in(name)?;
    let is_good = name.len() <= 63 && is_dns_label(name);
    let help = "use at most 63 of `a-z`, `0-9` and `-`, with a letter or digit at each end";
    demand(is_good, name, "a DNS label", help)
}

/// Checks an RFC 1123 subdomain, the form of most objects' names. Fails if it isn't one.
pub fn check_subdomain(name: &str) -> Result<(), Diagnostic> {
    check_filled_in(name)?;
    let is_good = name.len() <= 253 && name.split('.').all(is_dns_label);
    let help = "use at most 253 of `a-z`, `0-9`, `-` and `.`, with a letter or digit at each end";
    demand(is_good, name, "a valid Kubernetes name", help)
}

/// Checks the key of a label or annotation: an optional DNS prefix and `/`, then a word. Fails if it isn't one.
pub fn check_key(key: &str) -> Result<(), Diagnostic> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let is_prefix = |prefix: &str| prefix.len() <= 253 && prefix.split('.').all(is_dns_label);
    let help = "use an optional lower-case DNS name and `/`, then at most 63 letters, digits, `-`, `_` and `.`";
    demand(prefix.is_none_or(is_prefix) && is_word(name), key, "a valid label key", help)
}

/// Checks a label's value. Fails if it isn't one.
pub fn check_label_value(value: &str) -> Result<(), Diagnostic> {
    let help = "use at most 63 letters, digits, `-`, `_` and `.`";
    demand(value.is_empty() || is_word(value), value, "a valid label value", help)
}

/// Checks a ConfigMap's key that becomes an environment variable (`envFrom`). Fails if it isn't one.
pub fn check_variable(name: &str) -> Result<(), Diagnostic> {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_odd =
        name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let is_good = !is_odd && name.len() <= 253 && name.bytes().all(is_of_name);
    let help = "use letters, digits, `_`, `-` and `.`, and begin with a letter or `_`";
    demand(is_good, name, "a valid name of an environment variable", help)
}

pub fn demand(is_good: bool, text: &str, what: &str, help: &str) -> Result<(), Diagnostic> {
    if is_good {
        return Ok(());
    }
    Err(Diagnostic::error(format!("{} is not {what}", shown(text))).help(help))
}

/// Refuses an empty text, a leftover placeholder, and white space from copying. Fails if it is empty, contains
/// `<words>`, `${…}` or `{{…}}`, or has white space at an end.
pub fn check_filled_in(text: &str) -> Result<(), Diagnostic> {
    if text.is_empty() {
        let error = Diagnostic::error("the text is empty");
        return Err(error.help("write a value, or leave the key out"));
    }
    if text.trim() != text {
        let end = if text.trim_start() == text { "end" } else { "beginning" };
        let message = format!("{} has white space at the {end}", shown(text));
        return Err(Diagnostic::error(message).help("remove it"));
    }
    let encloses = |start: &str, end: &str| {
        let rest = text.split_once(start).map(|(_, rest)| rest);
        rest.is_some_and(|rest| rest.contains(end))
    };
    let is_placeholder = encloses("<", ">") || encloses("${", "}") || encloses("{{", "}}");
    if is_placeholder {
        let message = format!("{} is a placeholder", shown(text));
        return Err(Diagnostic::error(message).help("write the real value"));
    }
    Ok(())
}

/// Whether a text has the form of an RFC 1123 label, of any length.
pub fn is_dns_label(text: &str) -> bool {
    let is_of_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.bytes().all(is_of_label)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_word(text: &str) -> bool {
    let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_end = |c: char| c.is_ascii_alphanumeric();
    text.len() <= 63
        && text.bytes().all(is_of_word)
        && text.starts_with(is_end)
        && text.ends_with(is_end)
}

//! Words that aren't known: which one was meant, and whether the word may be shown at all.

use crate::text::{shown, shown_list};

/// Whether a key that isn't known is shown: not where it doesn't look like a key, as where a space
/// is missing after `secretAccessKey:`, nor beside keys that hold secrets, nor where it looks like one.
pub fn is_shown_as_key(key: &str, known: &[&str]) -> bool {
    let is_beside_secrets = ["accessKeyId", "accessKeyIdProperty", "env"]
        .iter()
        .any(|key| known.contains(key));
    let is_misspelt = || likeliest(key, known).is_some_and(|meant| key.len() <= meant.len() + 3);
    let may_be_secret = is_beside_secrets || is_like_a_secret(key);
    is_plain(key) && (!may_be_secret || is_misspelt())
}

/// Whether a text looks like a key that someone would write, rather than like a value.
pub fn is_plain(key: &str) -> bool {
    let is_of_key =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    key.len() <= 63 && key.bytes().all(is_of_key)
}

/// Whether a text begins with a key and goes on with something that isn't of a key.
pub fn runs_on(text: &str, key: &str) -> bool {
    text.strip_prefix(key)
        .is_some_and(|rest| rest.starts_with(|first: char| !first.is_ascii_alphanumeric()))
}

/// Whether a word is long and mixed, as passwords and keys are and names seldom.
pub fn is_like_a_secret(word: &str) -> bool {
    const LONG: usize = 16;
    word.len() >= LONG && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// Says that a word isn't known, which one was perhaps meant, and which ones are known.
pub fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    let likeliest = likeliest(word, known);
    if likeliest.is_none() && is_like_a_secret(word) {
        return unknown_and_hidden(what, known);
    }
    format!(
        "unknown {what} {}{}; known: {}",
        shown(word),
        question(likeliest),
        shown_list(known)
    )
}

/// Asks whether the known word that is most like another was meant, where one is; begins with a space.
pub fn did_you_mean(word: &str, known: &[&str]) -> String {
    question(likeliest(word, known))
}

fn question(likeliest: Option<&str>) -> String {
    match likeliest {
        Some(candidate) => format!(" (did you mean {}?)", shown(candidate)),
        None => String::new(),
    }
}

/// Says that a word isn't known that may be a secret.
pub fn unknown_and_hidden(what: &str, known: &[&str]) -> String {
    format!(
        "unknown {what}, not shown since it may be a secret in the wrong place; known: {}",
        shown_list(known)
    )
}

/// The known word that is most like another, where one is.
fn likeliest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&word, &candidate.to_lowercase()),
                *candidate,
            )
        })
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .filter(|(likeness, _)| *likeness > 0.8)
        .map(|(_, candidate)| candidate)
}

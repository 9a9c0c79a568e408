//! Words for a shell.

use std::fmt::Write as _;

use crate::text::is_unsafe_to_show;

/// Quotes a word for bash, on one line and without any character that acts on a terminal, so that
/// it can be reviewed and may stand in a comment. A word can't hold NUL, neither here nor in bash.
pub fn quote(word: &str) -> String {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "_@%+=:,./-".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    if !word.contains(is_unsafe_to_show) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut quoted = "$'".to_owned();
    for character in word.chars() {
        match character {
            '\'' | '\\' => quoted.extend(['\\', character]),
            // Bytes, as `\u` depends on the locale in which the script runs.
            _ if is_unsafe_to_show(character) => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(quoted, "\\x{byte:02x}");
                }
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('\'');
    quoted
}

/// Quotes words, and puts spaces between them.
pub fn quote_all<I>(words: I) -> String
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    let quoted: Vec<String> = words.into_iter().map(|word| quote(word.as_ref())).collect();
    quoted.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_they_have_to_be() {
        for (word, quoted) in [
            (
                "arn:aws:eks:us-east-1:0:cluster/a",
                "arn:aws:eks:us-east-1:0:cluster/a",
            ),
            (
                "default/api-ocp:6443/kube:admin",
                "default/api-ocp:6443/kube:admin",
            ),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(id) `id` \"", "'$(id) `id` \"'"),
            ("~", "'~'"),
            ("zürich", "'zürich'"),
            ("a\nb'\\", r"$'a\x0ab\'\\'"),
            ("\u{202e}1", r"$'\xe2\x80\xae1'"),
        ] {
            assert_eq!(quote(word), quoted);
        }
        assert_eq!(quote_all(["a", "b c"]), "a 'b c'");
    }
}

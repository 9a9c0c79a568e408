//! Placeholders: what a template or a manual leaves for its reader to fill in.

/// The example host of the procedure that this program replaces.
const SEED_HOST: &str = "compute-cluster.example.com";

/// Words that stand for a value still to be chosen, without `-` and `_`.
const WORDS: [&str; 5] = ["changeme", "replaceme", "fixme", "todo", "placeholder"];

/// What makes a text a placeholder rather than a value, as a form to name in a message; nothing
/// of the text itself, which may hold a secret beside the placeholder.
///
/// A refusal can't be overridden, so only what can't be meant is one: `your-server.de` is a real
/// domain, and `api.example.com` may be somebody's fixture.
pub fn placeholder(text: &str) -> Option<&'static str> {
    bracketed(text).or_else(|| words(text).find_map(placeholder_word))
}

/// What makes a path or a name a placeholder, as for [`placeholder`]: words in brackets only, as any
/// word may be a name.
pub fn placeholder_of_path(path: &str) -> Option<&'static str> {
    bracketed(path)
}

fn bracketed(text: &str) -> Option<&'static str> {
    const BRACKETS: [(&str, &str, &str); 4] = [
        ("<", ">", "<...>"),
        ("${", "}", "${...}"),
        ("$(", ")", "$(...)"),
        ("{{", "}}", "{{...}}"),
    ];
    BRACKETS
        .iter()
        .find(|(open, close, _)| is_bracketed(text, open, close))
        .map(|&(_, _, form)| form)
}

/// Whether words stand between an `open` and its `close`. Any password may hold a `<` and a `>`,
/// hence the narrow idea of words, and of `<` only where no word ends.
fn is_bracketed(text: &str, open: &str, close: &str) -> bool {
    let Some((before, rest)) = text.split_once(open) else {
        return false;
    };
    let Some((inside, _)) = rest.split_once(close) else {
        return false;
    };
    let inside = inside.trim_start_matches('<');
    let begins_here = open != "<" || !before.ends_with(char::is_alphanumeric);
    begins_here
        && inside.chars().filter(|c| c.is_alphabetic()).count() >= 2
        && inside
            .chars()
            .all(|c| c.is_alphanumeric() || " _-./:|'\"".contains(c))
}

/// The runs of characters that a host name may have.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| {
        !(character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_'))
    })
}

fn placeholder_word(word: &str) -> Option<&'static str> {
    if word.trim_end_matches('.').eq_ignore_ascii_case(SEED_HOST) {
        return Some(SEED_HOST);
    }
    if is_all_x(word) {
        return Some("xxx.xxx.xxx.xxx");
    }
    word.split('.').find_map(placeholder_label)
}

fn placeholder_label(label: &str) -> Option<&'static str> {
    let lower = label.to_ascii_lowercase();
    // `your-...` in lower case is left alone: Hetzner's hosts are below `your-server.de`.
    if lower.starts_with("your_") || label.starts_with("YOUR-") {
        return Some("YOUR_...");
    }
    if lower.starts_with("replace_with_") || lower.starts_with("replace-with-") {
        return Some("REPLACE_WITH_...");
    }
    let plain: String = lower.chars().filter(|c| !matches!(c, '-' | '_')).collect();
    WORDS.into_iter().find(|word| plain == *word)
}

/// Whether it is an address with an `x` for each digit; fewer than four parts may be a name,
/// since `.xxx` is a top-level domain.
fn is_all_x(word: &str) -> bool {
    word.split('.').count() == 4
        && word.split('.').all(|part| {
            !part.is_empty() && part.chars().all(|character| matches!(character, 'x' | 'X'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_named_by_their_form() {
        for (text, form) in [
            ("<host>", "<...>"),
            ("https://<host>:6443", "<...>"),
            ("https://api-<name>.example.com", "<...>"),
            ("<< MINIO STORAGE URL >>", "<...>"),
            ("https://<your host's name>", "<...>"),
            ("https://${SERVER}", "${...}"),
            ("$(cat token)", "$(...)"),
            ("https://{{ .Values.host }}:6443", "{{...}}"),
            ("https://compute-cluster.example.com", SEED_HOST),
            ("https://compute-cluster.example.com:6443", SEED_HOST),
            ("https://Compute-Cluster.Example.com./", SEED_HOST),
            ("YOUR_TOKEN", "YOUR_..."),
            ("https://YOUR-CLUSTER:6443", "YOUR_..."),
            ("https://api.your_domain.com", "YOUR_..."),
            ("CHANGEME", "changeme"),
            ("https://change-me:6443", "changeme"),
            ("REPLACE_ME", "replaceme"),
            ("replace-with-your-token", "REPLACE_WITH_..."),
            ("TODO", "todo"),
            ("https://x.x.x.x:6443", "xxx.xxx.xxx.xxx"),
            ("https://XXX.XXX.XXX.XXX", "xxx.xxx.xxx.xxx"),
        ] {
            assert_eq!(placeholder(text), Some(form), "{text}");
        }
    }

    #[test]
    fn values_are_no_placeholders() {
        for text in [
            "",
            "https://api.example.com",
            "https://compute-cluster.example.org:6443",
            "https://my-compute-cluster.example.com",
            "https://compute-cluster.example.com.au",
            "https://static.7.113.0.203.clients.your-server.de:6443",
            "https://todo-app.example.com",
            "https://xxx.xxx",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "a<1>b",
            "x<Ab>y",
            "x-<A&b>y",
            "<>",
            "${}",
            "a>b<c",
            "pa$$word}",
            "minioadmin",
        ] {
            assert_eq!(placeholder(text), None, "{text}");
        }
    }
}

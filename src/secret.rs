//! Decides which texts are secrets, and finds them in other texts.

use std::fmt;

use base64::Engine as _;

use crate::diagnostic::Diagnostic;
use crate::findings::Code;
use crate::show::quoted;

/// A secret. `Debug` doesn't show it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text, unchanged and unchecked.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, only for its manifest. Never for a message.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Refuses a secret that can't be sent in an HTTP header. A line break in the token would make every request fail.
    /// Fails if it is empty or has control characters in it.
    pub fn checked(self) -> Result<Self, Diagnostic> {
        if self.0.is_empty() {
            let help = "write the value in quotes if it begins with `#`, `&`, `*` or the like";
            return Err(Diagnostic::error("the secret is empty").help(help));
        }
        if self.0.contains(char::is_control) {
            let message = "the secret has a line break or another control character in it";
            return Err(Diagnostic::error(message).help("write it alone, on one line"));
        }
        if self.0.contains(is_from_a_web_page) {
            let message = "the secret has an invisible character or a typographic quote in it";
            return Err(Diagnostic::error(message).help("copy it again, as plain text"));
        }
        Ok(self)
    }

    fn escaped(&self) -> Self {
        let quoted = quoted(self.expose());
        Self(quoted.get(1..quoted.len() - 1).unwrap_or(&quoted).to_owned())
    }
}

/// Whether a character is one that web pages and word processors add: none of these is part of a key or token.
fn is_from_a_web_page(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{2064}')
        || matches!(c, '\u{feff}' | '\u{2018}'..='\u{201f}')
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The secrets of a registration, to search manifests for.
#[derive(Debug, Default)]
pub struct Secrets {
    all: Vec<Secret>,
    /// Those to search for inside other text, each also as JSON and YAML write it.
    long: Vec<Secret>,
    /// A secret that is the cluster's name would be found in every manifest.
    cluster: String,
}

/// The length in bytes from which a secret is searched for inside other text. A shorter one may be a common word.
const LONG: usize = 8;

impl Secrets {
    /// Collects the secrets of the named cluster.
    pub fn new(cluster: &str, secrets: impl IntoIterator<Item = Secret>) -> Self {
        let all: Vec<Secret> = secrets.into_iter().collect();
        let long = all.iter().filter(|secret| secret.0.len() >= LONG && secret.0 != cluster);
        let long = long.flat_map(|secret| [secret.clone(), secret.escaped()]).collect();
        Self { all, long, cluster: cluster.to_owned() }
    }

    /// Returns these secrets with more texts added.
    pub fn with(&self, texts: impl IntoIterator<Item = String>) -> Self {
        Self::new(&self.cluster, self.all.iter().cloned().chain(texts.into_iter().map(Secret)))
    }

    /// Whether an entry of an object's `data` or `stringData` is a secret or holds one.
    pub fn are_in_entry(&self, kind: &str, name: &str, value: &str) -> bool {
        let is_one = |text: &str| self.all.iter().any(|secret| secret.0 == text);
        kind == "ConfigMap" && is_secret_variable(name, value)
            || is_one(value)
            || decoded(value).is_some_and(|text| is_one(&text))
            || self.are_in(value)
    }

    /// Whether a text holds a long secret: plain, escaped, URL-encoded, or as a word in base64, in quotes or not.
    pub fn are_in(&self, text: &str) -> bool {
        let holds = |text: &str| self.long.iter().any(|secret| text.contains(&secret.0));
        let in_url = || holds(&percent_encoding::percent_decode_str(text).decode_utf8_lossy());
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        let mut words = text.split(|c| !is_base64(c)).filter(|word| word.len() > LONG);
        !self.long.is_empty()
            && (holds(text)
                || text.contains('%') && in_url()
                || words.any(|word| decoded(word).is_some_and(|word| holds(&word))))
    }
}

/// Decodes base64. Returns `None` if the text isn't base64.
pub fn decoded(text: &str) -> Option<String> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether an environment variable holds a secret, by its value or its name.
pub fn is_secret_variable(name: &str, value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let marks =
        ["password=", "pwd=", "accountkey=", "sharedaccesskey=", "sig=", "private key-----"];
    has_password(value)
        || marks.iter().any(|mark| lower.contains(mark))
        || !value.is_empty() && names_a_secret(name, value)
}

/// Whether a text has a URL with a password in it: `://USER:PASSWORD@`.
pub fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let url = rest.split_whitespace().next().unwrap_or_default();
        let user = url.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
        user.is_some_and(|(_, password)| {
            // In `http://host:8080/user@example.com`, `8080` is a port.
            let port = password.split('/').next().unwrap_or_default();
            !password.is_empty()
                && (port == password || !port.bytes().all(|byte| byte.is_ascii_digit()))
        })
    })
}

/// Whether a variable's name says that its value is a secret. The value may take that back, as a number does.
fn names_a_secret(name: &str, value: &str) -> bool {
    const WORDS: [&str; 6] = ["KEY", "TOKEN", "SECRET", "CREDENTIAL", "PASSWORD", "PASSWD"];
    const OTHERS: [&str; 5] = ["PASSPHRASE", "PASS", "PWD", "CREDS", "PAT"];
    const ENDS: [&str; 4] = ["PASSWORD", "PASSWD", "APIKEY", "PWD"];
    // As last word, these name a place or a size rather than the secret: `TOKEN_FILE`.
    const PUBLIC: [&str; 12] = [
        "FILE", "PATH", "DIR", "MOUNT", "PREFIX", "NAME", "LENGTH", "URL", "URI", "ENDPOINT",
        "REGION", "ARN",
    ];
    let words = words(name);
    let is_key = |word: &String| ["KEY", "TOKEN"].contains(&singular(word));
    let is_secret = |word: &String| {
        WORDS.contains(&singular(word))
            || OTHERS.contains(&word.as_str())
            || ENDS.iter().any(|end| word.ends_with(end))
    };
    let secrets: Vec<&String> = words.iter().filter(|word| is_secret(word)).collect();
    let is_public = match words.as_slice() {
        [only] if only == "PWD" => true,
        [.., before, last] if last == "ID" => is_key(before),
        [.., last] => PUBLIC.contains(&last.as_str()),
        [] => true,
    };
    let is_count = || ["true", "false"].contains(&value) || value.parse::<f64>().is_ok();
    let is_path = || {
        let name = value.rsplit('/').next().unwrap_or_default();
        value.starts_with('/') && name.trim_matches('.').contains('.')
    };
    if secrets.is_empty() || is_public || is_path() {
        return false;
    }
    !is_count() || !secrets.into_iter().all(is_key)
}

fn singular(word: &str) -> &str {
    word.strip_suffix('S').unwrap_or(word)
}

/// Returns the words of a name in capitals: `API_KEY`, `api-key` and `apiKey` have the same two.
fn words(name: &str) -> Vec<String> {
    let mut text = String::new();
    for c in name.chars() {
        let is_small = |before: char| before.is_ascii_lowercase() || before.is_ascii_digit();
        let begins = c.is_ascii_uppercase() && text.ends_with(is_small);
        text.extend(begins.then_some('_').into_iter().chain([c]));
    }
    let words = text.split(['_', '-', '.']).filter(|word| !word.is_empty());
    words.map(str::to_ascii_uppercase).collect()
}

/// Returns a finding if a secret is a reference or placeholder that an earlier step should have replaced.
pub fn unresolved(secret: &Secret) -> Option<Diagnostic> {
    let text = secret.expose();
    let within = |start, end| text.strip_prefix(start)?.strip_suffix(end);
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    // `$ecret` and `%aa%` are keys like any other; in braces a name may be in any case.
    let is_capital = |name: &str| {
        let has = |is_one: fn(&u8) -> bool| name.as_bytes().iter().any(is_one);
        is_name(name) && has(u8::is_ascii_uppercase) && !has(u8::is_ascii_lowercase)
    };
    let is_variable = within("${", "}").is_some_and(is_name)
        || [
            text.strip_prefix('$'),
            within("$(", ")"),
            within("%", "%"),
            within("#{", "}#"),
            within("#{", "}"),
            within("__", "__"),
        ]
        .into_iter()
        .flatten()
        .any(is_capital);
    let is_filler = text.eq_ignore_ascii_case("changeme")
        || text.eq_ignore_ascii_case("replace_me")
        || text.strip_prefix("YOUR_").is_some_and(is_capital);
    let is_quoted_form = within("{env:", "}").or(within("{file:", "}")).is_some();
    let (form, step) = if is_quoted_form {
        ("a form in quotes", "write `{env: NAME}` and `{file: PATH}` without quotes")
    } else if (text.starts_with("ref+") || text.starts_with("secretref+")) && text.contains("://") {
        ("a vals reference", "resolve it first: `vals eval -f FILE`")
    } else if text.starts_with("op://") {
        ("a 1Password reference", "resolve it first: `op inject -i FILE`, or `op read`")
    } else if text.starts_with("vault:") {
        ("a Vault reference", "read it first, `vault kv get`, and write `{env: NAME}`")
    } else if within("ENC[", "]").is_some() {
        ("still encrypted by SOPS", "decrypt the file first: `sops -d FILE`")
    } else if text.starts_with("arn:aws:secretsmanager:") {
        ("the ARN of a secret", "read it first, and write `{env: NAME}`")
    } else if is_variable {
        ("a variable that was not replaced", "replace it first, or write `{env: NAME}`")
    } else if within("<", ">").is_some() || is_filler {
        ("a placeholder", "write the secret, `{env: NAME}` or `{file: PATH}`")
    } else if within("{{", "}}").is_some() {
        ("a template expression", "render the values file with its template engine first")
    } else {
        return None;
    };
    Some(Diagnostic::finding(Code::UnresolvedSecret, format!("the secret is {form}"), step))
}

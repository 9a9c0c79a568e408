//! What holds for every diff.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// A new text and where its secrets stand.
#[derive(Clone, Debug, Default)]
struct Rendered {
    text: String,
    secrets: Vec<Range<usize>>,
}

impl Rendered {
    fn scalar(&mut self, value: &str, is_secret: bool) {
        let begin = self.text.len();
        self.text.push_str(&serde_json::to_string(value).unwrap());
        if is_secret {
            self.secrets.push(begin..self.text.len());
        }
    }

    fn diff(&self, old: &[u8], holds_secrets: bool) -> String {
        show(
            &FileDiff {
                path: Path::new("deploy/a.yaml"),
                old: Some(Old {
                    bytes: old,
                    holds_secrets,
                }),
                new: Some(New {
                    text: &self.text,
                    secrets: &self.secrets,
                    holds_secrets: !self.secrets.is_empty(),
                }),
            },
            false,
        )
    }
}

/// What stands at one place of a new text.
#[derive(Clone, Debug)]
enum Entry {
    Public(String, String),
    Secret(String, String),
    SecretKey(String, String),
    Literal(&'static str),
}

fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9]{24}",
        "[a-zA-Z0-9+/]{16}[ -~]{0,3}[a-zA-Z0-9]{16}",
        "[a-zA-Z0-9]{16}[\"'\\\\\n\r\u{1b}\u{fdd1}#: ]{1,3}[a-zA-Z0-9]{16}",
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let key = || "[a-z]{1,6}";
    prop_oneof![
        (key(), "[ -~]{0,6}").prop_map(|(key, value)| Entry::Public(key, value)),
        (key(), secret()).prop_map(|(key, value)| Entry::Secret(key, value)),
        (secret(), key()).prop_map(|(key, value)| Entry::SecretKey(key, value)),
        select(
            &[
                "# a comment",
                "  literal: |\n    a: b\n    - c",
                "  literal: 'a'",
                "  - literal",
                "",
            ][..]
        )
        .prop_map(Entry::Literal),
    ]
}

fn rendered(kind: &str, annotations: &[Entry], data: &[Entry]) -> Rendered {
    let mut rendered = Rendered::default();
    let _ = write!(rendered.text, "kind: {kind}\nmetadata:\n");
    for (section, entries) in [("", annotations), ("data:\n", data)] {
        rendered.text.push_str(section);
        for entry in entries {
            let (key, value, of_key, of_value) = match entry {
                Entry::Literal(text) => {
                    let _ = writeln!(rendered.text, "{text}");
                    continue;
                }
                Entry::Public(key, value) => (key, value, false, false),
                Entry::Secret(key, value) => (key, value, false, true),
                Entry::SecretKey(key, value) => (key, value, true, false),
            };
            rendered.text.push_str("  ");
            rendered.scalar(key, of_key);
            rendered.text.push_str(": ");
            if kind == "Secret" {
                rendered.scalar(&STANDARD.encode(value), of_value);
            } else {
                rendered.scalar(value, of_value);
            }
            rendered.text.push('\n');
        }
    }
    rendered
}

fn secrets_of(entries: &[Entry]) -> impl Iterator<Item = &str> {
    entries.iter().filter_map(|entry| match entry {
        Entry::Secret(_, secret) | Entry::SecretKey(secret, _) => Some(secret.as_str()),
        Entry::Public(..) | Entry::Literal(_) => None,
    })
}

/// Lines as a person might leave them; `$` is where a secret goes.
const BY_HAND: &[&str] = &[
    "$",
    "    $",
    "\t$",
    "# $",
    "a: b # $",
    "a: $",
    "  a: \"$\"",
    "  token: $",
    "  $: a",
    "  \"$\": \"a\"",
    "- $",
    "  - $: a",
    "  - name: $",
    "data: {a: $}",
    "'data': {\"a\": '$'}",
    "data: |",
    "data : {token: $}",
    "  token: |-",
    "  token: \"$",
    "    $\"",
    "{\"data\": {\"token\": \"$\"}}",
    "}",
    "]",
    "---",
    "--- $",
    "...",
    "a: &a $",
    "b: *a",
    "<<: {a: $}",
    "? $",
    ": $",
    "%TAG $",
    "a: !!binary $",
    "a: b\r$",
    "$\r",
    "\u{85}$",
    "\u{feff}$",
    "token:$",
    "\"token\": [\"$\",",
    "",
    "  ",
    "data:",
    "stringData:",
    "metadata:",
    "type: Opaque",
    "kind: ConfigMap",
    "\x1b[31m$",
    "$$",
];

/// Beginnings by which an old file shows that it may hold secrets.
const TELLING: &[&str] = &[
    "kind: Secret\n",
    "kind: \"Secret\"\n",
    "{\"kind\": \"Secret\", \"data\": {\"a\": \"$\"}}\n",
    "\"kind\": 'Secret'\n",
    "kind: &k Secret\n",
    "kind: List\nitems:\n- kind: Secret\n  data: {a: $}\n",
    "kind: A\n---\nkind: Secret\n",
    "kind: ConfigMap\ndata:\n  AWS_SECRET_ACCESS_KEY: $\n",
    "kind: ConfigMap\ndata: {\"AWS_ACCESS_KEY_ID\": $}\n",
    "kind: A\nstringData: {a: $}\n",
    "kind: [\n",
    "kind: A\nkind: B\n",
    "kind: !!str A\n",
    "# AWS_ACCESS_KEY_ID\n",
];

fn assert_hidden(shown: &str, secret: &str) -> Result<(), TestCaseError> {
    let encoded = STANDARD.encode(secret);
    for text in [secret, encoded.as_str()] {
        for window in text.as_bytes().windows(10) {
            let is_shown = shown.as_bytes().windows(10).any(|other| other == window);
            prop_assert!(!is_shown, "{secret:?}\n{shown}");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_secret_is_shown(
        kind in select(&["Secret", "ConfigMap", "Own"][..]),
        annotations in vec(entry(), 0..4),
        data in vec(entry(), 0..4),
        telling in proptest::option::of(select(TELLING)),
        lines in vec((select(BY_HAND), any::<bool>(), any::<bool>()), 0..10),
        in_old in secret(),
        noise in vec(any::<u8>(), 0..8),
    ) {
        let new = rendered(kind, &annotations, &data);
        let new_lines: Vec<&str> = new.text.lines().collect();
        let of_new = secrets_of(&annotations).chain(secrets_of(&data));
        let mut old = telling.unwrap_or_default().replace('$', &in_old);
        for (position, (line, is_new, is_encoded)) in lines.into_iter().enumerate() {
            match new_lines.get(position) {
                Some(line) if is_new => old.push_str(line),
                _ if is_encoded => old.push_str(&line.replace('$', &STANDARD.encode(&in_old))),
                _ => old.push_str(&line.replace('$', &in_old)),
            }
            old.push('\n');
        }
        let mut old = old.into_bytes();
        old.extend(noise);
        let shown = new.diff(&old, telling.is_none());
        for secret in of_new.chain([in_old.as_str()]) {
            assert_hidden(&shown, secret)?;
        }
        let acts = |character| {
            !matches!(character, '\n' | '\t') && crate::text::is_unsafe_to_show(character)
        };
        prop_assert_eq!(shown.find(acts), None);
    }

    #[test]
    fn a_public_diff_can_be_applied(
        old in vec(select(&["a: b", "  c: \"d\"", "- e", "", "f"][..]), 0..40),
        new in vec(select(&["a: b", "  c: \"d\"", "- e", "", "g: |"][..]), 0..40),
    ) {
        // A flow of its own keeps the lines readable as YAML, whatever they are.
        let text = |lines: &[&str]| {
            let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
            format!("kind: A\ntext: |\n  -\n{lines}")
        };
        let (old, new) = (text(&old), text(&new));
        prop_assert_eq!(apply(&old, &diff(Some(&old), Some(&new))), new);
    }

    #[test]
    fn only_secrets_that_change_are_seen_to(
        kind in select(&["Secret", "ConfigMap"][..]),
        public in vec(("[a-z]{1,6}", "[ -~]{0,6}"), 0..3),
        secret in secret(),
        other in secret(),
    ) {
        prop_assume!(secret != other);
        let public: Vec<_> = public.into_iter().map(|(key, value)| Entry::Public(key, value)).collect();
        let entry = |secret: &str| [Entry::Secret("token".to_owned(), secret.to_owned())];
        let old = rendered(kind, &public, &entry(&secret));
        let same = rendered(kind, &[], &entry(&secret));
        let shown = same.diff(old.text.as_bytes(), true);
        prop_assert!(!shown.contains("\n+") || shown.matches("\n+").count() == 1, "{}", shown);
        prop_assert!(!shown.contains("(before)") && !shown.contains("(after)"), "{}", shown);
        let shown = rendered(kind, &public, &entry(&other)).diff(old.text.as_bytes(), true);
        prop_assert!(shown.contains("\n-  \"token\": \"*** (before)\"\n+  \"token\": \"*** (after)\"\n"), "{}", shown);
    }
}

/// Applies a diff to a text.
fn apply(old: &str, diff: &str) -> String {
    if diff.starts_with('#') {
        return old.to_owned();
    }
    let mut rest = old.split_inclusive('\n').enumerate().peekable();
    let mut new = String::new();
    for line in diff.split_inclusive('\n').skip(2) {
        if let Some(heading) = line.strip_prefix("@@ -") {
            let (begin, _) = heading.split_once([',', ' ']).unwrap();
            let begin: usize = begin.parse().unwrap();
            while let Some((_, line)) = rest.next_if(|(position, _)| position + 1 < begin) {
                new.push_str(line);
            }
            continue;
        }
        let (sign, text) = line.split_at(1);
        if sign != "+" {
            assert_eq!(rest.next().unwrap().1, text);
        }
        if sign != "-" {
            new.push_str(text);
        }
    }
    new.extend(rest.map(|(_, line)| line));
    new
}

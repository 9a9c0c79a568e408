//! Texts that parsers stumble over.

use proptest::prelude::*;

/// Texts that are no text to one parser or another, or end one. All of them are allowed.
pub const NASTY: &[&str] = &[
    "no",
    "No",
    "y",
    "on",
    "off",
    "null",
    "Null",
    "~",
    "true",
    "0777",
    "0o17",
    "0x1F",
    "0b1",
    "1_000",
    "12:30:45",
    "1e3",
    "1.",
    ".5",
    "-.inf",
    ".NaN",
    "2024-01-01",
    "2024-01-01T00:00:00Z",
    "=",
    "<<",
    "- a",
    "-",
    "a: b",
    "a:",
    ": a",
    "#",
    "a #b",
    "# a",
    "? a",
    "[a",
    "{a",
    "]",
    "}",
    ",",
    "|",
    ">",
    "|-\n a",
    "!!int 1",
    "!a",
    "&a",
    "*a",
    "%YAML 1.1",
    "@a",
    "`a`",
    "---",
    "...",
    "a\n---\nb: c\n",
    "{{ x }}",
    "{{",
    "}}",
    "{",
    "a{",
    "{{{",
    "{{{{{ a }",
    "{{- a -}}",
    "{{/* a */}}",
    "{{`",
    "{% raw %}",
    "{% endraw %}",
    "{# a #}",
    "{{ name }}",
    "$(X)",
    "${",
    "$X",
    "'",
    "\"",
    "''",
    "\"\"",
    "\\",
    "\\\\",
    "\\n",
    "\\x41",
    "\\u0041",
    "\\\"",
    "a\"b'c\\d",
    " ",
    "  a",
    "a  ",
    "\ta",
    "a\t",
    "\n",
    "a\n",
    "\na",
    "a\n\n b",
    "a\r\nb",
    "\r",
    "a\u{b}b",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{80}",
    "\u{85}",
    "a\u{85}b",
    "\u{a0}",
    "\u{ad}",
    "\u{2028}",
    "a\u{2029}b",
    "\u{feff}",
    "\u{feff}a",
    "a\u{feff}",
    "\u{fffd}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{fdd1}",
    "\u{fdef}",
    "\u{202e}abc",
    "\u{2066}a\u{2069}",
    "\u{200b}",
    "\u{e0041}",
    "\u{1fffe}",
    "\u{10ffff}",
    "é",
    "e\u{301}",
    "日本",
    "😀",
    "a😀b",
    "\u{d7ff}\u{e000}",
    "\u{1}\u{2}\u{1f}",
];

/// A piece of a long text.
pub const LONG: &str = "long: text, \\ \"and\" so on ";

/// Whether a text is one that may stand in a manifest: all but what the renderer keeps to itself.
pub fn is_bearable(text: &str) -> bool {
    !text.contains('\u{fdd0}')
}

/// Any text: nasty ones, pieces of them together, random characters, long ones, padded ones.
pub fn any_text() -> impl Strategy<Value = String> {
    let piece = || {
        let nasty = prop::sample::select(NASTY).prop_map(str::to_owned);
        prop_oneof![6 => nasty, 3 => any::<String>(), 1 => "[\\x00-\\xff]{0,12}"]
    };
    prop_oneof![
        4 => piece(),
        4 => prop::collection::vec(piece(), 2..5).prop_map(|pieces| pieces.concat()),
        1 => (piece(), 20..100_usize).prop_map(|(piece, times)| format!("{piece}{LONG}").repeat(times)),
        1 => piece().prop_map(|text| format!("  {text}\t ")),
        1 => prop::sample::select(vec!["\0", "a\0b", "\u{fdd0}", "\u{fdd0}0\u{fdd0}"]).prop_map(str::to_owned),
    ]
}

/// A text as a string of JSON that is also one of YAML: a YAML parser ends lines at more characters
/// than a JSON one, and takes no half of a surrogate pair.
pub fn escaped(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            ' '..='~' | '\u{a1}'..='\u{d7ff}' | '\u{10000}'..
                if !matches!(character, '\u{2028}' | '\u{2029}') =>
            {
                out.push(character)
            }
            _ => out.push_str(&format!("\\u{:04x}", u32::from(character))),
        }
    }
    out.push('"');
    out
}

/// Names each text: `V0`, `V1` and so on.
pub fn numbered(prefix: &str, texts: &[String]) -> Vec<(String, String)> {
    let name = |(number, text): (usize, &String)| (format!("{prefix}{number}"), text.clone());
    texts.iter().enumerate().map(name).collect()
}

/// A mapping of texts, in JSON.
pub fn mapping(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, text)| format!("\"{key}\": {}", escaped(text)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

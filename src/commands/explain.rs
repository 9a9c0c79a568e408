//! `explain`: prints what a key of the values file or a finding means. The texts are those of the JSON Schema.

use serde_json::Value;

use super::Outcome;
use crate::diagnostic::Diagnostic;
use crate::findings::{Code, Severity};
use crate::input::yaml::nearest;
use crate::show::{list, shown};
use crate::values::Values;

/// The width of a text, in characters.
const WIDTH: usize = 80;
const ERROR: &str = "It is an error. To accept it, add the code to `allow`.";
const WARNING: &str =
    "It is a warning; `--strict` makes it an error. To accept it, add the code to `allow`.";

/// A key or a finding.
struct Topic {
    /// A path such as `cluster.skus.cpu`, or a code.
    name: String,
    text: String,
    /// The words that a key's value may be, with their meanings.
    words: Vec<(String, String)>,
    /// `None` for a key.
    level: Option<Severity>,
}

/// Returns the explanation of a key or finding; without a name, the list of both. Fails if there is none of that name.
pub fn run(name: Option<&str>) -> anyhow::Result<Outcome> {
    let schema = Value::from(schemars::schema_for!(Values));
    let mut topics = keys(&schema, "", &schema);
    topics.extend(findings()?);
    let Some(name) = name else {
        return Ok(all(&topics).into());
    };
    match topics.iter().find(|topic| topic.name == name) {
        Some(topic) => Ok(explain(topic, &topics).into()),
        None => Err(unknown(name, &topics).into()),
    }
}

/// Returns the keys below a part of the schema. A mapping comes before its keys.
fn keys(schema: &Value, prefix: &str, part: &Value) -> Vec<Topic> {
    let mut topics = Vec::new();
    let forms = forms(schema, part);
    let properties = forms.iter().filter_map(|form| form["properties"].as_object());
    for (key, part) in properties.flatten() {
        let name = format!("{prefix}{key}");
        let below = keys(schema, &format!("{name}."), part);
        let (text, words) = (text(part), words(schema, part));
        topics.push(Topic { name, text, words, level: None });
        topics.extend(below);
    }
    topics
}

fn findings() -> anyhow::Result<Vec<Topic>> {
    let schema = Value::from(schemars::schema_for!(Code));
    let topics = words(&schema, &schema).into_iter().map(|(name, text)| {
        let code: Code = serde_json::from_value(name.as_str().into())?;
        Ok(Topic { name, text, words: Vec::new(), level: Some(code.level()) })
    });
    topics.collect()
}

/// Returns the forms that a value may have, with references and lists resolved.
fn forms<'a>(schema: &'a Value, part: &'a Value) -> Vec<&'a Value> {
    let definition = |path: &str| schema.pointer(path.trim_start_matches('#'));
    let choices = part["anyOf"].as_array().or(part["oneOf"].as_array());
    match (part["$ref"].as_str().and_then(definition), choices) {
        (Some(part), _) => forms(schema, part),
        (None, Some(choices)) => choices.iter().flat_map(|part| forms(schema, part)).collect(),
        (None, None) if part["items"].is_object() => forms(schema, &part["items"]),
        (None, None) => vec![part],
    }
}

fn words(schema: &Value, part: &Value) -> Vec<(String, String)> {
    let forms = forms(schema, part);
    let word = |form: &&Value| Some((form["const"].as_str()?.to_owned(), text(form)));
    forms.iter().filter_map(word).collect()
}

fn text(part: &Value) -> String {
    part["description"].as_str().unwrap_or_default().replace('\n', " ")
}

fn explain(topic: &Topic, topics: &[Topic]) -> String {
    let Topic { name, text, words, level } = topic;
    let level = match level {
        None => "",
        Some(Severity::Error) => ERROR,
        Some(_) => WARNING,
    };
    let texts = [text, level].into_iter().filter(|text| !text.is_empty());
    let texts: String = texts.map(|text| format!("\n{}", wrapped(text))).collect();
    let title = if words.is_empty() { "Keys" } else { "Or a mapping with these keys" };
    let words = words.iter().map(|(word, text)| (word.as_str(), text.as_str()));
    let below = topics.iter().filter_map(|other| {
        let key = other.name.strip_prefix(name)?.strip_prefix('.')?;
        (!key.contains('.')).then_some((key, other.text.as_str()))
    });
    format!("{name}\n{texts}{}{}", rows("Values", words), rows(title, below))
}

fn all(topics: &[Topic]) -> String {
    let of_level = |level| {
        let topics = topics.iter().filter(move |topic| topic.level == level);
        topics.map(|topic| (topic.name.as_str(), topic.text.as_str()))
    };
    let keys = rows("Keys of the values file", of_level(None));
    let denied = rows("Findings that are errors", of_level(Some(Severity::Error)));
    let warned = rows("Findings that are warnings", of_level(Some(Severity::Warning)));
    format!("{keys}{denied}{warned}").trim_start().to_owned()
}

/// Returns a title and a line for each name, with the first sentence about it; nothing without names.
fn rows<'a>(title: &str, rows: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let rows: Vec<_> = rows.collect();
    let Some(width) = rows.iter().map(|(name, _)| name.len()).max() else {
        return String::new();
    };
    // A longer name moves the text of its own line only.
    let width = width.min(34);
    let row = |(name, text): &(&str, &str)| {
        let first = text.split_inclusive(". ").next().unwrap_or_default();
        format!("  {name:width$}  {}\n", first.trim_end())
    };
    format!("\n{title}:\n{}", rows.iter().map(row).collect::<String>())
}

fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n") + "\n"
}

fn unknown(name: &str, topics: &[Topic]) -> Diagnostic {
    let names = || topics.iter().map(|topic| topic.name.as_str());
    let last = |name: &str| name.rsplit('.').next().map(str::to_ascii_lowercase);
    let same = names().filter(|known| last(known) == last(name));
    let same: Vec<&str> = same.take(3).collect();
    let near = if same.is_empty() { nearest(name, names()) } else { same };
    let error = Diagnostic::error(format!("no key or finding is called {}", shown(name)));
    match near.as_slice() {
        [] => error.help("`ma-register explain` lists them"),
        near => error.help(format!("did you mean {}?", list(near))),
    }
}

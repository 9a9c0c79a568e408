//! Values files: each holds the values of one cluster, or of several as YAML documents; defaults are
//! merged under each.

use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_yaml::Value;

use super::file::{Source, decode};
use super::locate::Documents;
use super::merge::{has, is_mapping_in, merge, remove};
use super::mistake::{Mistake, Step};
use super::place::{PathKey, Place};
use super::values::Values;
use super::words::{is_like_a_secret, is_plain};
use super::yaml;
use crate::placeholder::placeholder_of_path;
use crate::problems::Problems;

/// The values of one cluster, and where they stand.
pub struct ClusterValues {
    /// Where.
    pub place: Place,
    /// The values.
    pub values: Values,
}

/// Values that can't be read.
pub struct Unread {
    /// Where they stand.
    pub place: Place,
    /// The cluster's name, where that can be told.
    pub name: Option<String>,
    /// What is wrong with them.
    pub problems: Problems,
}

/// Reads the values of every cluster in a file; what is wrong with one of them doesn't hide the
/// others. A file that can't be read counts as one.
pub fn read(source: &Source, defaults: Option<&Defaults>) -> Vec<Result<ClusterValues, Unread>> {
    let source = Arc::new(source.clone());
    let file = File::read(Arc::clone(&source)).and_then(|file| {
        ensure!(
            !file.documents.is_empty(),
            "it is empty; it needs at least the keys `name` and `storage`"
        );
        Ok(file)
    });
    match file.with_context(|| format!("failed to read the values file {source}")) {
        Ok(file) => {
            let documents = file.documents.iter().enumerate();
            let cluster = |(position, document)| file.cluster(position, document, defaults);
            documents.map(cluster).collect()
        }
        Err(error) => vec![Err(Unread {
            place: Place::of(Source::clone(&source)),
            name: None,
            problems: error.into(),
        })],
    }
}

/// What is merged under the values of every cluster.
pub struct Defaults {
    file: File,
}

impl Defaults {
    /// Reads a file of defaults.
    ///
    /// # Errors
    /// Where it can't be read, isn't one YAML mapping, or names a cluster.
    pub fn read(source: &Source) -> Result<Self> {
        let within = || format!("failed to read the defaults {source}");
        let file = File::read(Arc::new(source.clone())).with_context(within)?;
        check_defaults(&file).with_context(within)?;
        Ok(Self { file })
    }

    fn value(&self) -> Option<&yaml::Document> {
        self.file.documents.first()
    }
}

fn check_defaults(file: &File) -> Result<()> {
    if file.documents.len() > 1 {
        bail!(
            "it holds {} documents; defaults are one, merged under each cluster's values",
            file.documents.len()
        );
    }
    let Some(document) = file.documents.first() else {
        return Ok(());
    };
    if !document.value.is_mapping() {
        bail!("it is no mapping of keys to values");
    }
    if document.value.get("name").is_some() {
        bail!("it has the key `name`, which belongs in each cluster's own values");
    }
    Ok(())
}

/// A file's text and its documents.
struct File {
    source: Arc<Source>,
    text: String,
    documents: Vec<yaml::Document>,
    lines: OnceLock<Documents>,
}

impl File {
    fn read(source: Arc<Source>) -> Result<Self> {
        let text = decode(source.read()?)?;
        let documents = yaml::documents(&text)?;
        Ok(Self {
            source,
            text,
            documents,
            lines: OnceLock::new(),
        })
    }

    /// The place of a document in this file.
    fn place(
        &self,
        position: usize,
        document: &yaml::Document,
        defaults: Option<&Defaults>,
    ) -> Place {
        let of_defaults = defaults.and_then(|defaults| {
            let value = &defaults.value()?.value;
            let from_defaults = |key: &PathKey| {
                let keys = key.keys();
                has(value, keys) && !has(&document.value, keys)
            };
            let keys = PathKey::ALL.into_iter().filter(from_defaults).collect();
            Some((Arc::clone(&defaults.file.source), keys))
        });
        Place {
            source: Arc::clone(&self.source),
            document: (self.documents.len() > 1).then_some(position + 1),
            defaults: of_defaults,
        }
    }

    fn cluster(
        &self,
        position: usize,
        document: &yaml::Document,
        defaults: Option<&Defaults>,
    ) -> Result<ClusterValues, Unread> {
        let place = self.place(position, document, defaults);
        let under = defaults.and_then(Defaults::value);
        let merged = match under {
            Some(under) => merge(&under.value, &document.value),
            None => document.value.clone(),
        };
        match yaml::typed(&merged) {
            Ok(values) => Ok(ClusterValues { place, values }),
            Err(mistake) => {
                let mut problems = Problems::default();
                let name = merged.get("name").and_then(Value::as_str);
                let name = name.map(str::to_owned);
                let mut mistakes = all_mistakes(merged.clone(), mistake);
                // Those are refused later otherwise, each where it is used.
                let placeholders = placeholders(&merged, &mistakes);
                mistakes.extend(placeholders);
                for mistake in mistakes.iter().take(MOST_MISTAKES) {
                    problems.push(self.explain(document, &place, defaults, mistake));
                }
                Err(Unread {
                    place,
                    name,
                    problems,
                })
            }
        }
    }

    /// Says where a mistake stands: in the document, or in the defaults alone.
    fn explain(
        &self,
        document: &yaml::Document,
        place: &Place,
        defaults: Option<&Defaults>,
        mistake: &Mistake,
    ) -> anyhow::Error {
        let path = mistake.path();
        let keys: Vec<&str> = path.iter().map_while(|step| step.key()).collect();
        let under = defaults.and_then(|defaults| Some((defaults, defaults.value()?)));
        if let Some((defaults, under)) = under {
            let file = &defaults.file;
            if has(&under.value, &keys) && !has(&document.value, &keys) {
                return file
                    .at_line(under, mistake)
                    .context(format!("failed to read the defaults {}", file.source));
            }
            if is_mapping_in(&under.value, &keys)
                && is_mapping_in(&document.value, &keys)
                && !keys.is_empty()
            {
                let error = self.at_line(document, mistake);
                return anyhow!(
                    "{error} (keys of the defaults {} are merged in; `null` removes one)",
                    file.source
                )
                .context(format!("failed to read the values file {place}"));
            }
        }
        self.at_line(document, mistake)
            .context(format!("failed to read the values file {place}"))
    }

    fn at_line(&self, document: &yaml::Document, mistake: &Mistake) -> anyhow::Error {
        let lines = self.lines.get_or_init(|| Documents::of(&self.text));
        match lines.line(&self.text, document.position, &mistake.path()) {
            Some(line) => anyhow!("line {line}: {mistake}"),
            None => anyhow!("{mistake}"),
        }
    }
}

/// Keys whose values may hold any text.
const ANY_TEXT: [&[&str]; 2] = [&["annotations"], &["storage", "extraEnv"]];

/// The texts of a document that are still placeholders, apart from what is a mistake already.
fn placeholders(document: &Value, mistakes: &[Mistake]) -> Vec<Mistake> {
    let told: Vec<Vec<Step>> = mistakes
        .iter()
        .filter(|mistake| mistake.is_about_what_is_there())
        .map(Mistake::path)
        .collect();
    let mut found = Vec::new();
    find_placeholders(document, &mut Vec::new(), &told, &mut found);
    found
}

fn find_placeholders(
    value: &Value,
    path: &mut Vec<Step>,
    told: &[Vec<Step>],
    found: &mut Vec<Mistake>,
) {
    let is_any_text = || {
        let keys: Vec<&str> = path.iter().filter_map(Step::key).collect();
        ANY_TEXT.contains(&keys.as_slice())
    };
    if told.contains(path) || is_any_text() {
        return;
    }
    match value {
        Value::String(text) => {
            if let Some(form) = placeholder_of_path(text) {
                let mistake = Mistake::new(format!(
                    "it is or holds a placeholder, `{form}`; put the real value there"
                ));
                let steps = path.iter().rev().cloned();
                found.push(steps.fold(mistake, Mistake::inside));
            }
        }
        Value::Sequence(items) => {
            for (position, item) in items.iter().enumerate() {
                path.push(Step::Item(position));
                find_placeholders(item, path, told, found);
                path.pop();
            }
        }
        Value::Mapping(pairs) => {
            for (key, value) in pairs {
                // Keys beside a mistake haven't been checked, and may be secrets.
                let key = key.as_str();
                if let Some(key) = key.filter(|key| is_plain(key) && !is_like_a_secret(key)) {
                    path.push(Step::Key(key.to_owned()));
                    find_placeholders(value, path, told, found);
                    path.pop();
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Tagged(_) => {}
    }
}

/// The most mistakes that are told about one document.
const MOST_MISTAKES: usize = 20;

/// Every mistake of a document: what is at fault is taken out, and the rest is read again. What is
/// wrong only because of that is taken out too, and not told.
fn all_mistakes(mut document: Value, first: Mistake) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut taken: Vec<Vec<String>> = Vec::new();
    let mut next = Some(first);
    while let Some(mistake) = next.take() {
        let path = mistake.path();
        let is_about_value = mistake.is_about_value();
        if !taken
            .iter()
            .any(|taken| mistake.may_follow_from_lack_of(taken))
        {
            mistakes.push(mistake);
        }
        if mistakes.len() == MOST_MISTAKES || !remove(&mut document, &path) {
            break;
        }
        if is_about_value {
            let keys = path.iter().map_while(Step::key);
            taken.push(keys.map(str::to_owned).collect());
        }
        next = yaml::typed::<Values>(&document).err();
    }
    mistakes
}

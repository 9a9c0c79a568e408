//! Reads the values of each cluster from the files and folders of `-f`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::Deserialize as _;
use serde_yaml::{Mapping, Value};

use super::folder::{self, check_kind};
use super::merge::merge;
use super::{Values, may_be_secret};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::findings::Code;
use crate::input::{file, yaml};
use crate::show::{list, shown};

/// Merged under each of the other files of its folder.
pub const DEFAULTS: &str = "defaults.yaml";
/// The usual fix if YAML can't be parsed.
const QUOTES: &str = "put the value in quotes if it has `: ` or ` #` in it, or begins with one of `@ % & * ! | > [ {`";
const INDENTATION: &str =
    "check the indentation: use spaces, the same number for every key of a mapping";

/// One document of values; by default, an empty one.
#[derive(Default)]
struct Layer {
    file: String,
    /// Its number in a file with several documents.
    document: Option<usize>,
    /// Relative paths start here; `None` for a pipe.
    folder: Option<PathBuf>,
    value: Value,
}

/// The values of one cluster, merged over defaults.
pub struct MergedValues {
    pub values: Values,
    own: Arc<Layer>,
    /// The nearest first.
    defaults: Vec<Arc<Layer>>,
}

impl MergedValues {
    /// Returns the cluster's name; empty if it has none.
    pub fn name(&self) -> &str {
        self.values.name.as_deref().unwrap_or_default()
    }

    /// Whether it accepts a finding.
    pub fn accepts(&self, code: Code) -> bool {
        self.values.allow.iter().flatten().any(|accepted| *accepted == code)
    }

    /// Returns the path of the values file, as given.
    pub fn file(&self) -> &str {
        &self.own.file
    }

    /// Returns the place of a flag or variable, or of a key such as `kubeconfig.context`.
    pub fn place(&self, key: &str) -> Place {
        let layer = self.layer(key);
        let document = layer.document.map(|number| format!(" (document {number})"));
        let file = || format!("{}{}", layer.file, document.unwrap_or_default());
        Place {
            cluster: Some(self.name().to_owned()).filter(|name| !name.is_empty()),
            file: (!key.starts_with(['-', '$'])).then(file),
            line: None,
            key: Some(format!("`{key}`")),
        }
    }

    /// Resolves the path at a key against the folder of the file that sets it. Fails if it is relative and its values
    /// come from a pipe.
    pub fn path(&self, key: &str, path: &str) -> Result<PathBuf, Diagnostic> {
        let folder = self.layer(key).folder.as_deref();
        file::relative_to(folder, path).map_err(|error| error.at(&self.place(key)))
    }

    fn layer(&self, key: &str) -> &Layer {
        let mut layers = std::iter::once(&self.own).chain(&self.defaults);
        layers.find(|layer| has(&layer.value, key)).unwrap_or(&self.own)
    }
}

/// Whether a mapping sets a key such as `storage.endpoint`. A null sets all keys below it.
fn has(value: &Value, key: &str) -> bool {
    match key.split_once('.') {
        // The name of a variable may have dots.
        Some(("extraEnv", name)) => {
            value.get("extraEnv").is_some_and(|it| it.is_null() || it.get(name).is_some())
        }
        Some((first, rest)) => value.get(first).is_some_and(|it| it.is_null() || has(it, rest)),
        None => value.get(key).is_some(),
    }
}

/// Reads clusters' values from files and folders, merged over defaults. Returns the clusters of `names`, or all if it is
/// empty, and the diagnostics about all files.
pub fn load(
    paths: &[PathBuf],
    defaults: Option<&Path>,
    names: &[String],
) -> (Vec<MergedValues>, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let mut layers = Vec::new();
    match defaults.map(read_defaults).transpose() {
        Ok(layer) => layers.extend(layer),
        // Without it, each cluster would miss something.
        Err(error) => return (Vec::new(), error.into()),
    }
    let mut files: Vec<(PathBuf, Vec<Arc<Layer>>)> = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push((path.clone(), layers.clone()));
            continue;
        }
        let found = folder::files(path, paths).and_then(|(in_folder, own)| {
            Ok((in_folder, own.as_deref().map(read_defaults).transpose()?))
        });
        match found {
            Ok((in_folder, own)) => {
                let all: Vec<_> = own.into_iter().chain(layers.iter().cloned()).collect();
                files.extend(in_folder.into_iter().map(|file| (file, all.clone())));
            }
            Err(error) => diagnostics.0.push(error),
        }
    }
    let read = files.par_iter().map(|(path, layers)| read_file(path, layers)).collect();
    let clusters: Vec<MergedValues> = diagnostics.keep(read).into_iter().flatten().collect();
    diagnostics.0.extend(repeated_names(&clusters));
    // A file that couldn't be read may have the others.
    if !diagnostics.has_errors() {
        diagnostics.0.extend(unknown_names(&clusters, names));
    }
    let is_wanted = |cluster: &MergedValues| {
        names.is_empty() || names.iter().any(|name| name == cluster.name())
    };
    (clusters.into_iter().filter(is_wanted).collect(), diagnostics)
}

fn read_defaults(path: &Path) -> Result<Arc<Layer>, Diagnostic> {
    let (text, mut layers) = read_layers(path)?;
    if layers.len() > 1 {
        return Err(Diagnostic::error("defaults must be one document").in_file(file::name(path)));
    }
    let empty = || Layer { file: file::name(path), ..Layer::default() };
    let layer = layers.pop().unwrap_or_else(empty);
    // Checked alone, so that a mistake isn't reported again for each cluster. A null may remove what `--defaults` has.
    let mut value = layer.value.clone();
    // Merged over itself, a mapping loses its nulls.
    merge("", &mut value, layer.value.clone());
    match find_mistake(&text) {
        Some((mistake, _)) if serde_yaml::from_value::<Values>(value).is_err() => {
            Err(mistake.in_file(file::name(path)))
        }
        _ => Ok(Arc::new(layer)),
    }
}

fn read_file(path: &Path, defaults: &[Arc<Layer>]) -> Result<Vec<MergedValues>, Diagnostic> {
    if path.ends_with(DEFAULTS) {
        let message = "`defaults.yaml` holds the defaults of a folder, not a cluster's values";
        let error = Diagnostic::error(message).in_file(file::name(path));
        return Err(error.help("pass the folder, `-f FOLDER`"));
    }
    let (text, layers) = read_layers(path)?;
    if layers.is_empty() {
        return Err(Diagnostic::error("the values file is empty").in_file(file::name(path)));
    }
    let clusters = layers.into_iter().map(|layer| merge_layers(layer, defaults));
    let clusters: Result<Vec<MergedValues>, Diagnostic> = clusters.collect();
    // Look for the mistake in the text: the merged values have no line numbers.
    clusters.map_err(|error| match find_mistake(&text) {
        // A null is none if it takes a default away.
        Some((mistake, is_null)) if !is_null || mistake.place.key == error.place.key => {
            mistake.in_file(file::name(path))
        }
        _ => error,
    })
}

fn read_layers(path: &Path) -> Result<(String, Vec<Layer>), Diagnostic> {
    let name = file::name(path);
    let read = || {
        let text = yaml::decode(file::read(path)?)?;
        check_text(&text)?;
        let documents = yaml::documents(&text).map_err(|error| match error.helps.as_slice() {
            [] => error.help(INDENTATION).help(QUOTES),
            _ => error,
        })?;
        let folder = file::folder(path);
        let total = documents.len();
        let mut layers = Vec::new();
        for (index, value) in documents.into_iter().enumerate() {
            check_kind(&value)?;
            let document = (total > 1).then_some(index + 1);
            layers.push(Layer { file: name.clone(), document, folder: folder.clone(), value });
        }
        Ok((text, layers))
    };
    read().map_err(|error: Diagnostic| error.in_file(&name))
}

/// Returns the first wrong key or type in a text, with its line, and whether it is a null.
fn find_mistake(text: &str) -> Option<(Diagnostic, bool)> {
    let mut typed = serde_yaml::Deserializer::from_str(text).map(Option::<Values>::deserialize);
    let error = typed.find_map(Result::err)?;
    Some((yaml::explain(&error, text, may_be_secret), yaml::is_about_null(&error)))
}

fn merge_layers(own: Layer, defaults: &[Arc<Layer>]) -> Result<MergedValues, Diagnostic> {
    let mut merged = Value::Mapping(Mapping::new());
    for layer in defaults.iter().rev().filter(|layer| !layer.value.is_null()) {
        merge("", &mut merged, layer.value.clone());
    }
    merge("", &mut merged, own.value.clone());
    let values = Values::deserialize(&merged).map_err(|error| {
        // Only from a text does the error have the path of its key, which `explain` needs to hide keys below a secret.
        let text = serde_yaml::to_string(&merged).unwrap_or_default();
        let error = serde_yaml::from_str::<Values>(&text).err().unwrap_or(error);
        let files = list(std::iter::once(&own.file).chain(defaults.iter().map(|it| &it.file)));
        yaml::explain(&error, "", may_be_secret)
            .in_file(own.file.clone())
            .help(format!("merged from {files}"))
    })?;
    Ok(MergedValues { values, own: Arc::new(own), defaults: defaults.to_vec() })
}

fn repeated_names(clusters: &[MergedValues]) -> Vec<Diagnostic> {
    let mut seen = HashMap::new();
    let mut errors = Vec::new();
    for cluster in clusters.iter().filter(|cluster| !cluster.name().is_empty()) {
        if let Some(first) = seen.insert(cluster.name(), cluster) {
            let message = format!("two clusters have the name {}", shown(cluster.name()));
            let error = Diagnostic::error(message).help("give each its own name");
            errors.extend([first, cluster].map(|it| error.clone().at(&it.place("name"))));
        }
    }
    errors
}

fn unknown_names(clusters: &[MergedValues], names: &[String]) -> Option<Diagnostic> {
    let is_known = |name: &&String| clusters.iter().any(|cluster| cluster.name() == *name);
    let unknown: Vec<&String> = names.iter().filter(|name| !is_known(name)).collect();
    if unknown.is_empty() {
        return None;
    }
    let error = Diagnostic::error(format!("no values for {}", list(unknown))).at_key("`--cluster`");
    Some(error.help(format!("the values have {}", list(clusters.iter().map(MergedValues::name)))))
}

/// Refuses text that isn't YAML at all, and indentation that looks right in an editor.
fn check_text(text: &str) -> Result<(), Diagnostic> {
    if text.starts_with("$ANSIBLE_VAULT") {
        let error = Diagnostic::error("the file is encrypted by Ansible Vault");
        return Err(error.help("decrypt it first: `ansible-vault view FILE`"));
    }
    let is_space = |c: char| matches!(c, '\t' | '\u{a0}' | '\u{2002}'..='\u{200b}' | '\u{3000}');
    let is_odd = |line: &str| line.trim_start_matches([' ', '-']).starts_with(is_space);
    let odd = text.lines().position(|line| is_odd(line) && !line.trim().is_empty());
    let Some(index) = odd else { return Ok(()) };
    let error = Diagnostic::error("the line is indented with a tab or a no-break space");
    Err(error.on_line(Some((index + 1).to_string())).help("indent with spaces"))
}

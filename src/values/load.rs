//! Reads the values of each cluster from the files and folders of `-f`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::Deserialize as _;
use serde_yaml::{Mapping, Value};

use super::merge::merge;
use super::{Values, may_be_secret};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::input::{file, yaml};
use crate::show::{list, shown};

/// Merged under each of the other files of its folder.
const DEFAULTS: &str = "defaults.yaml";
/// The usual fix if YAML can't be parsed.
const QUOTES: &str = "put the value in quotes if it has `: ` or ` #` in it, or begins with one of `@ % & * ! | > [ {`; indent with spaces";

/// One document of values.
struct Layer {
    file: String,
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

    /// Returns the path of the values file, as given.
    pub fn file(&self) -> &str {
        &self.own.file
    }

    /// Returns the place of a flag or variable, or of a key such as `kubeconfig.context`.
    pub fn place(&self, key: &str) -> Place {
        Place {
            cluster: Some(self.name().to_owned()).filter(|name| !name.is_empty()),
            file: (!key.starts_with(['-', '$'])).then(|| self.layer(key).file.clone()),
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

/// Whether a mapping has a key such as `storage.extraEnv.NAME`. NAME may have dots, too.
fn has(value: &Value, key: &str) -> bool {
    let below = |(first, rest)| value.get(first).is_some_and(|value| has(value, rest));
    value.get(key).is_some() || key.split_once('.').is_some_and(below)
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
        Err(error) => diagnostics.0.push(error),
    }
    let mut files: Vec<(PathBuf, Vec<Arc<Layer>>)> = Vec::new();
    for path in paths {
        if !path.is_dir() {
            diagnostics.0.extend(unused_defaults(path).filter(|_| defaults.is_none()));
            files.push((path.clone(), layers.clone()));
            continue;
        }
        match read_folder(path) {
            Ok((in_folder, own)) => {
                let all: Vec<_> = own.into_iter().chain(layers.iter().cloned()).collect();
                files.extend(in_folder.into_iter().map(|file| (file, all.clone())));
            }
            Err(error) => diagnostics.0.push(error),
        }
    }
    let read: Vec<_> = files.par_iter().map(|(path, layers)| read_file(path, layers)).collect();
    let mut clusters = Vec::new();
    for result in read {
        match result {
            Ok(found) => clusters.extend(found),
            Err(error) => diagnostics.0.push(error),
        }
    }
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

/// Returns a note if a file's folder has defaults, since they are merged only if the folder itself is passed.
fn unused_defaults(path: &Path) -> Option<Diagnostic> {
    let folder = file::folder(path)?;
    let defaults = folder.join(DEFAULTS);
    if !defaults.exists() || path.ends_with(DEFAULTS) {
        return None;
    }
    let message = "the defaults of the folder aren't used for a single file of it";
    let help = "pass the folder and `--cluster NAME`, or `--defaults FILE`";
    Some(Diagnostic::note(message).in_file(file::name(&defaults)).help(help))
}

fn read_folder(folder: &Path) -> Result<(Vec<PathBuf>, Option<Arc<Layer>>), Diagnostic> {
    let failed = |error: std::io::Error| {
        Diagnostic::error(format!("failed to read the folder: {error}"))
            .in_file(folder.display().to_string())
    };
    let mut files = Vec::new();
    let mut defaults = None;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
        let is_values = is_yaml && !name.starts_with('.') && name != "kustomization.yaml";
        if name == DEFAULTS {
            defaults = Some(read_defaults(&path)?);
        } else if is_values && !path.is_dir() {
            files.push(path);
        }
    }
    if files.is_empty() {
        let message = "the folder has no values files, `*.yaml` or `*.yml`";
        return Err(Diagnostic::error(message).in_file(folder.display().to_string()));
    }
    files.sort();
    Ok((files, defaults))
}

fn read_defaults(path: &Path) -> Result<Arc<Layer>, Diagnostic> {
    let (text, mut layers) = read_layers(path)?;
    if layers.len() > 1 {
        return Err(Diagnostic::error("defaults must be one document").in_file(file::name(path)));
    }
    // Checked alone, so that a mistake isn't reported again for each cluster.
    if let Some(mistake) = find_mistake(&text) {
        return Err(mistake.in_file(file::name(path)));
    }
    let empty =
        || Layer { file: file::name(path), folder: None, value: Value::Mapping(Mapping::new()) };
    Ok(Arc::new(layers.pop().unwrap_or_else(empty)))
}

fn read_file(path: &Path, defaults: &[Arc<Layer>]) -> Result<Vec<MergedValues>, Diagnostic> {
    if path.ends_with(DEFAULTS) {
        let error = Diagnostic::error("the defaults of a folder are no cluster's values");
        return Err(error.in_file(file::name(path)).help("pass the folder, `-f FOLDER`"));
    }
    let (text, layers) = read_layers(path)?;
    if layers.is_empty() {
        return Err(Diagnostic::error("the values file is empty").in_file(file::name(path)));
    }
    let clusters = layers.into_iter().map(|layer| merge_layers(layer, defaults));
    let clusters: Result<Vec<MergedValues>, Diagnostic> = clusters.collect();
    // Look for the mistake in the text: the merged values have no line numbers.
    clusters.map_err(|error| match find_mistake(&text) {
        Some(mistake) => mistake.in_file(file::name(path)),
        None => error,
    })
}

fn read_layers(path: &Path) -> Result<(String, Vec<Layer>), Diagnostic> {
    let name = file::name(path);
    let read = || {
        let text = yaml::decode(file::read(path)?)?;
        let documents = yaml::documents(&text).map_err(|error| match error.helps.as_slice() {
            [] => error.help(QUOTES),
            _ => error,
        })?;
        let folder = file::folder(path);
        let mut layers = Vec::new();
        for value in documents {
            check_kind(&value)?;
            layers.push(Layer { file: name.clone(), folder: folder.clone(), value });
        }
        Ok((text, layers))
    };
    read().map_err(|error: Diagnostic| error.in_file(&name))
}

/// Returns the first wrong key or type in a text, with its line.
fn find_mistake(text: &str) -> Option<Diagnostic> {
    let mut typed = serde_yaml::Deserializer::from_str(text).map(Option::<Values>::deserialize);
    typed.find_map(Result::err).map(|error| yaml::explain(&error, text, may_be_secret))
}

/// Refuses the YAML of other tools, with a better error than an unknown key.
fn check_kind(value: &Value) -> Result<(), Diagnostic> {
    let has = |key: &str| value.get(key).is_some();
    let init = "write one with `ma-register init`";
    let (message, help) = if !value.is_mapping() {
        ("not a values file: expected a mapping", init)
    } else if has("sops") {
        ("the file is still encrypted by SOPS", "decrypt it first: `sops -d FILE`")
    } else if value.get("kind").and_then(Value::as_str) == Some("Config") {
        ("a kubeconfig, not a values file", "pass it with `--kubeconfig`, or set `kubeconfig.path`")
    } else if has("apiVersion") && has("kind") {
        ("a Kubernetes object, not a values file", init)
    } else if has("replicaCount") || has("image") {
        ("values of a Helm chart, not of this program", init)
    } else {
        return Ok(());
    };
    Err(Diagnostic::error(message).help(help))
}

fn merge_layers(own: Layer, defaults: &[Arc<Layer>]) -> Result<MergedValues, Diagnostic> {
    let mut merged = Value::Mapping(Mapping::new());
    for layer in defaults.iter().rev() {
        merge(&mut merged, layer.value.clone());
    }
    merge(&mut merged, own.value.clone());
    let values = serde_yaml::from_value(merged).map_err(|error| {
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

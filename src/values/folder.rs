//! The values files of a folder, and files that are there by mistake.

use std::path::{Path, PathBuf};

use serde_yaml::{Mapping, Value};

use super::Values;
use super::load::DEFAULTS;
use crate::diagnostic::Diagnostic;
use crate::input::{file, yaml};

/// Returns the values files of a folder, sorted, and its `defaults.yaml`. `paths` are all that `-f` names. Fails if there
/// are none, or if values would go unread: their cluster would be taken for one that is gone.
pub fn files(
    folder: &Path,
    paths: &[PathBuf],
) -> Result<(Vec<PathBuf>, Option<PathBuf>), Diagnostic> {
    let (mut values, mut defaults) = (Vec::new(), None);
    for entry in entries(folder)? {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
        if name.starts_with('.') || name == "kustomization.yaml" {
            continue;
        } else if name == "defaults.yml" {
            let error = Diagnostic::error("the defaults of a folder are called `defaults.yaml`");
            return Err(error.in_file(file::name(&entry)).help("rename it"));
        } else if name == DEFAULTS {
            defaults = Some(entry);
        } else if is_yaml && !entry.is_dir() {
            values.push(entry);
        } else if let Some(unread) = find_values(&entry, paths)? {
            return Err(Diagnostic::error("values that would not be read")
                .in_file(file::name(&unread))
                .help("pass its folder, too, and what the folders share with `--defaults`; values are called `*.yaml` or `*.yml`"));
        }
    }
    if values.is_empty() {
        let message = "the folder has no values files, `*.yaml` or `*.yml`";
        return Err(Diagnostic::error(message).in_file(folder.display().to_string()).help(
            "if its last cluster, NAME, is gone: `rm -r DIR/compute/NAME DIR/control-plane/NAME`",
        ));
    }
    Ok((values, defaults))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    file::entries(folder).map_err(|error| {
        let message = format!("failed to read the folder: {error}");
        Diagnostic::error(message).in_file(folder.display().to_string())
    })
}

/// Returns the first values file at or below a path.
fn find_values(path: &Path, paths: &[PathBuf]) -> Result<Option<PathBuf>, Diagnostic> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    // `./a` and `a` are the same folder.
    let is_passed = |other: &PathBuf| other.canonicalize().ok() == path.canonicalize().ok();
    // A linked folder may lead back here.
    let is_link = path.is_symlink() && path.is_dir();
    if name.starts_with('.') || is_link || paths.iter().any(is_passed) {
        return Ok(None);
    }
    if path.is_dir() {
        for entry in entries(path)? {
            if let Some(found) = find_values(&entry, paths)? {
                return Ok(Some(found));
            }
        }
        return Ok(None);
    }
    if !path.is_file() || ![".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end)) {
        return Ok(None);
    }
    // Other files may be anything.
    let text = file::read(path).and_then(yaml::decode).ok();
    let documents = text.and_then(|text| yaml::documents(&text).ok()).unwrap_or_default();
    let is_values = |value: &Value| {
        value.get("name").is_some() && value.get("kind").is_none() && count_keys(value) > 1
    };
    Ok(documents.iter().any(is_values).then(|| path.to_owned()))
}

/// Returns how many keys of a document are keys of the values file.
pub fn count_keys(value: &Value) -> usize {
    let schema = schemars::schema_for!(Values);
    let known = schema.get("properties").and_then(|keys| keys.as_object());
    let is_known = |key: &str| known.is_some_and(|known| known.contains_key(key));
    let keys = value.as_mapping().into_iter().flat_map(Mapping::keys);
    keys.filter_map(Value::as_str).filter(|key| is_known(key)).count()
}

/// Refuses the YAML of other tools, with a better error than an unknown key.
pub fn check_kind(value: &Value) -> Result<(), Diagnostic> {
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

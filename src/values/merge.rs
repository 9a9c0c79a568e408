//! Merging values over defaults.

use std::path::Path;

use serde_yaml::Value;

use crate::diagnostic::Diagnostic;
use crate::input::file;

/// Merges `over` into `base`: mappings key by key, everything else replaced. A null takes what `base` has
/// away; where `base` has nothing it stays, as a key that was left empty. The null of `property` is a value: the
/// store has no properties.
pub fn merge(base: &mut Value, over: Value) {
    let (base, over) = match (base, over) {
        (Value::Mapping(base), Value::Mapping(over)) => (base, over),
        (base, over) => {
            *base = over;
            return;
        }
    };
    for (key, value) in over {
        match base.get_mut(&key) {
            Some(_) if value.is_null() && key != "property" => {
                base.shift_remove(&key);
            }
            Some(existing) => merge(existing, value),
            None => {
                base.insert(key, value);
            }
        }
    }
}

/// The keys that hold a path.
const PATHS: [&[&str]; 5] = [
    &["kubeconfig", "path"],
    &["kubeconfig", "certificateAuthority"],
    &["token", "file"],
    &["storage", "credentials", "accessKeyId", "file"],
    &["storage", "credentials", "secretAccessKey", "file"],
];

/// Makes the paths in a document count from the working directory, not from the document's folder.
///
/// # Errors
/// Where one is relative and the document has no folder.
pub fn resolve_paths(document: &mut Value, folder: Option<&Path>) -> Result<(), Diagnostic> {
    for keys in PATHS {
        let mut value = Some(&mut *document);
        for key in keys {
            value = value.and_then(|value| value.get_mut(key));
        }
        if let Some(Value::String(path)) = value
            && !(path == "system" && keys.ends_with(&["certificateAuthority"]))
        {
            let resolved = file::relative_to(folder, path)
                .map_err(|error| error.at_key(format!("`{}`", keys.join("."))))?;
            *path = resolved.to_string_lossy().into_owned();
        }
    }
    Ok(())
}

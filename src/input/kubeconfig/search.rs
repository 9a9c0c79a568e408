//! Where kubeconfigs are looked for: a named file, `$KUBECONFIG`'s list, or `~/.kube/config`.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::input::file::Source;
use crate::text::shown_path;

/// What is to be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Search {
    /// The one that the values file or a flag names.
    Named(Source),
    /// The list in `$KUBECONFIG`; missing ones are passed over.
    List(OsString),
    /// `~/.kube/config`.
    Home(PathBuf),
}

impl Search {
    /// The default, from the environment.
    ///
    /// # Errors
    /// Where neither `KUBECONFIG` nor `HOME` is set.
    pub fn from_environment() -> Result<Self> {
        if let Some(list) = std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
            return Ok(Self::List(list));
        }
        match std::env::var_os("HOME").filter(|home| !home.is_empty()) {
            Some(home) => Ok(Self::Home(PathBuf::from(home).join(".kube/config"))),
            None => {
                bail!(
                    "failed to find a kubeconfig: none is named, and neither `KUBECONFIG` nor `HOME` is set; {WAYS}"
                )
            }
        }
    }

    /// Whether what it leads to can be read at once: no standard input, pipe or device.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Named(source) => source.is_lasting(),
            Self::Home(path) => path.is_file(),
            Self::List(list) => std::env::split_paths(list)
                .filter(|path| path.exists())
                .all(|path| path.is_file()),
        }
    }

    /// The bytes of each kubeconfig, in order.
    ///
    /// # Errors
    /// Where a named one, or all of a list, can't be read.
    pub fn read(&self, notes: &mut Vec<String>) -> Result<Vec<(Source, Vec<u8>)>> {
        match self {
            Self::Named(source) => {
                let bytes = source.read().with_context(|| {
                    format!(
                        "failed to read the kubeconfig {source}{}",
                        path_hint(source)
                    )
                })?;
                Ok(vec![(source.clone(), bytes)])
            }
            Self::Home(path) => {
                let source = Source::Path(path.clone());
                let bytes = source.read().with_context(|| {
                    format!("failed to read the default kubeconfig {source}; {WAYS}")
                })?;
                Ok(vec![(source, bytes)])
            }
            Self::List(list) => read_list(list, notes),
        }
    }
}

const WAYS: &str =
    "name one by `--kubeconfig`, by `KUBECONFIG`, or in a values file by `kubeconfig.path`";

/// What people try: `--kubeconfig` takes one file, not a list as `KUBECONFIG` does.
fn path_hint(source: &Source) -> &'static str {
    match source {
        Source::Path(path) if path.starts_with("~") => {
            " (`~` is for the shell, which leaves it where it is quoted)"
        }
        Source::Path(path) if path.as_os_str().as_encoded_bytes().contains(&b':') => {
            " (a list of files separated by `:` belongs in the environment variable `KUBECONFIG`)"
        }
        _ => "",
    }
}

fn read_list(list: &OsStr, notes: &mut Vec<String>) -> Result<Vec<(Source, Vec<u8>)>> {
    // Where a variable of that name holds the content, as in some CI systems, its parts between
    // colons would be shown as paths.
    if is_content(list) {
        bail!(
            "failed to find a kubeconfig: `KUBECONFIG` holds a kubeconfig's content, and paths are expected: write it to a file, or pipe it to `--kubeconfig -`"
        );
    }
    let mut read = Vec::new();
    let mut paths: Vec<PathBuf> = Vec::new();
    for path in std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        bail!("failed to find a kubeconfig: `KUBECONFIG` holds separators only; {WAYS}");
    }
    let mut missing = Vec::new();
    for path in paths {
        let source = Source::Path(path.clone());
        match source.read() {
            Ok(bytes) => read.push((source, bytes)),
            Err(error) if is_not_found(&error) => missing.push(path),
            Err(error) => {
                return Err(error.context(format!(
                    "failed to read the kubeconfig {source} of the list in `KUBECONFIG`"
                )));
            }
        }
    }
    if read.is_empty() {
        let missing: Vec<String> = missing
            .iter()
            .map(|path| shown_path(path).to_string())
            .collect();
        bail!(
            "failed to find a kubeconfig: none of those in `KUBECONFIG` exists ({})",
            missing.join(", ")
        );
    }
    for path in missing {
        notes.push(format!(
            "the kubeconfig {} of the list in `KUBECONFIG` does not exist and is passed over",
            shown_path(&path)
        ));
    }
    Ok(read)
}

/// Whether a text is a kubeconfig rather than paths, also where its line breaks got lost.
fn is_content(list: &OsStr) -> bool {
    let text = list.to_string_lossy();
    let begins = text.trim_start();
    ["{", "---"].iter().any(|start| begins.starts_with(start))
        || ["\n", ": ", "\":", "apiVersion"]
            .iter()
            .any(|part| text.contains(part))
}

fn is_not_found(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::NotFound)
}

//! Secrets: where they come from, and how they are kept.
//!
//! A secret is read when a side that needs it is rendered, and not otherwise.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};
use secrecy::{ExposeSecret, SecretString};

use super::file::{Source, decode};
use super::place::{PathKey, Place};
use super::values::{SecretSource, SecretValue};
use super::words::is_like_a_secret;
use crate::text::{shown, shown_path};

/// A secret and whether the values file holds it in the clear. Its `Debug` form is redacted.
#[derive(Clone, Debug)]
pub struct Secret {
    text: SecretString,
    /// Whether the values file itself holds the secret, so that rendering it beside the values
    /// file gives nothing away.
    pub in_values: bool,
}

impl Secret {
    /// A secret that the values file holds.
    pub fn in_values(text: SecretString) -> Self {
        Self {
            text,
            in_values: true,
        }
    }

    /// A secret that was read from elsewhere.
    pub fn from_elsewhere(text: String) -> Self {
        Self {
            text: text.into(),
            in_values: false,
        }
    }

    /// The secret itself, to be rendered and never to be shown.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }
}

/// Reads a secret of the values file; white space around one from a file or a variable is dropped,
/// as editors and `echo` leave a newline there.
///
/// # Errors
/// Where the place can't be read, or holds nothing.
pub fn read_value(value: &SecretValue, place: &Place, key: PathKey) -> Result<Secret> {
    match value {
        SecretValue::Literal(text) => Ok(Secret::in_values(text.clone())),
        SecretValue::From(source) => read_source(source, place, key),
    }
}

/// Reads a secret that the values file points to.
///
/// # Errors
/// Where the place can't be read, or holds nothing.
pub fn read_source(source: &SecretSource, place: &Place, key: PathKey) -> Result<Secret> {
    match source {
        SecretSource::Env(name) => read_variable(name),
        SecretSource::File(path) => {
            if path.is_empty() {
                bail!("the path of `file` is empty");
            }
            let path = place.resolve(key, path)?;
            let what = match may_be_secret(&path) {
                true => format!(
                    "the file that {} names, whose path is not shown since it may be the secret itself",
                    shown(&key.to_string())
                ),
                false => shown_path(&path).to_string(),
            };
            read(&Source::Path(path), &what)
        }
    }
}

/// Reads a secret from a file or from standard input.
///
/// # Errors
/// Where it can't be read, isn't text, or holds nothing.
pub fn read_file(source: &Source) -> Result<Secret> {
    read(source, &source.to_string())
}

fn read(source: &Source, what: &str) -> Result<Secret> {
    let text = source
        .read()
        .and_then(decode)
        .with_context(|| format!("failed to read {what}"))?;
    not_empty(text).with_context(|| {
        format!("{what} holds nothing but white space: what was to write it there may have failed")
    })
}

/// Whether what stands in the place of a secret's path may be the secret itself, and isn't shown then:
/// nothing is there, and neither is its folder, as a key may have slashes; or its last part is like a
/// secret, without the ending of a file.
pub fn may_be_secret(path: &Path) -> bool {
    let error = path.symlink_metadata().err();
    if error.is_none_or(|error| error.kind() == ErrorKind::PermissionDenied) {
        return false;
    }
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    folder.is_some_and(|folder| !folder.is_dir()) || (is_like_a_secret(&name) && !has_ending(&name))
}

/// Whether a name ends as those of files do: a token may have a dot too, with much behind it.
fn has_ending(name: &str) -> bool {
    const LONGEST: usize = 10;
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| (1..=LONGEST).contains(&ending.len()))
}

fn read_variable(name: &str) -> Result<Secret> {
    if name.is_empty() || name.contains(['=', '\0']) {
        bail!("`env` is not the name of an environment variable: expected a word without `=`");
    }
    let Some(value) = std::env::var_os(name) else {
        if !is_identifier(name) {
            bail!(
                "no environment variable is named as `env` says, which is not shown since it may be the secret itself: expected the name of a variable that is set"
            );
        }
        bail!("the environment variable {} is not set", shown(name));
    };
    // The error of `into_string` holds the value, so it is dropped.
    let Ok(text) = value.into_string() else {
        bail!("the environment variable {} is not UTF-8 text", shown(name));
    };
    not_empty(text).with_context(|| format!("the environment variable {} is empty", shown(name)))
}

/// Whether it is a word as variables are named by; a secret in a name's place seldom is.
pub fn is_identifier(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

fn not_empty(text: String) -> Option<Secret> {
    let trimmed = text.trim_ascii();
    (!trimmed.is_empty()).then(|| Secret::from_elsewhere(trimmed.to_owned()))
}

//! Where the values of one cluster stand: for messages, and for the paths in them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};

use super::file::Source;
use crate::placeholder::placeholder_of_path;

/// The place of one cluster's values. Its `Display` form is for messages.
#[derive(Clone, Debug)]
pub struct Place {
    /// The values file.
    pub source: Arc<Source>,
    /// Which of the file's documents it is, counted from 1, where the file has several.
    pub document: Option<usize>,
    /// The file of the defaults, and the keys with a path that come from it.
    pub defaults: Option<(Arc<Source>, Vec<PathKey>)>,
}

/// A key of the values whose value is a path, relative to the file that it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKey {
    /// `kubeconfig.path`
    Kubeconfig,
    /// `kubeconfig.certificateAuthority`
    CertificateAuthority,
    /// `token.file`
    Token,
    /// `storage.credentials.accessKeyId.file`
    AccessKeyId,
    /// `storage.credentials.secretAccessKey.file`
    SecretAccessKey,
}

impl PathKey {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Kubeconfig,
        Self::CertificateAuthority,
        Self::Token,
        Self::AccessKeyId,
        Self::SecretAccessKey,
    ];

    /// The keys that lead to it.
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Kubeconfig => &["kubeconfig", "path"],
            Self::CertificateAuthority => &["kubeconfig", "certificateAuthority"],
            Self::Token => &["token", "file"],
            Self::AccessKeyId => &["storage", "credentials", "accessKeyId", "file"],
            Self::SecretAccessKey => &["storage", "credentials", "secretAccessKey", "file"],
        }
    }
}

impl fmt::Display for PathKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.keys().join("."))
    }
}

impl Place {
    /// A whole file, without defaults.
    pub fn of(source: Source) -> Self {
        Self {
            source: Arc::new(source),
            document: None,
            defaults: None,
        }
    }

    /// Resolves a path by the file that it stands in.
    ///
    /// # Errors
    /// Where the path is relative and stands in standard input, which has no folder, or is still a
    /// placeholder.
    pub fn resolve(&self, key: PathKey, path: &str) -> Result<PathBuf> {
        if let Some(form) = placeholder_of_path(path) {
            bail!("it is or holds a placeholder, `{form}`; put the real path there");
        }
        match &self.defaults {
            Some((defaults, keys)) if keys.contains(&key) => defaults.resolve(path),
            _ => self.source.resolve(path),
        }
    }

    /// What fails where a value can't be used, which may come from the defaults as well.
    pub fn failed_to_use(&self) -> String {
        let defaults = match &self.defaults {
            Some((defaults, _)) => format!(" with the defaults {defaults}"),
            None => String::new(),
        };
        format!("failed to use the values file {self}{defaults}")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)?;
        match self.document {
            Some(number) => write!(f, ", document {number}"),
            None => Ok(()),
        }
    }
}

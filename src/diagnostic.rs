//! Errors, findings and notes: one form, one printer.
//!
//! A *finding* is something that is legal and hardly meant; it has a [`Code`] by which a values file
//! can accept it.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::show::{plain, shorten};

/// How much a diagnostic weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is rendered.
    Error,
    /// Rendered all the same; an error with `--strict`.
    Warning,
    /// For information.
    Note,
}

/// The code of a finding, as `allow` lists it. README.md lists what each means.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    // Errors, for what would surely fail.
    LoopbackServer,
    LoopbackStorage,
    TlsServerName,
    LeafWithoutSan,
    TokenWrongSubject,
    TokenNotJwt,
    TokenExpired,
    StorageSchemeMismatch,
    UnresolvedSecret,
    DuplicateEndpoint,
    // Warnings, for what may be meant.
    KeysNotInPods,
    UnusualEnv,
    LocalNameServer,
    UnusualServer,
    ProxyIgnored,
    GkeDnsEndpoint,
    CaNotACa,
    CaX509V1,
    CaExpired,
    CaOneExpired,
    CaNotYetValid,
    CaTooLargeForApply,
    CaOfProxy,
    UnpinnedContext,
    ShadowedEntry,
    TokenExpires,
    TokenSecretNotCurrent,
}

impl Code {
    fn severity(self) -> Severity {
        if self <= Self::DuplicateEndpoint { Severity::Error } else { Severity::Warning }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The place that a diagnostic is about.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Name of the compute cluster.
    pub cluster: Option<String>,
    /// Path of the file, as given.
    pub file: Option<String>,
    /// Line in it, or line and column, counted from 1: `3` or `3:14`.
    pub line: Option<String>,
    /// Key in it.
    pub key: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line.as_ref().map(|line| format!(":{line}")).unwrap_or_default();
        let file = self.file.as_deref().map(|file| plain(file) + &line);
        let parts = [self.cluster.as_deref().map(plain), file, self.key.clone()];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join(": "))
    }
}

/// An error, a finding or a note.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// How much it weighs.
    pub severity: Severity,
    /// Its code, for a finding.
    pub code: Option<Code>,
    /// One sentence without a full stop. It never holds a secret.
    pub message: String,
    /// Where.
    pub place: Box<Place>,
    /// What to do, one thing each.
    pub helps: Vec<String>,
}

impl Diagnostic {
    /// An error that can't be accepted.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: None,
            message: message.into(),
            place: Box::default(),
            helps: Vec::new(),
        }
    }

    /// A finding.
    pub fn finding(code: Code, message: impl Into<String>) -> Self {
        Self { severity: code.severity(), code: Some(code), ..Self::error(message) }
    }

    /// A note.
    pub fn note(message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(message) }
    }

    /// Adds a help.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.helps.push(help.into());
        self
    }

    /// Sets the file, unless it is known already.
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.place.file.get_or_insert_with(|| file.into());
        self
    }

    /// Sets the line.
    pub fn on_line(mut self, line: Option<String>) -> Self {
        self.place.line = line;
        self
    }

    /// Sets the key, unless it is known already.
    pub fn at_key(mut self, key: impl Into<String>) -> Self {
        self.place.key.get_or_insert_with(|| key.into());
        self
    }

    /// Sets the cluster, unless it is known already.
    pub fn of_cluster(mut self, cluster: impl Into<String>) -> Self {
        self.place.cluster.get_or_insert_with(|| cluster.into());
        self
    }

    /// Sets what isn't known of the place: the file and key only together, since they belong together.
    pub fn at(mut self, place: &Place) -> Self {
        let cluster = self.place.cluster.take().or_else(|| place.cluster.clone());
        if self.place.file.is_none() && self.place.key.is_none() {
            *self.place = place.clone();
        }
        self.place.cluster = cluster;
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl From<anyhow::Error> for Diagnostic {
    fn from(error: anyhow::Error) -> Self {
        error.downcast().unwrap_or_else(|error| Self::error(format!("{error:#}")))
    }
}

/// Prints diagnostics; the same one about several places once, with all of the places.
///
/// # Errors
/// Where `out` can't be written.
pub fn print(out: &mut dyn Write, diagnostics: &[Diagnostic]) -> io::Result<()> {
    let mut groups: Vec<(&Diagnostic, Vec<String>)> = Vec::new();
    let mut known = HashMap::new();
    for diagnostic in diagnostics {
        let place = diagnostic.place.to_string();
        let index = *known.entry((&diagnostic.message, &diagnostic.helps)).or_insert(groups.len());
        match groups.get_mut(index) {
            Some((_, places)) if places.last() == Some(&place) => {}
            Some((_, places)) => places.push(place),
            None => groups.push((diagnostic, vec![place])),
        }
    }
    for (diagnostic, places) in groups {
        let (label, colour) = match diagnostic.severity {
            Severity::Error => ("error", "\x1b[1;31m"),
            Severity::Warning => ("warning", "\x1b[1;33m"),
            Severity::Note => ("note", "\x1b[1;36m"),
        };
        let code = diagnostic.code.map(|code| format!("[{code}]")).unwrap_or_default();
        writeln!(out, "{colour}{label}{code}\x1b[0m: {}", diagnostic.message)?;
        for place in shorten(places).iter().filter(|place| !place.is_empty()) {
            writeln!(out, "  --> {place}")?;
        }
        for help in &diagnostic.helps {
            writeln!(out, "  help: {help}")?;
        }
        if let Some(code) = diagnostic.code {
            writeln!(out, "  help: to accept it, add `{code}` to `allow`")?;
        }
    }
    Ok(())
}

//! The one form of errors, findings and notes, and its printer.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};

use crate::findings::Code;
pub use crate::findings::Severity;
use crate::show::{safe, shorten};

/// The place that a diagnostic is about.
#[derive(Clone, Debug, Default)]
pub struct Place {
    pub cluster: Option<String>,
    pub file: Option<String>,
    /// Line, or line and column, counted from 1: `3` or `3:14`.
    pub line: Option<String>,
    /// Key in the file, such as `storage.endpoint`, or a flag.
    pub key: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line.as_ref().map(|line| format!(":{line}")).unwrap_or_default();
        let file = self.file.as_ref().map(|file| format!("{file}{line}"));
        let parts = [self.cluster.clone(), file, self.key.clone()];
        let parts: Vec<String> = parts.into_iter().flatten().map(|part| safe(&part)).collect();
        f.write_str(&parts.join(": "))
    }
}

/// An error, a finding or a note.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Errors make the exit code 2.
    pub severity: Severity,
    /// Only findings have one.
    pub code: Option<Code>,
    /// One sentence without a full stop. It never holds a secret.
    pub message: String,
    /// Its known parts are printed after `-->`.
    pub place: Box<Place>,
    pub helps: Vec<String>,
}

impl Diagnostic {
    /// Creates an error that `allow` can't accept.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: None,
            message: message.into(),
            place: Box::default(),
            helps: Vec::new(),
        }
    }

    /// Creates a finding with the severity of its code.
    pub fn finding(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { severity: code.level(), code: Some(code), ..Self::error(message) }.help(help)
    }

    /// Creates a note, which never changes the exit code.
    pub fn note(message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(message) }
    }

    /// Adds a next step.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.helps.push(help.into());
        self
    }

    /// Sets the file, if it isn't set.
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.place.file.get_or_insert_with(|| file.into());
        self
    }

    /// Sets or replaces the line.
    pub fn on_line(mut self, line: Option<String>) -> Self {
        self.place.line = line;
        self
    }

    /// Sets the key, if it isn't set.
    pub fn at_key(mut self, key: impl Into<String>) -> Self {
        self.place.key.get_or_insert_with(|| key.into());
        self
    }

    /// Sets the cluster, if it isn't set.
    pub fn of_cluster(mut self, cluster: impl Into<String>) -> Self {
        self.place.cluster.get_or_insert_with(|| cluster.into());
        self
    }

    /// Sets the cluster, if it isn't set, and the rest of the place if it has neither file nor key.
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
        let kind = error.root_cause().downcast_ref::<io::Error>().map(io::Error::kind);
        let diagnostic = error.downcast().unwrap_or_else(|error| Self::error(format!("{error:#}")));
        match kind {
            Some(io::ErrorKind::PermissionDenied) => {
                diagnostic.help("check the owner and mode of the folder, or choose another one")
            }
            _ => diagnostic,
        }
    }
}

/// The diagnostics of a run, in print order.
#[derive(Debug, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Returns the values, and keeps the errors.
    pub fn keep<T>(&mut self, results: Vec<Result<T, Diagnostic>>) -> Vec<T> {
        results.into_iter().filter_map(|it| it.map_err(|error| self.0.push(error)).ok()).collect()
    }

    /// Returns the value of a later step. Fails with all of these and its error.
    pub fn or_fail<T>(&mut self, result: Result<T, impl Into<Diagnostic>>) -> Result<T, Self> {
        result.map_err(|error| {
            self.0.push(error.into());
            std::mem::take(self)
        })
    }

    /// Turns warnings into errors, for `--strict`.
    pub fn make_strict(&mut self) {
        for diagnostic in &mut self.0 {
            if diagnostic.severity == Severity::Warning {
                diagnostic.severity = Severity::Error;
            }
        }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl From<anyhow::Error> for Diagnostics {
    fn from(error: anyhow::Error) -> Self {
        Diagnostic::from(error).into()
    }
}

/// Prints diagnostics with ANSI colours. The clusters of a fleet often share a mistake, so a repeated diagnostic is
/// printed once, with all of its places. Fails if `out` can't be written.
pub fn print(out: &mut dyn Write, diagnostics: &Diagnostics) -> io::Result<()> {
    let mut groups: Vec<(&Diagnostic, Vec<String>)> = Vec::new();
    let mut known = HashMap::new();
    for diagnostic in &diagnostics.0 {
        let place = diagnostic.place.to_string();
        let key = (diagnostic.severity as u8, &diagnostic.message, &diagnostic.helps);
        let index = *known.entry(key).or_insert(groups.len());
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

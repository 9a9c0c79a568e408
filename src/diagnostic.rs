//! Errors, findings and notes: one form, one printer.
//!
//! A *finding* is something that is legal and hardly meant; it has a [`Code`] by which a values file
//! can accept it.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a diagnostic weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Nothing is rendered.
    Error,
    /// Rendered all the same; an error with `--strict`.
    Warning,
    /// For information.
    Note,
}

/// The code of a finding, as `allow` lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "README.md lists them with their meaning")]
pub enum Code {
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
    /// An error for what would surely fail, a warning for what may be meant.
    pub fn severity(self) -> Severity {
        match self {
            Self::LoopbackServer
            | Self::LoopbackStorage
            | Self::TlsServerName
            | Self::LeafWithoutSan
            | Self::TokenWrongSubject
            | Self::TokenNotJwt
            | Self::TokenExpired
            | Self::StorageSchemeMismatch
            | Self::UnresolvedSecret
            | Self::DuplicateEndpoint => Severity::Error,
            _ => Severity::Warning,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Where something is wrong: what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// Name of the compute cluster.
    pub cluster: Option<String>,
    /// Path of the file, as given.
    pub file: Option<String>,
    /// Line in it, counted from 1.
    pub line: Option<usize>,
    /// Key in it.
    pub key: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = match (&self.file, self.line) {
            (Some(file), Some(line)) => Some(format!("{}:{line}", plain(file))),
            (Some(file), None) => Some(plain(file)),
            (None, _) => None,
        };
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
        Self::new(Severity::Error, None, message.into())
    }

    /// A finding.
    pub fn finding(code: Code, message: impl Into<String>) -> Self {
        Self::new(code.severity(), Some(code), message.into())
    }

    /// A note.
    pub fn note(message: impl Into<String>) -> Self {
        Self::new(Severity::Note, None, message.into())
    }

    fn new(severity: Severity, code: Option<Code>, message: String) -> Self {
        Self {
            severity,
            code,
            message,
            place: Box::default(),
            helps: Vec::new(),
        }
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
    pub fn on_line(mut self, line: Option<usize>) -> Self {
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
        if self.place.file.is_none() && self.place.key.is_none() {
            self.place.file.clone_from(&place.file);
            self.place.key.clone_from(&place.key);
            self.place.line = place.line;
        }
        if self.place.cluster.is_none() {
            self.place.cluster.clone_from(&place.cluster);
        }
        self
    }

    /// Whether nothing may be rendered because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
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
        error
            .downcast()
            .unwrap_or_else(|error| Self::error(format!("{error:#}")))
    }
}

/// The longest list that is printed in full.
const MOST_LISTED: usize = 20;
/// The longest name that is printed in full, in characters.
const LONGEST_NAME: usize = 100;

/// Prints diagnostics; the same one about several places once, with all of the places.
///
/// # Errors
/// Where `out` can't be written.
pub fn print(out: &mut dyn Write, diagnostics: &[Diagnostic]) -> io::Result<()> {
    let mut groups: Vec<(&Diagnostic, Vec<&Place>)> = Vec::new();
    let mut known = HashMap::new();
    for diagnostic in diagnostics {
        let identity = (diagnostic.code, &diagnostic.message, &diagnostic.helps);
        let index = *known.entry(identity).or_insert(groups.len());
        match groups.get_mut(index) {
            Some((_, places)) if places.contains(&&*diagnostic.place) => {}
            Some((_, places)) => places.push(&diagnostic.place),
            None => groups.push((diagnostic, vec![&diagnostic.place])),
        }
    }
    for (diagnostic, places) in groups {
        let (label, colour) = match diagnostic.severity {
            Severity::Error => ("error", "\x1b[1;31m"),
            Severity::Warning => ("warning", "\x1b[1;33m"),
            Severity::Note => ("note", "\x1b[1;36m"),
        };
        let code = diagnostic.code.map(|code| format!("[{code}]"));
        let code = code.unwrap_or_default();
        writeln!(out, "{colour}{label}{code}\x1b[0m: {}", diagnostic.message)?;
        let places = places.iter().map(ToString::to_string);
        let places: Vec<String> = places.filter(|place| !place.is_empty()).collect();
        for place in places.iter().take(MOST_LISTED) {
            writeln!(out, "  --> {place}")?;
        }
        if places.len() > MOST_LISTED {
            writeln!(
                out,
                "  --> and {} more",
                grouped(places.len() - MOST_LISTED)
            )?;
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

/// A name from the input in backticks, safe to print: shortened, control characters escaped.
pub fn shown(name: impl AsRef<str>) -> String {
    format!("`{}`", plain(name.as_ref()))
}

fn plain(name: &str) -> String {
    let mut text: String = name
        .chars()
        .take(LONGEST_NAME)
        .flat_map(|character| match character {
            // The second kind turns text around or hides it.
            _ if character.is_control() => character.escape_default().collect::<Vec<_>>(),
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                character.escape_unicode().collect()
            }
            _ => vec![character],
        })
        .collect();
    if name.chars().nth(LONGEST_NAME).is_some() {
        text.push('…');
    }
    text
}

/// Names from the input as a list, its end left out where it is long.
pub fn list<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(shown).collect();
    let listed = names.iter().take(MOST_LISTED);
    let mut text = listed.cloned().collect::<Vec<_>>().join(", ");
    if names.len() > MOST_LISTED {
        text.push_str(&format!(" and {} more", grouped(names.len() - MOST_LISTED)));
    }
    text
}

/// `1 file`, `1,200 files`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

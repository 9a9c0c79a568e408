//! Collecting what is wrong with a cluster.

use crate::diagnostic::Diagnostic;
use crate::values::Cluster;

/// Collects what is wrong, each with its place.
pub struct Checks<'a> {
    /// The values that the diagnostics are about.
    pub cluster: &'a Cluster,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checks<'_> {
    /// The value of a result; its error belongs to a key of the values.
    pub fn take<T>(&mut self, key: &str, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|error| self.push(key, error)).ok()
    }

    /// Adds a diagnostic about a key of the values.
    pub fn push(&mut self, key: &str, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic.at(&self.cluster.place(key)));
    }
}

//! Collecting the diagnostics about a cluster.

use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::values::MergedValues;

/// Collects diagnostics, each with its place.
pub struct Checks<'a> {
    pub cluster: &'a MergedValues,
    pub diagnostics: Diagnostics,
}

impl Checks<'_> {
    /// Returns a result's value, or collects its error as one about a key of the values.
    pub fn take<T>(&mut self, key: &str, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|error| self.push(key, error)).ok()
    }

    /// Adds a diagnostic about a key of the values.
    pub fn push(&mut self, key: &str, diagnostic: Diagnostic) {
        self.diagnostics.0.push(diagnostic.at(&self.cluster.place(key)));
    }

    /// Adds a diagnostic about a place in another file, such as the kubeconfig.
    pub fn push_at(&mut self, place: &Place, diagnostic: Diagnostic) {
        self.push("name", diagnostic.at(place));
    }
}

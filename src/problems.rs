//! Everything that is wrong, as one run says it: not the first problem alone.

use anyhow::{Error, Result};

/// Problems that were found, in the order in which they are told.
#[derive(Debug, Default)]
pub struct Problems(Vec<Error>);

impl Problems {
    /// Takes the value out of a result, or notes what is wrong.
    pub fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Notes one more.
    pub fn push(&mut self, problem: Error) {
        self.0.push(problem);
    }

    /// Notes others.
    pub fn append(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        self.0.iter()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Error> for Problems {
    fn from(problem: Error) -> Self {
        Self(vec![problem])
    }
}

impl IntoIterator for Problems {
    type Item = Error;
    type IntoIter = std::vec::IntoIter<Error>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

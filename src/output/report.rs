//! What is said to the user beside the data: errors, findings and notes, on standard error.

use std::io::Write;

use crate::registration::finding::Finding;

const ERROR: &str = "\x1b[1;31m";
const WARNING: &str = "\x1b[1;33m";
const NOTE: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// Writes messages. The writer behind it removes the colours where they aren't wanted.
///
/// A message that can't be written is dropped: there is nowhere left to say so.
pub struct Report<'a>(&'a mut dyn Write);

impl<'a> Report<'a> {
    /// A report on the given writer, which is to be standard error.
    pub fn new(writer: &'a mut dyn Write) -> Self {
        Self(writer)
    }

    /// An error with its causes, each on its own line.
    pub fn error(&mut self, error: &anyhow::Error) {
        let mut causes = error.chain();
        let first = causes.next().map(ToString::to_string).unwrap_or_default();
        self.say(ERROR, "error", &first);
        for cause in causes {
            self.line(&format!("caused by: {cause}"));
        }
    }

    /// A finding that ends the run.
    pub fn denied(&mut self, finding: &Finding) {
        self.say(ERROR, &format!("error[{}]", finding.code), &finding.text);
    }

    /// A finding that doesn't.
    pub fn warning(&mut self, finding: &Finding) {
        self.say(
            WARNING,
            &format!("warning[{}]", finding.code),
            &finding.text,
        );
    }

    /// Something to know.
    pub fn note(&mut self, text: &str) {
        self.say(NOTE, "note", text);
    }

    /// A line without a mark.
    pub fn line(&mut self, text: &str) {
        drop(writeln!(self.0, "{text}"));
    }

    fn say(&mut self, colour: &str, mark: &str, text: &str) {
        drop(writeln!(self.0, "{colour}{mark}{PLAIN}: {text}"));
    }
}

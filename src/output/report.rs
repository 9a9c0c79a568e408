//! What is said to the user beside the data: errors, findings and notes, on standard error.

use std::io::Write;

use textwrap::{Options, WordSplitter, WrapAlgorithm};

use crate::registration::finding::Finding;

/// An error's colour, as an escape sequence of a terminal.
pub const ERROR: &str = "\x1b[1;31m";
/// A warning's.
pub const WARNING: &str = "\x1b[1;33m";
/// That of what stands out otherwise.
pub const NOTE: &str = "\x1b[1m";
/// Ends a colour.
pub const PLAIN: &str = "\x1b[0m";

/// Writes messages. The writer behind it removes the colours where they aren't wanted.
///
/// A message that can't be written is dropped: there is nowhere left to say so.
pub struct Report<'a> {
    writer: &'a mut dyn Write,
    width: Option<u16>,
}

impl<'a> Report<'a> {
    /// A report on the given writer, which is to be standard error, wrapped between words where that is
    /// a terminal of the given width.
    pub fn new(writer: &'a mut dyn Write, width: Option<u16>) -> Self {
        Self { writer, width }
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
        let text = match self.width {
            Some(width) => textwrap::fill(text, wrapping(width.into())),
            None => text.to_owned(),
        };
        drop(writeln!(self.writer, "{text}"));
    }

    fn say(&mut self, colour: &str, mark: &str, text: &str) {
        self.line(&format!("{colour}{mark}{PLAIN}: {text}"));
    }
}

/// Words stay whole, so that a path can be copied.
fn wrapping(width: usize) -> Options<'static> {
    Options::new(width)
        .subsequent_indent("  ")
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_whole_words() {
        let said = |width| {
            let mut bytes = Vec::new();
            let error = anyhow::anyhow!("the second cause")
                .context("failed to read `/a/long/path/to/a/file`");
            Report::new(&mut bytes, width).error(&error);
            String::from_utf8(bytes).unwrap()
        };
        let error = format!("{ERROR}error{PLAIN}: failed");
        assert_eq!(
            said(None),
            format!("{error} to read `/a/long/path/to/a/file`\ncaused by: the second cause\n")
        );
        // What acts on the terminal takes no room.
        assert_eq!(
            said(Some(16)),
            format!(
                "{error} to\n  read\n  `/a/long/path/to/a/file`\ncaused by: the\n  second cause\n"
            )
        );
    }
}

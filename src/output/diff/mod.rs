//! What a render would change in a file: a unified diff that shows that a secret changes, and not
//! what to.
//!
//! Lines are compared as they are and shown masked. What is masked:
//!
//! - in the new text, what [`New::secrets`] names; in an object of kind Secret, everything below
//!   other keys than `apiVersion`, `kind`, `metadata`, `type` and `immutable`; the values of
//!   `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, a JSON Web Token and a PEM block anywhere.
//!   Where the text is such that a single line doesn't say what it means, so is all that follows.
//! - in an old file that may hold a secret anywhere, every line that the new text doesn't hold too,
//!   but for keys that are known to be none. Such a file says so in its header, holds what is masked
//!   in a new text, or can't be read as Kubernetes objects. Of other old files only comments.
//! - on both sides, lines that repeat what is masked in the new text, as it is or in base64.

mod line;
mod mask;
mod suspicion;
mod unified;
mod words;

use std::io;
use std::ops::Range;
use std::path::Path;

/// One file that differs.
pub struct FileDiff<'a> {
    /// Its path, as the user knows it.
    pub path: &'a Path,
    /// The file as it is; none where it is to be added.
    pub old: Option<Old<'a>>,
    /// The file as it would be; none where it is to be removed.
    pub new: Option<New<'a>>,
}

/// A file as it is. Nothing is expected of its content, which may have been changed by hand.
pub struct Old<'a> {
    /// Its content.
    pub bytes: &'a [u8],
    /// Whether its header says that it holds secrets.
    pub holds_secrets: bool,
}

/// A file as it would be.
pub struct New<'a> {
    /// Its content, header lines included.
    pub text: &'a str,
    /// Where in the text the scalars stand that hold secret material, with their quotes.
    pub secrets: &'a [Range<usize>],
    /// Whether it holds secrets at all. Where it does and none is located, every line may hold one.
    pub holds_secrets: bool,
}

/// Writes the diff of one file. Where the content is the same, as where only the file's mode
/// changes, that is one line that begins with `#`, which `patch` passes over.
///
/// # Errors
/// Where `out` can't be written to.
pub fn write(out: &mut dyn io::Write, diff: &FileDiff<'_>, colour: bool) -> io::Result<()> {
    let (old, new) = mask::lines(diff.old.as_ref(), diff.new.as_ref());
    let sides = unified::Sides {
        old: diff.old.is_some().then_some(old.as_slice()),
        new: diff.new.is_some().then_some(new.as_slice()),
    };
    unified::write(out, diff.path, &sides, colour)
}

#[cfg(test)]
mod tests;

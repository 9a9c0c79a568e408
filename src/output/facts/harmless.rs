//! Text from input, made fit to be shown.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::input::file::Source;
use crate::registration::server::mask_url;
use crate::text::{bare, could_be_path, holds_credential};

/// What stands for everything masked.
const MASK: &str = "***";

/// Text from input, unless it is a token or a key in the wrong place. It can't be made in another way
/// than by masking, so that no fact forgets to. For people it is shown with everything escaped that
/// could act on a terminal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Harmless(String);

impl Harmless {
    /// Masks a text.
    pub fn of(text: &str) -> Self {
        Self(match holds_credential(text) {
            true => MASK.to_owned(),
            false => text.to_owned(),
        })
    }

    /// Masks a URL, with what may be a credential in it.
    pub fn url(url: &str) -> Self {
        Self::of(&mask_url(url))
    }

    /// Masks a path, or what can't be one, as it may be a file's content.
    pub fn path(path: &Path) -> Self {
        match could_be_path(path) {
            true => Self::of(&path.to_string_lossy()),
            false => Self(MASK.to_owned()),
        }
    }

    /// Masks a file's path; standard input is `-`.
    pub fn source(source: &Source) -> Self {
        match source {
            Source::Path(path) => Self::path(path),
            Source::Stdin => Self("-".to_owned()),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Harmless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bare(&self.0))
    }
}

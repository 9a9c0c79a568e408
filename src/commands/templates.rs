//! `templates`: writes the built-in templates.

use std::path::Path;

use super::Outcome;
use crate::diagnostic::Diagnostic;
use crate::output;
use crate::render::BUILT_IN;
use crate::show::{count, shown_path};

/// Writes the templates to a folder. Never overwrites a file.
pub fn run(dir: &Path) -> Result<Outcome, Diagnostic> {
    if let Some((path, _)) = BUILT_IN.iter().find(|(path, _)| dir.join(path).exists()) {
        let message = format!("{} exists already", shown_path(&dir.join(path)));
        return Err(Diagnostic::error(message).help("choose an empty folder"));
    }
    for (path, text) in BUILT_IN {
        output::new_file(&dir.join(path), text)?;
    }
    let summary = format!("{} written to {}", count(BUILT_IN.len(), "template"), shown_path(dir));
    Ok(Outcome { summary: Some(summary), ..Outcome::default() })
}

//! `templates`: the built-in templates, to be changed.

use std::path::Path;

use anyhow::Result;

use super::{Outcome, Outside};
use crate::cli::TemplatesArgs;
use crate::output::files::{NewFile, write_new};
use crate::render::{GivenAway, given_away};
use crate::text::shown_path;

/// Writes the built-in templates.
///
/// # Errors
/// Where one of the files is there already or can't be written; then none is.
pub fn run(args: &TemplatesArgs, outside: &mut Outside<'_>) -> Result<Outcome> {
    let new_file = |template: GivenAway| {
        let GivenAway {
            side,
            file_name,
            text,
        } = template;
        let path = Path::new(side.folder()).join(file_name);
        NewFile { path, text }
    };
    let files: Vec<NewFile> = given_away().into_iter().map(new_file).collect();
    write_new(&args.dir, &files)?;
    let root = shown_path(&args.dir);
    outside
        .report
        .line(&format!("{root}: {} templates written", files.len()));
    Ok(Outcome::Done)
}

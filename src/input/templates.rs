//! A user's own templates: the files of a folder, by the side that they belong to.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::file::{Source, decode};
use crate::side::Side;
use crate::text::shown_path;

/// What a template's file name ends in.
pub const SUFFIX: &str = ".yaml.j2";

/// A template as it was read.
pub struct TemplateFile {
    /// The side that its manifest belongs to.
    pub side: Side,
    /// Its file name without the ending, `NN-…`.
    pub stem: String,
    /// Where it was read.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// Reads the templates of a folder, from its folders `compute` and `control-plane`.
///
/// # Errors
/// Where the folder can't be read, or holds a file that looks like a template and isn't named
/// like one.
pub fn read(folder: &Path) -> Result<Vec<TemplateFile>> {
    if !folder.is_dir() {
        let reason = if folder.exists() {
            "is not a folder"
        } else {
            "does not exist"
        };
        bail!("failed to read templates: {} {reason}", shown_path(folder));
    }
    let mut templates = Vec::new();
    let mut found = false;
    for side in Side::ALL {
        let folder = folder.join(side.folder());
        if !folder.exists() {
            continue;
        }
        found = true;
        for path in files(&folder)? {
            let template = read_file(side, &path)
                .with_context(|| format!("failed to read the template {}", shown_path(&path)))?;
            templates.push(template);
        }
    }
    if !found {
        bail!(
            "failed to read templates: {} has neither a folder `compute` nor a folder `control-plane`",
            shown_path(folder)
        );
    }
    Ok(templates)
}

fn read_file(side: Side, path: &Path) -> Result<TemplateFile> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some(stem) = name.strip_suffix(SUFFIX) else {
        bail!("its name does not end in `{SUFFIX}`");
    };
    let number_is_good = stem.split_once('-').is_some_and(|(number, _)| {
        number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    if !number_is_good {
        bail!(
            "its name does not begin with two digits and `-`, which decide about the order, as in `15-networkpolicy{SUFFIX}`"
        );
    }
    Ok(TemplateFile {
        side,
        stem: stem.to_owned(),
        path: path.to_owned(),
        text: decode(Source::Path(path.to_owned()).read()?)?,
    })
}

/// The files of a folder that look like templates, in order; hidden files and notes are let be.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let within = || format!("failed to read templates from {}", shown_path(folder));
    let mut paths = Vec::new();
    for entry in folder.read_dir().with_context(within)? {
        let path = entry.with_context(within)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let looks_like_one = [
            ".yaml", ".yml", ".j2", ".jinja", ".jinja2", ".json", ".tpl", ".tmpl",
        ]
        .iter()
        .any(|suffix| name.ends_with(suffix));
        if looks_like_one && !name.starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

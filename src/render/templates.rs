//! The templates of a run: the built-in ones, and the user's own in place of them or beside them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::Side;
use crate::show::shown;

macro_rules! built_in {
    ($($path:literal),* $(,)?) => {
        /// The built-in templates by their path.
        pub const BUILT_IN: &[(&str, &str)] = &[
            $(($path, include_str!(concat!("../../templates/", $path)))),*
        ];
    };
}

built_in![
    "metadata.yaml.j2",
    "compute/10-serviceaccount.yaml.j2",
    "compute/20-clusterrole.yaml.j2",
    "compute/20-role.yaml.j2",
    "compute/30-clusterrolebinding.yaml.j2",
    "compute/30-rolebinding.yaml.j2",
    "compute/40-configmap.yaml.j2",
    "compute/50-externalsecret-storage.yaml.j2",
    "compute/50-secret-storage.yaml.j2",
    "compute/60-secret-token.yaml.j2",
    "compute/70-pushsecret-token.yaml.j2",
    "control-plane/10-secret-ca.yaml.j2",
    "control-plane/20-externalsecret-token.yaml.j2",
    "control-plane/20-secret-token.yaml.j2",
    "control-plane/30-cluster.yaml.j2",
];

/// The templates of a run, by their path, such as `compute/40-configmap.yaml.j2`.
pub struct Templates {
    texts: BTreeMap<String, String>,
}

impl Templates {
    /// The built-in templates, those of a folder in place of them or beside them.
    ///
    /// # Errors
    /// Where the folder can't be read, or has a template that isn't named as one.
    pub fn read(folder: Option<&Path>) -> Result<Self> {
        let built_in = BUILT_IN.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        let mut texts: BTreeMap<String, String> = built_in.collect();
        let Some(folder) = folder else {
            return Ok(Self { texts });
        };
        let mut found = 0;
        for part in ["", Side::Compute.folder(), Side::ControlPlane.folder()] {
            let path = folder.join(part);
            if !part.is_empty() && !path.exists() {
                continue;
            }
            let failed =
                || format!("failed to read the templates in {}", shown(path.display().to_string()));
            for entry in fs::read_dir(&path).with_context(failed)? {
                let path = entry.with_context(failed)?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if !name.ends_with(".j2") {
                    continue;
                }
                let id = Path::new(part).join(&*name).to_string_lossy().into_owned();
                if !is_object(&id) && id != "metadata.yaml.j2" {
                    bail!(
                        "{} is not named as a template: expected `compute/NN-NAME.yaml.j2` or `control-plane/NN-NAME.yaml.j2`",
                        shown(path.display().to_string())
                    );
                }
                let text = fs::read_to_string(&path).with_context(failed)?;
                texts.insert(id, text);
                found += 1;
            }
        }
        if found == 0 {
            bail!("{} has no templates, `*.yaml.j2`", shown(folder.display().to_string()));
        }
        Ok(Self { texts })
    }

    /// Every template, by its path.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The paths of the templates that aren't built in, for one side.
    pub fn added(&self, side: Side) -> impl Iterator<Item = &str> {
        let is_built_in = |path: &str| BUILT_IN.iter().any(|(built_in, _)| *built_in == path);
        self.all().map(|(path, _)| path).filter(move |path| {
            path.starts_with(&format!("{}/", side.folder())) && !is_built_in(path)
        })
    }
}

/// Whether a path is that of an object's template: two digits in front sort it among the others.
fn is_object(path: &str) -> bool {
    let Some((_, name)) = path.split_once('/') else {
        return false;
    };
    let mut start = name.bytes();
    let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
    is_digit(start.next())
        && is_digit(start.next())
        && start.next() == Some(b'-')
        && name.ends_with(".yaml.j2")
}

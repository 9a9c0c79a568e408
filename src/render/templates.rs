//! The templates of a run: the built-in ones, and the user's own that replace or extend them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::Side;
use crate::diagnostic::Diagnostic;
use crate::input::file::entries;
use crate::show::shown_path;

macro_rules! built_in {
    ($($path:literal),* $(,)?) => {
        /// The path and text of each built-in template.
        pub const BUILT_IN: &[(&str, &str)] = &[
            $(($path, include_str!(concat!("../../templates/", $path)))),*
        ];
    };
}

built_in![
    "metadata.yaml.j2",
    "compute/10-serviceaccount.yaml.j2",
    "compute/11-serviceaccount-pods.yaml.j2",
    "compute/20-clusterrole.yaml.j2",
    "compute/20-role.yaml.j2",
    "compute/30-clusterrolebinding.yaml.j2",
    "compute/30-rolebinding.yaml.j2",
    "compute/40-configmap.yaml.j2",
    "compute/50-externalsecret-storage.yaml.j2",
    "compute/50-secret-storage.yaml.j2",
    "compute/51-externalsecret-collector.yaml.j2",
    "compute/51-secret-collector.yaml.j2",
    "compute/60-secret-token.yaml.j2",
    "compute/70-pushsecret-token.yaml.j2",
    "control-plane/10-secret-ca.yaml.j2",
    "control-plane/20-externalsecret-token.yaml.j2",
    "control-plane/20-secret-token.yaml.j2",
    "control-plane/30-cluster.yaml.j2",
];

/// The templates of a run, by their path, such as `compute/40-configmap.yaml.j2`.
pub struct Templates {
    by_path: BTreeMap<String, Template>,
}

pub struct Template {
    pub text: String,
    /// `None` for a built-in one.
    file: Option<String>,
}

impl Templates {
    /// Reads the templates of a folder over the built-in ones. Fails if the folder can't be read, has no templates,
    /// or has YAML that isn't named as a template.
    pub fn read(folder: Option<&Path>) -> Result<Self> {
        let built_in = BUILT_IN.iter().map(|(path, text)| {
            ((*path).to_owned(), Template { text: (*text).to_owned(), file: None })
        });
        let mut templates = Self { by_path: built_in.collect() };
        if let Some(folder) = folder {
            templates.add(folder, "")?;
            if templates.by_path.values().all(|template| template.file.is_none()) {
                let error = Diagnostic::error("the folder has no templates");
                let error = error.in_file(folder.display().to_string());
                bail!(error.help("begin with `ma-register templates DIR`"));
            }
        }
        Ok(templates)
    }

    fn add(&mut self, folder: &Path, part: &str) -> Result<()> {
        let path = folder.join(part);
        let failed = || format!("failed to read the templates in {}", shown_path(folder));
        for path in entries(&path).with_context(failed)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && part.is_empty() && !name.starts_with('.') {
                self.add(folder, &name)?;
                continue;
            }
            if ![".j2", ".yaml", ".yml"].iter().any(|end| name.ends_with(end)) {
                continue;
            }
            let id = Path::new(part).join(&*name).to_string_lossy().into_owned();
            let file = path.display().to_string();
            if !is_object(&id) && id != "metadata.yaml.j2" {
                let error = Diagnostic::error("not named as a template").in_file(file);
                let help = "name it `compute/NN-NAME.yaml.j2` or `control-plane/NN-NAME.yaml.j2`";
                bail!(error.help(help));
            }
            let text = fs::read_to_string(&path)
                .with_context(|| format!("failed to read the template {}", shown_path(&path)))?;
            self.by_path.insert(id, Template { text, file: Some(file) });
        }
        Ok(())
    }

    /// Returns the path and template of each.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Template)> {
        self.by_path.iter().map(|(path, template)| (path.as_str(), template))
    }

    /// Returns the file of a template, for messages.
    pub fn file(&self, path: &str) -> String {
        let file = self.by_path.get(path).and_then(|template| template.file.clone());
        file.unwrap_or_else(|| format!("built-in template {path}"))
    }

    /// Returns the paths of one side's templates that aren't built in.
    pub fn added(&self, side: Side) -> impl Iterator<Item = &str> {
        let is_built_in = |path: &str| BUILT_IN.iter().any(|(built_in, _)| *built_in == path);
        self.all().map(|(path, _)| path).filter(move |path| {
            path.starts_with(&format!("{}/", side.folder())) && !is_built_in(path)
        })
    }
}

/// Whether a path is `SIDE/NN-NAME.yaml.j2`. The digits become part of the file name, where they order the objects.
fn is_object(path: &str) -> bool {
    let (folder, name) = path.split_once('/').unwrap_or_default();
    let is_of_side = [Side::Compute, Side::ControlPlane].iter().any(|side| side.folder() == folder);
    let is_numbered = matches!(name.as_bytes(), [b'0'..=b'9', b'0'..=b'9', b'-', ..]);
    is_of_side && is_numbered && name.ends_with(".yaml.j2")
}

//! Reads secrets from the environment variables and files that the values name.

use std::path::Path;

use super::{MergedValues, SecretForm, SecretSource};
use crate::diagnostic::Diagnostic;
use crate::input::{file, yaml};
use crate::secret::Secret;
use crate::show::shown;

impl MergedValues {
    /// Returns the secret at a key. Fails if it can't be read, with its place.
    pub fn secret(&self, key: &str, form: &SecretForm) -> Result<Secret, Diagnostic> {
        match form {
            SecretForm::Literal(secret) => Ok(secret.clone()),
            SecretForm::From(source) => self.secret_from(key, source),
        }
    }

    /// Reads the secret at a key from its source, without white space around it. Fails if it can't be read or is
    /// empty, with its place.
    pub fn secret_from(&self, key: &str, source: &SecretSource) -> Result<Secret, Diagnostic> {
        let secret = match source {
            SecretSource::Env(name) => read_variable(name),
            SecretSource::File(path) => {
                self.path(key, path).and_then(|path| read_secret_file(&path))
            }
        };
        secret.map_err(|error| error.at(&self.place(key)))
    }
}

fn read_variable(name: &str) -> Result<Secret, Diagnostic> {
    if let Ok(text) = std::env::var(name) {
        return trimmed(&text, &format!("the environment variable {}", shown(name)));
    }
    // It may be the secret itself.
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    if file::looks_like_token(name) || !name.chars().all(is_of_name) {
        let message = "not the name of an environment variable, but perhaps the secret itself";
        return Err(Diagnostic::error(message).help("write `{env: NAME}`"));
    }
    let message = format!("the environment variable {} is not set", shown(name));
    let error = Diagnostic::error(message);
    Err(match name.strip_prefix('$') {
        Some(name) => error.help(format!("write the name alone, {}", shown(name))),
        None => error,
    })
}

/// Reads a file that holds one secret. Fails if it can't be read or is empty.
pub fn read_secret_file(path: &Path) -> Result<Secret, Diagnostic> {
    let name = file::name(path);
    let text = yaml::decode(file::read(path)?).map_err(|error| error.in_file(&name))?;
    let source = if path == Path::new("-") { name } else { format!("the file {}", shown(name)) };
    trimmed(&text, &source)
}

fn trimmed(text: &str, source: &str) -> Result<Secret, Diagnostic> {
    let help = "check the step that sets it";
    // The control plane sends a token byte for byte: with a final newline, every request would fail.
    match text.trim() {
        "" => Err(Diagnostic::error(format!("{source} is empty")).help(help)),
        text => Ok(Secret::new(text)),
    }
}

//! Reading secrets from where the values say that they are.

use super::{SecretForm, SecretSource};
use crate::diagnostic::Diagnostic;
use crate::input::{file, yaml};
use crate::secret::Secret;
use crate::show::shown;

impl SecretForm {
    /// The secret.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn read(&self) -> Result<Secret, Diagnostic> {
        match self {
            Self::Literal(secret) => Ok(secret.clone()),
            Self::From(source) => source.read(),
        }
    }
}

impl SecretSource {
    /// The secret, without white space around it.
    ///
    /// # Errors
    /// Where it can't be read, or there is nothing.
    pub fn read(&self) -> Result<Secret, Diagnostic> {
        let (text, source) = match self {
            Self::Env(name) => {
                let text = std::env::var(name).map_err(|_| {
                    if file::looks_like_token(name) {
                        let message =
                            "that looks like a token, where a variable's name is expected";
                        return Diagnostic::error(message);
                    }
                    let message = format!("the environment variable {} is not set", shown(name));
                    let error = Diagnostic::error(message);
                    match name.strip_prefix('$') {
                        Some(name) => error.help(format!("write the name alone, {}", shown(name))),
                        None => error,
                    }
                })?;
                (text, format!("the environment variable {}", shown(name)))
            }
            Self::File(path) => {
                let name = match file::name(path) {
                    name if path.as_os_str() == "-" => name,
                    name => format!("the file {}", shown(name)),
                };
                (yaml::decode(file::read(path)?)?, name)
            }
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(Diagnostic::error(format!("{source} is empty"))
                .help("check the command that writes it"));
        }
        Ok(Secret::new(text))
    }
}

//! Runbooks: the procedure for one cluster as a bash script, from `templates/runbook`.

use anyhow::{Context as _, Result};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use serde::Serialize;

use crate::render::syntax;

/// What a script is made of.
#[derive(Debug, Serialize)]
pub struct Runbook {
    /// The cluster's name in the control plane.
    pub name: String,
    /// The arguments of `ma-register render`, but for the side and the token.
    pub render_args: Vec<String>,
    /// The arguments by which kubectl reaches the compute cluster.
    pub compute_kubectl: Vec<String>,
    /// The arguments by which kubectl reaches the control-plane cluster.
    pub control_plane_kubectl: Vec<String>,
    /// How the token gets to the control plane: `pipe`, `values`, `external` or `none`.
    pub token_source: &'static str,
    /// Names of the token Secrets; the last is the current one.
    pub token_secrets: Vec<String>,
    /// Name of the service account.
    pub service_account: String,
    /// How far its rights reach: `cluster` or `namespace`.
    pub scope: &'static str,
    /// What `aws-credentials` is: `own`, `external` or `none`.
    pub storage_secret: &'static str,
    /// Name of the PushSecret, for `external`.
    pub push_secret: String,
    /// Whether the compute cluster is gone.
    pub compute_gone: bool,
}

impl Runbook {
    /// The script that registers the cluster.
    ///
    /// # Errors
    /// Where a value can't be an argument of a shell's command.
    pub fn register(&self) -> Result<String> {
        self.script(include_str!("../templates/runbook/register.sh.j2"))
    }

    /// The script that removes the registration.
    ///
    /// # Errors
    /// As [`Runbook::register`].
    pub fn deregister(&self) -> Result<String> {
        self.script(include_str!("../templates/runbook/deregister.sh.j2"))
    }

    fn script(&self, template: &str) -> Result<String> {
        let mut environment = Environment::new();
        environment.set_syntax(syntax()?);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(quote);
        environment
            .render_str(template, Value::from(Serde(self)))
            .context("failed to write the script")
    }
}

/// Writes a value as one word of a shell's command.
fn quote(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = value.to_string();
    let word = shlex::try_quote(&text)
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "a name has a NUL character in it"))?;
    Ok(out.write_str(&word)?)
}

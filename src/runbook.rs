//! Runbooks: the procedure for one cluster as a bash script, from `templates/runbook`.

use anyhow::{Context as _, Result};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use serde::Serialize;

use crate::registration::Outline;
use crate::render::{Identity, Side, objects, syntax};
use crate::sources::TokenSource;

/// The contents of a script.
#[derive(Debug, Serialize)]
pub struct Runbook {
    name: String,
    service_account: String,
    token_secrets: Vec<String>,
    /// The arguments of `ma-register render`, aside from the side and the token.
    render_args: Vec<String>,
    /// The arguments with which kubectl reaches the compute cluster.
    compute_kubectl: Vec<String>,
    /// The arguments with which kubectl reaches the control-plane cluster.
    control_plane_kubectl: Vec<String>,
    /// How the token gets to the control plane: `pipe`, `values`, `external` or `none`.
    token: &'static str,
    compute_gone: bool,
    /// The objects of the compute side.
    compute: Vec<Target>,
    /// The objects of the control-plane side.
    control_plane: Vec<Target>,
}

/// An object as an argument of kubectl.
#[derive(Debug, Serialize)]
struct Target {
    kind: String,
    /// `KIND/NAME`
    resource: String,
    /// The flags that choose its namespace; none for a kind without one.
    namespace: Vec<String>,
    /// The Secret that an ExternalSecret makes.
    secret: Option<String>,
    /// Whether the kind is one of Kubernetes itself, so that every cluster has it.
    is_built_in: bool,
}

impl Target {
    fn new(identity: &Identity) -> Self {
        let resource = identity.resource();
        let namespace = identity.namespace.iter();
        Self {
            kind: identity.kind.clone(),
            namespace: namespace.flat_map(|name| ["-n".to_owned(), name.clone()]).collect(),
            secret: (identity.kind == "ExternalSecret")
                .then(|| format!("secret/{}", identity.name)),
            is_built_in: resource.split('/').next().is_some_and(|kind| !kind.contains('.')),
            resource,
        }
    }
}

impl Runbook {
    /// The runbook of a registration, for these arguments of `ma-register` and kubectl.
    pub fn new(
        outline: &Outline,
        render_args: Vec<String>,
        compute_kubectl: Vec<String>,
        control_plane_kubectl: Vec<String>,
        token: &TokenSource,
        compute_gone: bool,
    ) -> Self {
        let targets = |side| {
            let objects = objects(side, outline);
            objects.iter().map(|object| Target::new(&object.identity)).collect()
        };
        Self {
            name: outline.name.clone(),
            service_account: outline.service_account.name.clone(),
            token_secrets: outline.service_account.token_secrets.clone(),
            render_args,
            compute_kubectl,
            control_plane_kubectl,
            token: match token {
                TokenSource::Undecided | TokenSource::Flag(_) => "pipe",
                TokenSource::Values(_) => "values",
                TokenSource::ExternalSecret => "external",
                TokenSource::Elsewhere => "none",
            },
            compute_gone,
            compute: targets(Side::Compute),
            control_plane: targets(Side::ControlPlane),
        }
    }

    /// The script that registers the cluster.
    ///
    /// # Errors
    /// If a name has a NUL character in it.
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

//! Renders the bash scripts of `templates/runbook` for one cluster.

use anyhow::{Context as _, Result};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior, context};
use serde::Serialize;

use crate::registration::Outline;
use crate::render::{Identity, SHARED_ANNOTATIONS, Side, ca_secret, objects, syntax, token_secret};
use crate::sources::TokenSource;

/// Registers the cluster.
pub const REGISTER: &str = include_str!("../templates/runbook/register.sh.j2");
/// Removes the registration.
pub const DEREGISTER: &str = include_str!("../templates/runbook/deregister.sh.j2");

/// Inputs of a script.
#[derive(Debug)]
pub struct Runbook<'a> {
    pub outline: &'a Outline,
    pub token: &'a TokenSource,
    /// The arguments of `ma-register render`, aside from the side and the token.
    pub render_args: Vec<String>,
    /// The further arguments that the script was made with.
    pub runbook_args: Vec<String>,
    /// The arguments with which kubectl reaches the compute cluster.
    pub compute_kubectl: Vec<String>,
    /// The arguments with which kubectl reaches the control-plane cluster.
    pub control_plane_kubectl: Vec<String>,
    /// The controller's Deployment as `NAMESPACE/NAME`, or `none`; left out, the script finds it.
    pub controller: Option<&'a str>,
    /// Whether the compute cluster no longer exists.
    pub compute_gone: bool,
}

impl Runbook<'_> {
    /// Renders a script. Fails if a name has a NUL character in it.
    pub fn script(self, template: &str) -> Result<String> {
        let mut environment = Environment::new();
        environment.set_syntax(syntax()?);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(quote);
        let parts = [
            ("common", include_str!("../templates/runbook/common.sh.j2")),
            ("controller", include_str!("../templates/runbook/controller.sh.j2")),
            ("restart", include_str!("../templates/runbook/restart.sh.j2")),
        ];
        for (name, part) in parts {
            environment.add_template(name, part)?;
        }
        environment.render_str(template, self.variables()).context("failed to write the script")
    }

    fn variables(self) -> Value {
        let Outline { name, service_account, collector_secret, pod_service_account, .. } =
            self.outline;
        let shared = SHARED_ANNOTATIONS.iter().map(|(key, _)| *key);
        let pods = pod_service_account.as_ref().map(|account| account.annotations.keys());
        let annotations = pods.map(|keys| {
            keys.map(String::as_str).chain(shared).map(str::to_owned).collect::<Vec<_>>()
        });
        context! {
            name => name,
            ca_secret => ca_secret(self.outline),
            client_token => token_secret(self.outline),
            service_account => service_account.name.as_str(),
            token_secrets => service_account.token_secrets.clone(),
            has_account => service_account.create,
            collector => collector_secret.as_ref().map(|name| format!("secret/{name}")),
            pod_annotations => annotations,
            render_args => self.render_args,
            runbook_args => self.runbook_args,
            compute_kubectl => self.compute_kubectl,
            control_plane_kubectl => self.control_plane_kubectl,
            controller => self.controller,
            token => match self.token {
                TokenSource::Undecided | TokenSource::Flag(_) => "pipe",
                TokenSource::Values(_) => "values",
                TokenSource::ExternalSecret => "external",
                TokenSource::Elsewhere => "none",
            },
            compute_gone => self.compute_gone,
            compute => Value::from(Serde(targets(Side::Compute, self.outline))),
            control_plane => Value::from(Serde(targets(Side::ControlPlane, self.outline))),
        }
    }
}

/// An object, as arguments of kubectl.
#[derive(Debug, Serialize)]
struct Target {
    kind: String,
    /// `KIND/NAME`
    resource: String,
    /// `-n NAMESPACE`; empty for a cluster-scoped kind.
    namespace: Vec<String>,
    /// The Secret that an ExternalSecret creates.
    secret: Option<String>,
    /// Whether every cluster has the kind. `kubectl get` fails on all of its arguments if one kind is unknown.
    is_built_in: bool,
}

/// Returns the objects of a side that are ours alone, in the order in which they have to be applied.
fn targets(side: Side, outline: &Outline) -> Vec<Target> {
    let objects = objects(side, outline).into_iter().filter(|object| !object.is_shared);
    let target = |Identity { kind, name, namespace }, resource: String| Target {
        namespace: namespace.iter().flat_map(|name| ["-n".to_owned(), name.clone()]).collect(),
        secret: (kind == "ExternalSecret").then(|| format!("secret/{name}")),
        is_built_in: resource.split('/').next().is_some_and(|kind| !kind.contains('.')),
        kind,
        resource,
    };
    objects.map(|object| target(object.identity.clone(), object.identity.resource())).collect()
}

/// Writes a value as one shell word, so that no name can become code.
fn quote(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = value.to_string();
    let word = shlex::try_quote(&text)
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "a name has a NUL character in it"))?;
    Ok(out.write_str(&word)?)
}

//! Renders the bash scripts of `templates/runbook` for one cluster.

use anyhow::{Context as _, Result};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use serde::Serialize;

use crate::registration::Outline;
use crate::render::{Identity, Side, objects, syntax};

/// The variables of the scripts.
#[derive(Debug, Serialize)]
pub struct Runbook {
    pub name: String,
    pub ca_secret: String,
    pub client_token: String,
    pub service_account: String,
    /// Names of its token Secrets; the last is the current one.
    pub token_secrets: Vec<String>,
    /// The arguments of `ma-register render`, without `--side` and `--token-file`, which the script adds.
    pub render_args: Vec<String>,
    /// The arguments that make kubectl use the compute cluster, such as `--context=NAME`.
    pub compute_kubectl: Vec<String>,
    pub control_plane_kubectl: Vec<String>,
    /// The controller's Deployment as `NAMESPACE/NAME`, or `none`. The script finds it if this is `None`.
    pub controller: Option<String>,
    /// How the token gets to the control plane: `pipe`, `values`, `external` or `none`.
    pub token: &'static str,
    pub has_account: bool,
    /// The Secret for the log collector as `secret/NAME`, if the program renders it.
    pub collector: Option<String>,
    /// The annotations of ServiceAccount `default` that are ours.
    pub pod_annotations: Vec<String>,
    pub compute_gone: bool,
    pub compute: Vec<Target>,
    pub control_plane: Vec<Target>,
}

/// An object, as arguments of kubectl.
#[derive(Debug, Serialize)]
pub struct Target {
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
pub fn targets(side: Side, outline: &Outline) -> Vec<Target> {
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

/// Registers the cluster.
pub const REGISTER: &str = include_str!("../templates/runbook/register.sh.j2");
/// Removes the registration.
pub const DEREGISTER: &str = include_str!("../templates/runbook/deregister.sh.j2");

impl Runbook {
    /// Renders a script. Fails if a name has a NUL character in it.
    pub fn script(&self, template: &str) -> Result<String> {
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
        environment
            .render_str(template, Value::from(Serde(self)))
            .context("failed to write the script")
    }
}

/// Writes a value as one shell word, so that no name can become code.
fn quote(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = value.to_string();
    let word = shlex::try_quote(&text)
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "a name has a NUL character in it"))?;
    Ok(out.write_str(&word)?)
}

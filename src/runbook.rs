//! Renders the bash scripts of `templates/runbook` for one cluster.

use anyhow::{Context as _, Result};
use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior, context};

use crate::registration::Outline;
use crate::render::{Identity, Object, Side, ca_secret, client_token_secret, objects, syntax};
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
        let Outline { name, service_account, pod_service_account, .. } = self.outline;
        context! {
            name => name,
            ca_secret => ca_secret(self.outline),
            client_token => client_token_secret(self.outline),
            service_account => service_account.name.as_str(),
            token_secrets => service_account.token_secrets.clone(),
            has_account => service_account.create,
            pod_annotations => pod_service_account.as_ref().map(|it| it.annotations.clone()),
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
            compute => targets(Side::Compute, self.outline),
            control_plane => targets(Side::ControlPlane, self.outline),
        }
    }
}

/// Returns the objects of a side that are ours alone, as arguments of kubectl, in the order in which they have to be
/// applied.
fn targets(side: Side, outline: &Outline) -> Vec<Value> {
    let objects = objects(side, outline).into_iter().filter(|object| !object.is_shared);
    let target = |object: Object| {
        let Object { identity, may_be_charts, .. } = object;
        let resource = identity.resource();
        let Identity { kind, name, namespace } = identity;
        let namespace = namespace.into_iter().flat_map(|name| ["-n".to_owned(), name]);
        context! {
            // Empty for a cluster-scoped kind.
            namespace => namespace.collect::<Vec<_>>(),
            // The Secret that an ExternalSecret creates.
            secret => (kind == "ExternalSecret").then(|| format!("secret/{name}")),
            // Whether every cluster has the kind. `kubectl get` fails on all of its arguments if one kind is unknown.
            is_built_in => resource.split('/').next().is_some_and(|kind| !kind.contains('.')),
            may_be_charts => may_be_charts,
            kind => kind,
            resource => resource,
        }
    };
    objects.map(target).collect()
}

/// Writes a value as one shell word, so that no name can become code.
fn quote(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = value.to_string();
    let word = shlex::try_quote(&text)
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "a name has a NUL character in it"))?;
    Ok(out.write_str(&word)?)
}

//! render: a [`Registration`] becomes manifests, through templates.
//!
//! Every value is put in by the engine, quoted, and every document is parsed again and compared
//! with what was meant: its values, and its kind, name and namespace.

mod document;
mod engine;
mod go_template;
mod plan;
mod scalar;
mod sealed;
mod structure;
mod template_set;
mod variables;

use std::fmt;
use std::ops::Range;

use anyhow::{Context, Result, bail};

use crate::input::secret::Secret;
use crate::registration::Registration;
use crate::side::Side;
use crate::text::shown;
use engine::{Engine, Rendered};
use plan::Object;
pub use scalar::quoted;
pub use sealed::Secrecy;
use structure::{Field, Head};
use template_set::Template;
pub use template_set::{GivenAway, TemplateSet, given_away};
pub use variables::{VARIABLES, Variables};

/// One Kubernetes object, as text.
pub struct Manifest {
    /// The cluster that it is applied to.
    pub side: Side,
    /// Name of the compute cluster that it is about.
    pub cluster: String,
    /// Its kind, name and namespace, for messages; no two of one cluster are the same.
    pub object: String,
    /// Its file name, `NN-kind-name.yaml`; by it, manifests sort into an order that works.
    pub file_name: String,
    /// Its YAML, with a newline at the end.
    pub text: String,
    /// What secret material it holds.
    pub secrecy: Secrecy,
    /// Where in the text the scalars stand that hold secret material, with their quotes. Where a
    /// template did more with a secret than to print it, these are all that it printed.
    pub secrets: Vec<Range<usize>>,
}

// The text may hold a token, so it isn't shown.
impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifest")
            .field("side", &self.side)
            .field("file_name", &self.file_name)
            .field("secrecy", &self.secrecy)
            .finish_non_exhaustive()
    }
}

/// Renders registrations by the templates of a run.
pub struct Renderer<'a> {
    engine: Engine<'a>,
    templates: &'a TemplateSet,
}

impl<'a> Renderer<'a> {
    /// A renderer with the templates of a set.
    ///
    /// # Errors
    /// Where a template isn't valid.
    pub fn new(templates: &'a TemplateSet) -> Result<Self> {
        Ok(Self {
            engine: Engine::new(templates)?,
            templates,
        })
    }

    /// Renders the manifests of the given sides, in the order in which they are applied.
    ///
    /// # Errors
    /// Where a template fails or renders another object than it is there for.
    pub fn render(&self, registration: &Registration, sides: &[Side]) -> Result<Vec<Manifest>> {
        let mut manifests = Vec::new();
        for side in sides {
            let first = manifests.len();
            render_side(
                &self.engine,
                self.templates,
                *side,
                registration,
                &mut manifests,
            )
            .with_context(|| {
                format!("failed to render the cluster {}", shown(&registration.name))
            })?;
            let of_side = manifests.get_mut(first..).unwrap_or_default();
            of_side.sort_by(|one, other| one.file_name.cmp(&other.file_name));
        }
        Ok(manifests)
    }
}

fn render_side(
    engine: &Engine<'_>,
    templates: &TemplateSet,
    side: Side,
    registration: &Registration,
    manifests: &mut Vec<Manifest>,
) -> Result<()> {
    let values = plan::values(side, registration, engine.seal());
    let mut identities: Vec<(Identity, String)> = Vec::new();
    let mut accept = |template: &Template, rendered: Rendered, identity: Identity| -> Result<()> {
        if let Some((_, other)) = identities.iter().find(|(other, _)| *other == identity) {
            bail!(
                "failed to render the template {}: it renders {}, which {} renders too",
                shown(&template.origin),
                found(&rendered, &identity),
                shown(other)
            );
        }
        manifests.push(manifest(template, rendered, &identity, registration));
        identities.push((identity, template.origin.clone()));
        Ok(())
    };
    for object in plan::objects(side, registration) {
        let template = templates.built_in_named(side, object.template)?;
        let rendered = engine.render(template, &plan::object_values(&values, &object))?;
        let Some(rendered) = rendered else {
            bail!(
                "failed to render the template {}: it renders nothing, and has to render the {}",
                shown(&template.origin),
                Identity::meant(&object)
            );
        };
        let identity = identify(template, &rendered.head)?;
        let meant = Identity::meant(&object);
        if identity != meant {
            bail!(
                "failed to render the template {}: it renders {}, and has to render the {meant}",
                shown(&template.origin),
                found(&rendered, &identity)
            );
        }
        accept(template, rendered, identity)?;
    }
    for template in templates
        .all()
        .iter()
        .filter(|template| template.is_added && template.side == side)
    {
        // An added template may render nothing, where it has nothing to say about this cluster.
        if let Some(rendered) = engine.render(template, &values)? {
            let identity = identify(template, &rendered.head)?;
            refuse_secret_in_name(template, &identity, registration)?;
            accept(template, rendered, identity)?;
        }
    }
    Ok(())
}

/// A name becomes a file's name and is shown in messages, so it can't be a secret.
fn refuse_secret_in_name(
    template: &Template,
    identity: &Identity,
    registration: &Registration,
) -> Result<()> {
    // A key in the values file may be a word like any other, and is shown there already.
    let is_in_name = |secret: &Secret| !secret.in_values && identity.name.contains(secret.expose());
    if registration.secrets().any(is_in_name) {
        bail!(
            "failed to render the template {}: its `metadata.name` holds a secret",
            shown(&template.origin)
        );
    }
    Ok(())
}

/// What makes an object the one that it is.
#[derive(PartialEq, Eq)]
struct Identity {
    kind: String,
    name: String,
    namespace: Option<String>,
}

impl Identity {
    fn meant(object: &Object) -> Self {
        Self {
            kind: object.kind.to_owned(),
            name: object.name.clone(),
            namespace: object.namespace.map(str::to_owned),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", shown(&self.kind), shown(&self.name))?;
        match &self.namespace {
            Some(namespace) => write!(f, " of namespace {}", shown(namespace)),
            None => f.write_str(" without a namespace"),
        }
    }
}

/// What was rendered, for messages. Where a secret was printed, it may have gone into the name.
fn found(rendered: &Rendered, identity: &Identity) -> String {
    match rendered.secrecy {
        Secrecy::Public => format!("the {identity}"),
        Secrecy::InValues | Secrecy::Elsewhere => {
            "an object (not named here, since it holds a secret)".to_owned()
        }
    }
}

/// Reads off what object a document is.
fn identify(template: &Template, head: &Head) -> Result<Identity> {
    let failed = || format!("failed to render the template {}", shown(&template.origin));
    let Head {
        is_mapping,
        api_version,
        kind,
        name,
        namespace,
    } = head;
    if !*is_mapping {
        bail!(
            "{}: it renders no Kubernetes object: expected a mapping",
            failed()
        );
    }
    if api_version.text().is_none_or(|version| version.is_empty()) {
        bail!("{}: `apiVersion` is missing or not a string", failed());
    }
    let namespace = match namespace {
        Field::Missing => None,
        Field::Text(namespace) => Some(namespace.clone()),
        Field::Other => bail!("{}: `metadata.namespace` is not a string", failed()),
    };
    let kind = kind
        .text()
        .filter(|kind| !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let name = name.text().filter(|name| is_name(name));
    let (kind, name) = (kind.map(str::to_owned), name.map(str::to_owned));
    match (kind, name) {
        (Some(kind), _) if kind == "List" => {
            bail!("{}: it renders a List; a template is one object", failed())
        }
        (Some(kind), Some(name)) => Ok(Identity {
            kind,
            name,
            namespace,
        }),
        (None, _) => bail!(
            "{}: `kind` is missing or not a word of letters and digits",
            failed()
        ),
        (_, None) => bail!("{}: `metadata.name` is missing or not a name", failed()),
    }
}

/// Whether a text may name an object of any kind: most take DNS names, those of RBAC nearly all.
fn is_name(name: &str) -> bool {
    let is_of_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'_');
    (1..=253).contains(&name.len())
        && name.bytes().all(is_of_name)
        && !name.bytes().all(|byte| byte == b'.')
}

fn manifest(
    template: &Template,
    rendered: Rendered,
    identity: &Identity,
    registration: &Registration,
) -> Manifest {
    Manifest {
        side: template.side,
        cluster: registration.name.clone(),
        object: identity.to_string(),
        file_name: file_name(&template.stem, identity),
        text: with_final_newline(rendered.text),
        secrecy: rendered.secrecy,
        secrets: rendered.secrets,
    }
}

/// `NN-kind-name.yaml`. A name may hold `:` and the like, which not every file system takes.
fn file_name(stem: &str, identity: &Identity) -> String {
    let number = stem.split('-').next().unwrap_or_default();
    let kind = identity.kind.to_ascii_lowercase();
    let name: String = identity
        .name
        .chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' => character,
            _ => '_',
        })
        .collect();
    format!("{number}-{kind}-{name}.yaml")
}

fn with_final_newline(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

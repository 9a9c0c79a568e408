//! render: a [`Registration`] becomes manifests, through templates.

mod engine;
mod objects;
mod scalar;
mod templates;
mod verify;

use std::fmt;

use anyhow::{Result, bail};
use minijinja::value::Value;

use crate::diagnostic::Diagnostic;
use crate::registration::Registration;
use crate::show::shown;
use engine::Engine;
pub use engine::syntax;
pub use scalar::quoted;
pub use templates::{BUILT_IN, Templates};
use verify::{Document, Structures};

/// The cluster that a manifest is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The compute cluster.
    Compute,
    /// The control-plane cluster.
    ControlPlane,
}

impl Side {
    /// Its folder among templates and in a directory.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::ControlPlane => "control-plane",
        }
    }
}

/// One Kubernetes object, as text.
pub struct Manifest {
    /// The cluster that it is applied to.
    pub side: Side,
    /// Name of the compute cluster that it is about.
    pub cluster: String,
    /// `NN-kind-name.yaml`; by it, manifests sort into an order that works.
    pub file_name: String,
    /// Its YAML, with a newline at the end.
    pub text: String,
    /// Whether it holds a secret.
    pub holds_secret: bool,
    /// Whether a built-in template made it, so that it is known where it holds one.
    pub is_built_in: bool,
}

/// What makes an object the one that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace; none for kinds that have none.
    pub namespace: Option<String>,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, namespace } = self;
        write!(f, "{} {}", kind, shown(name))?;
        match namespace {
            Some(namespace) => write!(f, " in namespace {}", shown(namespace)),
            None => f.write_str(" without a namespace"),
        }
    }
}

/// Renders registrations with the templates of a run.
pub struct Renderer<'a> {
    engine: Engine<'a>,
    templates: &'a Templates,
    structures: Structures,
}

impl<'a> Renderer<'a> {
    /// A renderer with these templates.
    ///
    /// # Errors
    /// Where a template isn't valid.
    pub fn new(templates: &'a Templates) -> Result<Self> {
        Ok(Self { engine: Engine::new(templates)?, templates, structures: Structures::default() })
    }

    /// Renders the manifests of some sides, in the order in which they are applied.
    ///
    /// # Errors
    /// Where a template fails or renders something other than it is there for.
    pub fn render(&self, registration: &Registration, sides: &[Side]) -> Result<Vec<Manifest>> {
        let mut manifests = Vec::new();
        for side in sides {
            manifests.extend(self.render_side(registration, *side)?);
        }
        Ok(manifests)
    }

    fn render_side(&self, registration: &Registration, side: Side) -> Result<Vec<Manifest>> {
        let values = objects::values(side, registration);
        let mut rendered: Vec<(Identity, Manifest)> = Vec::new();
        for object in objects::objects(side, registration) {
            let values = objects::object_values(&values, &object);
            match self.render_object(registration, side, object.template, &values)? {
                Some(one) if one.0 == object.identity => rendered.push(one),
                // What it renders instead may be a secret in the place of a name.
                _ => {
                    let message = format!("renders something other than {}", object.identity);
                    bail!(self.about(object.template, Diagnostic::error(message)));
                }
            }
        }
        for template in self.templates.added(side) {
            // One that renders nothing has nothing for this cluster.
            let Some((identity, manifest)) =
                self.render_object(registration, side, template, &values)?
            else {
                continue;
            };
            let is_repeated = |(other, one): &(Identity, Manifest)| {
                *other == identity || one.file_name == manifest.file_name
            };
            if rendered.iter().any(is_repeated) {
                let message = "renders an object, or a file name, that another template renders";
                let help = "rename the object, or give the template another number";
                bail!(self.about(template, Diagnostic::error(message).help(help)));
            }
            rendered.push((identity, manifest));
        }
        let mut manifests: Vec<Manifest> =
            rendered.into_iter().map(|(_, manifest)| manifest).collect();
        manifests.sort_by(|one, other| one.file_name.cmp(&other.file_name));
        Ok(manifests)
    }

    fn about(&self, template: &str, error: Diagnostic) -> Diagnostic {
        error.in_file(self.templates.file(template))
    }

    fn render_object(
        &self,
        registration: &Registration,
        side: Side,
        template: &str,
        values: &Value,
    ) -> Result<Option<(Identity, Manifest)>> {
        let rendered = self.engine.render(template, values)?;
        let structure = self.structures.read(&rendered.skeleton, rendered.values.len());
        let structure = structure.map_err(|(error, number)| {
            let place = number.and_then(|number| self.engine.place_of(template, values, number));
            match place {
                Some((template, line)) => {
                    self.about(&template, error).on_line(Some(line.to_string()))
                }
                None => self.about(template, error),
            }
        })?;
        if structure.is_null() {
            return Ok(None);
        }
        let document = Document { structure: &structure, values: &rendered.values };
        let identity = document.identify().map_err(|error| self.about(template, error))?;
        let mut text = scalar::fill_in(&rendered.skeleton, &rendered.values);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let manifest = Manifest {
            side,
            cluster: registration.name.clone(),
            file_name: file_name(template, &identity),
            holds_secret: document.holds_secret(&identity.kind, registration),
            is_built_in: self.templates.is_built_in(template),
            text,
        };
        Ok(Some((identity, manifest)))
    }
}

/// `NN-kind-name.yaml`. Names of RBAC may hold a `:`, which not every file system takes.
fn file_name(template: &str, identity: &Identity) -> String {
    let name = template.rsplit('/').next().unwrap_or_default();
    let number = name.split('-').next().unwrap_or_default();
    let kind = identity.kind.to_ascii_lowercase();
    format!("{number}-{kind}-{}.yaml", identity.name.replace(':', "_"))
}

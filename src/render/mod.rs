//! Renders the manifests of a [`Registration`] from templates.

mod engine;
mod objects;
mod scalar;
mod templates;
mod variables;
mod verify;

use anyhow::{Result, bail};
use minijinja::value::Value;

use crate::diagnostic::Diagnostic;
use crate::registration::Registration;
use crate::secret::Secrets;
pub use engine::{Engine, syntax};
pub use objects::{Identity, Object, ca_secret, client_token_secret, objects, repeated_secret};
pub use templates::{BUILT_IN, Templates};
use verify::Document;

/// The cluster that a manifest is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Compute,
    ControlPlane,
}

impl Side {
    /// The name of its folder, both of templates and of manifests.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::ControlPlane => "control-plane",
        }
    }
}

/// One Kubernetes object, as text.
pub struct Manifest {
    /// `NN-kind-name.yaml`. `kubectl apply -f DIR` goes by file name, so these names sort in a working order.
    pub file_name: String,
    /// YAML, with a newline at the end.
    pub text: String,
    /// Whether a secret of the registration is in `text`.
    pub holds_secret: bool,
}

/// The manifests of one cluster.
pub struct Manifests {
    pub cluster: String,
    pub secrets: Secrets,
    /// The manifests of each side, in the order in which they are applied.
    pub sides: Vec<(Side, Vec<Manifest>)>,
}

impl Engine<'_> {
    /// Renders the manifests of some sides, in the order in which they are applied. Fails if a template fails or
    /// renders another object than expected.
    pub fn render(&self, registration: &Registration, sides: &[Side]) -> Result<Manifests> {
        let secrets = registration.secrets();
        let render = |side: &Side| Ok((*side, self.render_side(registration, *side, &secrets)?));
        let sides = sides.iter().map(render).collect::<Result<_>>()?;
        Ok(Manifests { cluster: registration.outline.name.clone(), secrets, sides })
    }

    fn render_side(
        &self,
        registration: &Registration,
        side: Side,
        secrets: &Secrets,
    ) -> Result<Vec<Manifest>> {
        let of_side = variables::of_side(side, registration);
        let mut rendered: Vec<(Identity, Manifest)> = Vec::new();
        for object in objects(side, &registration.outline) {
            let variables = variables::of_object(&of_side, &object, registration);
            match self.render_object(object.template, &variables, secrets)? {
                Some(found) if found.0 == object.identity => rendered.push(found),
                // The message doesn't show the other name: it may be a secret.
                _ => {
                    let message = format!("renders something other than {}", object.identity);
                    bail!(self.about(object.template, Diagnostic::error(message)));
                }
            }
        }
        for template in self.templates.added(side) {
            let found = self.render_object(template, &of_side, secrets)?;
            // A user's template may skip a cluster by rendering nothing.
            let Some((identity, manifest)) = found else {
                continue;
            };
            let is_repeated = |(other, earlier): &(Identity, Manifest)| {
                *other == identity || earlier.file_name == manifest.file_name
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
        manifests.sort_by(|left, right| left.file_name.cmp(&right.file_name));
        Ok(manifests)
    }

    fn about(&self, template: &str, error: Diagnostic) -> Diagnostic {
        error.in_file(self.templates.file(template))
    }

    fn render_object(
        &self,
        template: &str,
        variables: &Value,
        secrets: &Secrets,
    ) -> Result<Option<(Identity, Manifest)>> {
        let (skeleton, values) = self.run(template, variables)?;
        let structure = self.structures.read(&skeleton, values.len());
        let structure = structure.map_err(|(error, number)| {
            let place = number.and_then(|number| self.place_of(template, variables, number));
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
        let document = Document { structure: &structure, values: &values };
        let identity = document.identify().map_err(|error| self.about(template, error))?;
        let mut text = scalar::fill_in(&skeleton, &values);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let manifest = Manifest {
            file_name: file_name(template, &identity),
            // The template itself may have one as text.
            holds_secret: document.holds_secret(&identity.kind, secrets)
                || secrets.are_in(&skeleton),
            text,
        };
        Ok(Some((identity, manifest)))
    }
}

/// Returns `NN-kind-name.yaml`. RBAC names may have a `:`, which some file systems refuse.
fn file_name(template: &str, identity: &Identity) -> String {
    let name = template.rsplit('/').next().unwrap_or_default();
    let number = name.split('-').next().unwrap_or_default();
    let kind = identity.kind.to_ascii_lowercase();
    format!("{number}-{kind}-{}.yaml", identity.name.replace(':', "_"))
}

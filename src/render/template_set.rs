//! The templates: those compiled into the program, and a user's own in their place or beside them.

use anyhow::{Context, Result, bail};

use super::variables::head;
use crate::input::templates::{SUFFIX, TemplateFile};
use crate::side::Side;
use crate::text::shown;

macro_rules! built_in {
    ($($side:ident $folder:literal $stem:literal;)*) => {
        /// The templates that are compiled in.
        const BUILT_IN: &[(Side, &str, &str)] = &[
            $((
                Side::$side,
                $stem,
                include_str!(concat!("../../templates/", $folder, "/", $stem, ".yaml.j2")),
            ),)*
        ];
    };
}

built_in! {
    Compute "compute" "10-serviceaccount";
    Compute "compute" "20-clusterrole";
    Compute "compute" "20-role";
    Compute "compute" "30-clusterrolebinding";
    Compute "compute" "30-rolebinding";
    Compute "compute" "40-configmap";
    Compute "compute" "40-externalsecret-config";
    Compute "compute" "50-externalsecret-storage";
    Compute "compute" "50-secret-storage";
    Compute "compute" "60-secret-token";
    Compute "compute" "70-pushsecret-token";
    ControlPlane "control-plane" "10-secret-ca";
    ControlPlane "control-plane" "20-externalsecret-token";
    ControlPlane "control-plane" "20-secret-token";
    ControlPlane "control-plane" "30-cluster";
}

/// One template.
pub struct Template {
    /// The side that its manifest belongs to.
    pub side: Side,
    /// Its file name without the ending, `NN-…`; the number decides about the order.
    pub stem: String,
    /// Its name in the engine, `SIDE/STEM`.
    pub id: String,
    /// The file that it came from, for messages.
    pub origin: String,
    /// Its text.
    pub text: String,
    /// Whether it has no built-in counterpart.
    pub is_added: bool,
}

/// A built-in template as it is given to a user, to be changed.
pub struct GivenAway {
    /// The side that its manifest belongs to.
    pub side: Side,
    /// Its file name.
    pub file_name: String,
    /// Its text, which renders what the built-in one does and begins by saying which variables there
    /// are.
    pub text: String,
}

/// The built-in templates, as they are given to a user.
pub fn given_away() -> Vec<GivenAway> {
    let heads = Side::ALL.map(|side| (side, head(side)));
    let head_of = |side: Side| heads.iter().find(|(other, _)| *other == side);
    let given = |(side, stem, text): &(Side, &str, &str)| GivenAway {
        side: *side,
        file_name: format!("{stem}{SUFFIX}"),
        text: format!("{}{text}", head_of(*side).map_or("", |(_, head)| head)),
    };
    BUILT_IN.iter().map(given).collect()
}

/// All templates of a run.
pub struct TemplateSet(Vec<Template>);

impl TemplateSet {
    /// The built-in templates.
    pub fn built_in() -> Self {
        let template = |(side, stem, text): &(Side, &str, &str)| Template {
            side: *side,
            stem: (*stem).to_owned(),
            id: format!("{}/{stem}", side.folder()),
            origin: format!("{}/{stem}{SUFFIX} (built in)", side.folder()),
            text: (*text).to_owned(),
            is_added: false,
        };
        Self(BUILT_IN.iter().map(template).collect())
    }

    /// The built-in templates, with a user's own in place of the ones that they share the name with,
    /// and beside the others.
    pub fn with(own: Vec<TemplateFile>) -> Self {
        let mut set = Self::built_in();
        for TemplateFile {
            side,
            stem,
            path,
            text,
        } in own
        {
            let id = format!("{}/{stem}", side.folder());
            let built_in = set.0.iter().position(|other| other.id == id);
            let template = Template {
                side,
                stem,
                id,
                origin: path.to_string_lossy().into_owned(),
                text,
                is_added: built_in.is_none(),
            };
            match built_in.and_then(|position| set.0.get_mut(position)) {
                Some(built_in) => *built_in = template,
                None => set.0.push(template),
            }
        }
        set
    }

    /// Every template.
    pub fn all(&self) -> &[Template] {
        &self.0
    }

    /// The template with a built-in one's name; it always exists, since built-in templates are
    /// replaced and never removed.
    pub fn built_in_named(&self, side: Side, stem: &str) -> Result<&Template> {
        self.0
            .iter()
            .find(|template| template.side == side && template.stem == stem)
            .with_context(|| format!("no template is named {}", shown(stem)))
    }
}

/// Refuses a template on which the engine might run out of stack.
///
/// # Errors
/// Where the template, a tag of it or a chain of conditions is very long.
pub fn check(template: &Template) -> Result<()> {
    if template.text.len() > LONGEST_TEMPLATE {
        bail!("it holds more than {LONGEST_TEMPLATE} bytes");
    }
    for (start, tag) in tags(&template.text) {
        if tag.len() > LONGEST_TAG {
            let before = template.text.get(..start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            bail!("line {line}: the tag is longer than {LONGEST_TAG} bytes");
        }
    }
    if template.text.matches("elif").count() > MOST_CONDITIONS {
        bail!("it has more than {MOST_CONDITIONS} `elif` tags");
    }
    Ok(())
}

/// The longest template, in bytes.
const LONGEST_TEMPLATE: usize = 64 * 1024;
/// The longest tag, in bytes; the engine's parser nests as deep as an expression does.
const LONGEST_TAG: usize = 4096;
/// The most conditions after the first of an `if`, each of which nests as well.
const MOST_CONDITIONS: usize = 500;

/// The tags of a template's text, `{{ … }}` and `{% … %}`, and where they begin.
pub fn tags(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices('{').filter_map(|(start, _)| {
        let tag = text.get(start..)?;
        let close = match tag.get(..2)? {
            "{{" => "}}",
            "{%" => "%}",
            _ => return None,
        };
        Some((start, tag.get(..tag.find(close)? + close.len())?))
    })
}

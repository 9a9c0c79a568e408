//! The variables that templates have: one list for the head of each template that is given away,
//! and for the README.

use crate::side::Side;

/// Some variables, and what they mean.
pub struct Variables {
    /// Their names, as Markdown.
    pub names: &'static str,
    /// The side that has them; none where both do.
    pub side: Option<Side>,
    /// What they mean, as Markdown.
    pub meaning: &'static str,
}

macro_rules! variables {
    ($($names:literal, $side:expr, $meaning:literal;)*) => {
        /// Every variable.
        pub const VARIABLES: &[Variables] = &[
            $(Variables { names: $names, side: $side, meaning: $meaning },)*
        ];
    };
}

const BOTH: Option<Side> = None;
const COMPUTE: Option<Side> = Some(Side::Compute);
const CONTROL_PLANE: Option<Side> = Some(Side::ControlPlane);

variables! {
    "`name`, `labels`, `annotations`", BOTH,
        "as in the values file; the two mappings with what every manifest has: `labels: {{ labels }}`";
    "`service_account.name`, `.token_secrets`, `.extra_rules`", BOTH,
        "as in the values file";
    "`storage.environment`, `storage.keys`", COMPUTE,
        "pairs, `{% for key, value in storage.keys %}`: the ConfigMap's keys, and the two S3 keys, if any";
    "`external_secrets`", BOTH,
        "nothing, unless this side uses an `externalSecret` form; then:";
    "`external_secrets.store.name`, `.store.kind`, `.refresh_interval`", BOTH,
        "this side's store, and how often the operator looks";
    "`external_secrets.annotations`", BOTH,
        "the annotations escaped for Go templates, as which the operator reads a Secret's annotations";
    "`external_secrets.token.key`, `.token.property`", BOTH,
        "where the token is in the store, the property perhaps nothing; `token` is nothing in other forms";
    "`external_secrets.storage.key`, `.properties`, `.environment`", COMPUTE,
        "where the S3 keys are, pairs of their names and properties, and the ConfigMap's keys as Go templates; `storage` is nothing in other forms";
    "`object_name`", BOTH,
        "in place of a built-in template: the name that its object has to have";
    "`server.host`, `server.port`", CONTROL_PLANE,
        "`https://host`, and the port as text";
    "`ca.secret`, `ca.pem`", CONTROL_PLANE,
        "name of the Secret, and the certificates";
    "`token.secret`, `token.text`", CONTROL_PLANE,
        "name of the Secret, and the token, or nothing";
    "`cluster.sla`, `.dc`, `.region`, `.zone`, `.skus`", CONTROL_PLANE,
        "as in the Cluster's spec";
}

/// The longest line of a head, in characters.
const WIDTH: usize = 100;

/// The head of a template of a side: a comment of the template's own language, so that a manifest
/// has none of it.
pub fn head(side: Side) -> String {
    let mut head = format!(
        "{{#\n  A template for one object of the {} side: YAML with Jinja. Values are put in with their\n  \
         quotes, so write `key: {{{{ value }}}}`. A file of another name, `NN-…`, adds an object. Variables:\n\n",
        match side {
            Side::Compute => "compute",
            Side::ControlPlane => "control-plane",
        }
    );
    let of_side = |variables: &&Variables| variables.side.is_none_or(|only| only == side);
    for Variables { names, meaning, .. } in VARIABLES.iter().filter(of_side) {
        wrap(&mut head, &format!("{names}: {meaning}"));
    }
    head.push_str("#}\n");
    head
}

/// Adds a point of a list.
fn wrap(out: &mut String, text: &str) {
    let mut line = "  -".to_owned();
    for word in text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(&line);
            out.push('\n');
            line = "   ".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
}

//! The procedures for some compute clusters, as bash scripts.
//!
//! What a script does stands in `templates/runbook/`, and is the same for all clusters; before it
//! come a head for the reader and the clusters' own settings.

pub mod shell;

use std::fmt::Write as _;

use shell::{quote, quote_all};

/// What a script does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Procedure {
    /// Applies both sides and verifies the result.
    Register,
    /// Changes the token.
    Rotate,
    /// Takes everything away again.
    Deregister,
}

impl Procedure {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Rotate => "rotate",
            Self::Deregister => "deregister",
        }
    }

    /// What it does: first comments for the head of the script, and after an empty line the code,
    /// which ends with the run of it all.
    fn own_part(self) -> &'static str {
        match self {
            Self::Register => include_str!("../../templates/runbook/register.sh"),
            Self::Rotate => include_str!("../../templates/runbook/rotate.sh"),
            Self::Deregister => include_str!("../../templates/runbook/deregister.sh"),
        }
    }

    /// What it shares with others.
    fn shared_parts(self) -> &'static [&'static str] {
        const COMMON: &str = include_str!("../../templates/runbook/common.sh");
        const CONTROLLER: &str = include_str!("../../templates/runbook/controller.sh");
        const TOKENS: &str = include_str!("../../templates/runbook/tokens.sh");
        match self {
            Self::Register | Self::Rotate => &[COMMON, CONTROLLER, TOKENS],
            Self::Deregister => &[COMMON, CONTROLLER],
        }
    }
}

/// A cluster as kubectl reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Path of the kubeconfig; none where it is kubectl's own.
    pub kubeconfig: Option<String>,
    /// Name of the context.
    pub context: String,
}

impl Target {
    fn kubectl(&self) -> String {
        let kubeconfig = self.kubeconfig.iter();
        let kubeconfig = kubeconfig.map(|path| format!("--kubeconfig={path}"));
        let words = ["kubectl".to_owned()].into_iter().chain(kubeconfig);
        quote_all(words.chain([format!("--context={}", self.context)]))
    }

    fn title(&self) -> String {
        match &self.kubeconfig {
            Some(path) => format!("context {} of {}", quote(&self.context), quote(path)),
            None => format!(
                "context {} of kubectl's own kubeconfig",
                quote(&self.context)
            ),
        }
    }
}

/// Where the control plane's copy of the token comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFrom {
    /// The script pipes it from the one cluster to the other.
    Pipe,
    /// The values name a file or a variable.
    Values,
    /// The External Secrets Operator moves it.
    Store,
    /// Someone else makes the Secret.
    Elsewhere,
}

impl TokenFrom {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pipe => "pipe",
            Self::Values => "values",
            Self::Store => "store",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// One compute cluster of a script.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name in the control plane.
    pub name: String,
    /// Its values file.
    pub values: String,
    /// What there is of it besides the control plane; none where it is gone.
    pub compute: Option<Compute>,
    /// The service account's name.
    pub service_account: String,
    /// Names of the token Secrets before the current one.
    pub old_token_secrets: Vec<String>,
    /// Name of the current token Secret.
    pub token_secret: String,
    /// Where the control plane's token comes from.
    pub token_from: TokenFrom,
    /// Whether there has to be a Secret with the storage's keys.
    pub has_storage_secret: bool,
    /// Whether there is a certificate authority, and not the controller's own roots.
    pub has_certificate_authority: bool,
    /// What the control plane has of it, in the order in which it is deleted.
    pub control_plane_objects: Vec<ObjectName>,
}

/// A compute cluster that exists.
#[derive(Clone, Debug)]
pub struct Compute {
    /// How kubectl reaches it.
    pub target: Target,
    /// Whether its values don't name the context.
    pub is_by_current_context: bool,
    /// The command that renders it, but for the side and the token.
    pub render: Vec<String>,
    /// The host at which the control plane reaches it, as its Cluster has it.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What it gets, in the order in which it is deleted.
    pub objects: Vec<ObjectName>,
}

/// By what kubectl finds an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectName {
    /// Its kind.
    pub kind: String,
    /// The kind's group and version, as in a manifest.
    pub api_version: String,
    /// Its name.
    pub name: String,
    /// Its namespace; none where the manifest has none.
    pub namespace: Option<String>,
}

impl ObjectName {
    /// One line: `KIND.GROUP/NAME NAMESPACE`. Without the version, which may be another one by then.
    fn line(&self) -> String {
        let mut line = self.kind.to_ascii_lowercase();
        if let Some((group, _)) = self.api_version.split_once('/') {
            let _ = write!(line, ".{group}");
        }
        let _ = write!(line, "/{}", self.name);
        if let Some(namespace) = &self.namespace {
            let _ = write!(line, " {namespace}");
        }
        line
    }
}

/// A script.
#[derive(Debug)]
pub struct Runbook {
    /// What it does.
    pub procedure: Procedure,
    /// The arguments with which the program makes it.
    pub arguments: Vec<String>,
    /// The control plane.
    pub control_plane: Target,
    /// The compute clusters.
    pub clusters: Vec<Cluster>,
}

impl Runbook {
    /// The script's text.
    pub fn text(&self) -> String {
        let own = self.procedure.own_part();
        let (purpose, code) = own.split_once("\n\n").unwrap_or((own, ""));
        let shared = self.procedure.shared_parts().join("\n");
        format!(
            "#!/usr/bin/env bash\n#\n{purpose}\n#\n{}\nset -euo pipefail\n\n{}\n{shared}\n# --- The procedure ---\n\n{code}",
            self.origin(),
            self.settings(),
        )
    }

    /// The end of the head: which clusters it is about, and how it was made.
    fn origin(&self) -> String {
        let mut text = "# The clusters:\n".to_owned();
        let _ = writeln!(text, "#   control plane: {}", self.control_plane.title());
        for Cluster {
            name,
            values,
            compute,
            ..
        } in &self.clusters
        {
            let title = match compute {
                Some(compute) => compute.target.title(),
                None => "gone".to_owned(),
            };
            let _ = writeln!(text, "#   {name}: {title}, as {} says", quote(values));
        }
        let _ = writeln!(
            text,
            "#\n# Paths are relative to the folder in which it was made, so run it there. Made by:\n#   ma-register {}",
            quote_all(&self.arguments)
        );
        text
    }

    fn settings(&self) -> String {
        let names = quote_all(self.clusters.iter().map(|cluster| &cluster.name));
        let mut text = "# --- The clusters ---\n\n".to_owned();
        let _ = writeln!(text, "clusters=({names})");
        let literally = "# shellcheck disable=SC2016 # names are meant as they stand\n";
        let _ = writeln!(
            text,
            "{literally}control_plane=({})",
            self.control_plane.kubectl()
        );
        let _ = writeln!(text, "{literally}made_by=({})", quote_all(&self.arguments));
        if self.procedure == Procedure::Deregister {
            let is_gone = self
                .clusters
                .iter()
                .any(|cluster| cluster.compute.is_none());
            let _ = writeln!(text, "compute_is_gone={}", yes_or_no(is_gone));
        }
        text.push_str(
            "\n# use NAME: what follows is about this compute cluster.\n# shellcheck disable=SC2016,SC2034 # names are meant as they stand; not every procedure needs all of it\nuse() {\n  name=$1\n  case $name in\n",
        );
        for cluster in &self.clusters {
            cluster.write_settings(&mut text);
        }
        text.push_str("  esac\n}\n");
        text
    }
}

impl Cluster {
    fn write_settings(&self, text: &mut String) {
        let Self {
            name,
            values,
            compute,
            service_account,
            old_token_secrets,
            token_secret,
            token_from,
            has_storage_secret,
            has_certificate_authority,
            control_plane_objects,
        } = self;
        let _ = writeln!(text, "    ({})", quote(name));
        let mut line = |variable: &str, value: &str| {
            let _ = writeln!(text, "      {variable}={value}");
        };
        line("values", &quote(values));
        match compute {
            Some(compute) => {
                line("compute", &format!("({})", compute.target.kubectl()));
                line("render", &format!("({})", quote_all(&compute.render)));
                line("host", &quote(&compute.host));
                line("port", &compute.port.to_string());
            }
            // It is gone, and a call that reaches for it fails.
            None => {
                line("compute", "(false)");
                line("host", "''");
                line("port", "''");
            }
        }
        line("service_account", &quote(service_account));
        line("token_secret", &quote(token_secret));
        line("old_token_secrets", &quote(&old_token_secrets.join(" ")));
        line("token_from", token_from.as_str());
        line("storage_secret", yes_or_no(*has_storage_secret));
        line("private_ca", yes_or_no(*has_certificate_authority));
        line("control_plane_objects", &list(control_plane_objects));
        let objects = compute.as_ref().map(|compute| list(&compute.objects));
        line("compute_objects", objects.as_deref().unwrap_or("()"));
        text.push_str("      ;;\n");
    }
}

fn yes_or_no(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

/// An array, a line for each object.
fn list(objects: &[ObjectName]) -> String {
    let mut text = "(\n".to_owned();
    for object in objects {
        let _ = writeln!(text, "        {}", quote(&object.line()));
    }
    text.push_str("      )");
    text
}

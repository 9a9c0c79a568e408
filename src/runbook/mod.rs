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
        const COMPUTE: &str = include_str!("../../templates/runbook/compute.sh");
        const TOKENS: &str = include_str!("../../templates/runbook/tokens.sh");
        match self {
            Self::Register | Self::Rotate => &[COMMON, CONTROLLER, COMPUTE, TOKENS],
            Self::Deregister => &[COMMON, CONTROLLER, COMPUTE],
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
    /// How kubectl reaches it.
    pub target: Target,
    /// The command that renders it, but for the side and the token.
    pub render: Vec<String>,
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
}

/// A script.
#[derive(Debug)]
pub struct Runbook {
    /// What it does.
    pub procedure: Procedure,
    /// The command that makes it.
    pub command: Vec<String>,
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
        for cluster in &self.clusters {
            let _ = writeln!(
                text,
                "#   {}: {}, as {} says",
                cluster.name,
                cluster.target.title(),
                quote(&cluster.values)
            );
        }
        let _ = writeln!(
            text,
            "#\n# Paths are relative to the folder in which it was made, so run it there. Made by:\n#   {}",
            quote_all(&self.command)
        );
        text
    }

    fn settings(&self) -> String {
        let names = quote_all(self.clusters.iter().map(|cluster| &cluster.name));
        let mut text = "# --- The clusters ---\n\n".to_owned();
        let _ = writeln!(text, "clusters=({names})");
        let _ = writeln!(
            text,
            "# shellcheck disable=SC2016 # names are meant as they stand\ncontrol_plane=({})",
            self.control_plane.kubectl()
        );
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
            target,
            render,
            service_account,
            old_token_secrets,
            token_secret,
            token_from,
            has_storage_secret,
            has_certificate_authority,
        } = self;
        let yes_or_no = |is_so: &bool| if *is_so { "yes" } else { "no" };
        let _ = writeln!(text, "    {})", quote(name));
        for (variable, value) in [
            ("values", quote(values)),
            ("compute", format!("({})", target.kubectl())),
            ("render", format!("({})", quote_all(render))),
            ("service_account", quote(service_account)),
            ("token_secret", quote(token_secret)),
            ("old_token_secrets", quote(&old_token_secrets.join(" "))),
            ("token_from", token_from.as_str().to_owned()),
            ("storage_secret", yes_or_no(has_storage_secret).to_owned()),
            (
                "private_ca",
                yes_or_no(has_certificate_authority).to_owned(),
            ),
        ] {
            let _ = writeln!(text, "      {variable}={value}");
        }
        text.push_str("      ;;\n");
    }
}

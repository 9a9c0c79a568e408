//! A starter values file: what a kubeconfig tells, and what there is to fill in.
//!
//! What is open stands as a placeholder in angle brackets, which a render refuses, so nothing half-done
//! renders; what may be left out, as a comment.

use std::fmt::{Display, Write as _};
use std::time::SystemTime;

use crate::input::endpoint::Endpoint;
use crate::registration::endpoint::{resolve_authority, resolve_server};
use crate::registration::finding::{Finding, Level};
use crate::registration::server::Server;
use crate::render::quoted;
use crate::text::{holds_credential, is_unsafe_to_show};

/// What a starter is made of.
pub struct Starter<'a> {
    /// The cluster's name in the control plane.
    pub name: Name,
    /// Where editors find the schema: a path or URL without white space.
    pub schema: &'a str,
    /// The kubeconfig's path; none where the environment leads to it, or it can't be read again.
    pub kubeconfig: Option<&'a str>,
    /// What the kubeconfig says.
    pub endpoint: Endpoint,
}

/// A cluster's name in the control plane.
#[derive(Debug, PartialEq, Eq)]
pub enum Name {
    /// As the user gives it.
    Given(String),
    /// As the context's name has it.
    Guessed(String),
    /// The context's name tells none.
    Open,
}

impl Starter<'_> {
    /// The text of the values file. `now` decides about comments only.
    pub fn text(self, now: SystemTime) -> String {
        let mut text = String::new();
        // The YAML language server takes it from any comment.
        let modeline = format!("# yaml-language-server: $schema={}", self.schema);
        line(&mut text, 0, &modeline);
        let head = "Registers one compute cluster. An editor explains every key by that schema, which `ma-register schema` prints. Fill in what stands in <...>; then `ma-register inspect -f` this file shows what it comes to, and `ma-register runbook register` what to do next.";
        comment(&mut text, 0, head);
        line(&mut text, 0, "");
        self.name(&mut text);
        line(&mut text, 0, "");
        line(&mut text, 0, "kubeconfig:");
        self.path(&mut text);
        line(
            &mut text,
            2,
            &format!("context: {}", quoted(&self.endpoint.context)),
        );
        let server = self.server(&mut text);
        authority(&mut text, self.endpoint, server.as_ref(), now);
        text.push_str(REST);
        text
    }

    fn name(&self, text: &mut String) {
        let (name, guessed) = match &self.name {
            Name::Given(name) => (quoted(name), ""),
            Name::Guessed(name) => (quoted(name), ", here taken from the context's"),
            Name::Open => ("<NAME>".to_owned(), ""),
        };
        let meaning = format!(
            "The cluster's name in the control plane{guessed}: a DNS label, by which jobs ask for it. A cluster that has the name already would be replaced."
        );
        comment(text, 0, &meaning);
        line(text, 0, &format!("name: {name}"));
    }

    fn path(&self, text: &mut String) {
        match self.kubeconfig {
            Some(path) => {
                let relative = "Relative to this file: change it where this isn't the folder that `init` ran in.";
                comment(text, 2, relative);
                line(text, 2, &format!("path: {}", quoted(path)));
            }
            None => {
                let found = "Relative to this file; left out for what `--kubeconfig` names, or $KUBECONFIG, or ~/.kube/config.";
                comment(text, 2, found);
                line(text, 2, "# path: compute.kubeconfig");
            }
        }
    }

    fn server(&self, text: &mut String) -> Option<Server> {
        let (server, findings) = match resolve_server(&self.endpoint) {
            Ok(resolved) => resolved,
            Err(error) => {
                comment(text, 2, &format!("{error:#}"));
                line(text, 2, &open_server("<PORT>"));
                return None;
            }
        };
        for finding in &findings {
            comment(text, 2, &finding.text);
        }
        if findings.iter().any(is_denied) {
            line(text, 2, &open_server(server.port()));
        } else {
            let known = format!(
                "The address at which the control plane reaches the API server, where that isn't {}:{}:",
                server.url_host(),
                server.port()
            );
            comment(text, 2, &known);
            line(text, 2, "# server: https://203.0.113.7:6443");
        }
        Some(server)
    }
}

fn authority(text: &mut String, endpoint: Endpoint, server: Option<&Server>, now: SystemTime) {
    if server.is_some_and(Server::is_gke_dns_endpoint) {
        let public = "The certificate of a GKE DNS endpoint comes from a public authority.";
        comment(text, 2, public);
        line(text, 2, "certificateAuthority: system");
        return;
    }
    let is_open = match resolve_authority(endpoint, server, now) {
        Err(error) => {
            comment(text, 2, &format!("{error:#}"));
            true
        }
        Ok((_, findings)) => {
            for finding in &findings {
                comment(text, 2, &finding.text);
            }
            findings.iter().any(is_denied)
        }
    };
    if is_open {
        line(text, 2, "certificateAuthority: <PEM FILE OR system>");
    }
}

/// A server to be filled in.
fn open_server(port: impl Display) -> String {
    format!("server: https://<HOST AS THE CONTROL PLANE REACHES IT>:{port}")
}

fn is_denied(finding: &Finding) -> bool {
    finding.code.level() == Level::Deny
}

fn line(text: &mut String, indentation: usize, content: &str) {
    if content.is_empty() {
        text.push('\n');
        return;
    }
    let _ = writeln!(text, "{:indentation$}{content}", "");
}

/// The longest line of a comment, as far as words allow.
const WIDTH: usize = 80;

/// Writes a comment over as many lines as it takes.
fn comment(text: &mut String, indentation: usize, content: &str) {
    let mut current = String::new();
    for word in content.split_whitespace() {
        if !current.is_empty() && indentation + 2 + current.len() + word.len() >= WIDTH {
            line(text, indentation, &format!("# {current}"));
            current.clear();
        }
        if !current.is_empty() {
            current.push(' ');
        }
        // What acts on a terminal or ends a line has no place in a comment.
        current.extend(
            word.chars()
                .map(|character| match is_unsafe_to_show(character) {
                    true => '\u{fffd}',
                    false => character,
                }),
        );
    }
    line(text, indentation, &format!("# {current}"));
}

/// What a kubeconfig says nothing about.
const REST: &str = "
# What is copied into the Cluster's spec.
# cluster:
#   sla: production # or ephemeral
#   dc: on-prem # or gcp, oci
#   region: us-east-1
#   zone: us-east-1a
#   skus: [{cpu: 8, memoryGb: \"32\", diskSizeGb: \"100\", gpu: 1, gpuSku: a100}]

storage:
  # An fsspec URL.
  # fileSystem: s3://default
  # URL of the S3 API, as the compute cluster's pods reach it; none for AWS.
  # endpoint: http://minio:9091
  # Further environment variables of every Ray pod.
  # extraEnv: {MLFLOW_TRACKING_URI: \"http://mlflow:5000\"}
  #
  # How jobs get in: put one of these in place of the last line.
  # By the platform, without keys, as by IRSA:
  # credentials: workloadIdentity
  # By an S3 key, each half from a variable or a file, or as it is:
  # credentials:
  #   accessKeyId: {env: ACCESS_KEY_ID}
  #   secretAccessKey: {file: secret-access-key}
  # By an S3 key that the External Secrets Operator gets from a store:
  # credentials:
  #   externalSecret:
  #     key: s3/compute-0
  #     accessKeyIdProperty: id
  #     secretAccessKeyProperty: secret
  # By a Secret aws-credentials that someone else makes:
  # credentials: {existingSecret: true}
  credentials: <ONE OF THESE>

# Where the service account's token comes from. Left out, it comes with
# `--token-file`, as in a runbook. Or choose one:
# token: {file: compute.token} # or {env: NAME}
# token: externalSecret # the External Secrets Operator moves it
# token: none # someone else makes the Secret

# For the two externalSecret forms.
# externalSecrets:
#   computeStore: {name: vault, kind: ClusterSecretStore}
#   controlPlaneStore: {name: vault, kind: ClusterSecretStore}

# The service account by which the control plane works here. To rotate its
# token, append a name.
# serviceAccount:
#   name: ray-manager
#   tokenSecrets: [ray-manager-token]
#   scope: cluster # or namespace

# Added to every manifest; `annotations` likewise.
# labels: {team: ml-platform}

# Findings that are accepted for this cluster, by their codes.
# allow: []
";

/// Names that a tool gives to every cluster, so that they tell none.
const TELLING_NOTHING: [&str; 5] = [
    "admin",
    "cluster",
    "default",
    "kubernetes",
    "kubernetes-admin",
];

impl Name {
    /// The cluster's name as a part of a context's, as far as that is one.
    pub fn of_context(context: &str) -> Self {
        let parts: Vec<&str> = context.split('/').collect();
        let of_provider = match (context.strip_prefix("gke_"), parts.as_slice()) {
            (Some(rest), _) => rest.rsplit('_').next(),
            // OpenShift's: a namespace, a server with its port, and a user.
            (None, [_, server, _]) => server.split(':').next(),
            // That of EKS is an ARN, which ends in the cluster's own; those with a user begin with it.
            (None, _) => context.rsplit(['/', '@']).next(),
        };
        let lower = of_provider.unwrap_or(context).to_lowercase();
        let mut name = String::new();
        for character in lower.chars() {
            let is_of_name = character.is_ascii_lowercase() || character.is_ascii_digit();
            match (is_of_name, name.ends_with('-') || name.is_empty()) {
                (true, _) => name.push(character),
                (false, false) => name.push('-'),
                (false, true) => {}
            }
        }
        name.truncate(63);
        let name = name.trim_end_matches('-');
        let tells_nothing = name.is_empty() || TELLING_NOTHING.contains(&name);
        match tells_nothing || holds_credential(context) {
            true => Self::Open,
            false => Self::Guessed(name.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_from_a_context() {
        for (context, name) in [
            ("my-compute-cluster-context", "my-compute-cluster-context"),
            ("arn:aws:eks:us-east-1:123456789012:cluster/Prod", "prod"),
            ("gke_project_us-central1_jobs", "jobs"),
            ("admin@jobs", "jobs"),
            ("default/api-example-com:6443/kube:admin", "api-example-com"),
            ("a__b..c-", "a-b-c"),
            ("minikube", "minikube"),
            ("ÄÖ", ""),
            ("kubernetes-admin@kubernetes", ""),
            ("default", ""),
            ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", ""),
            ("", ""),
        ] {
            let expected = match name {
                "" => Name::Open,
                name => Name::Guessed(name.to_owned()),
            };
            assert_eq!(Name::of_context(context), expected, "{context}");
        }
        let Name::Guessed(long) = Name::of_context(&"a-".repeat(60)) else {
            panic!("a long name is one");
        };
        assert_eq!(long.len(), 63);
    }

    #[test]
    fn comments_are_wrapped_and_stay_comments() {
        let mut text = String::new();
        comment(&mut text, 2, &"word\nname: x\u{85}y ".repeat(20));
        assert!(
            text.lines()
                .all(|line| line.starts_with("  # ") && line.len() < 120)
        );
        assert!(!text.contains('\u{85}'));
    }
}

//! A starter values file: what a kubeconfig tells, and what there is to fill in.
//!
//! What is open stands as a placeholder in angle brackets, which a render refuses by name, or as
//! a comment to choose from; so nothing half-done renders.

use std::fmt::Write as _;
use std::time::SystemTime;

use crate::input::endpoint::Endpoint;
use crate::registration::endpoint::{resolve_authority, resolve_server};
use crate::registration::finding::{Finding, Level};
use crate::registration::server::Server;
use crate::render::quoted;
use crate::text::is_unsafe_to_show;

/// What a starter is made of.
pub struct Starter<'a> {
    /// The cluster's name in the control plane.
    pub name: &'a str,
    /// How the kubeconfig is found.
    pub kubeconfig: Kubeconfig<'a>,
    /// What the kubeconfig says.
    pub endpoint: &'a Endpoint,
}

/// How a kubeconfig is found.
pub enum Kubeconfig<'a> {
    /// By this path.
    At(&'a str),
    /// By the environment.
    Default,
    /// By a path that isn't known, as that of standard input.
    Unknown,
}

impl Starter<'_> {
    /// The text of the values file. `now` decides about comments only.
    pub fn text(&self, now: SystemTime) -> String {
        let mut text = String::new();
        let head =
            "# Registers one compute cluster. Every key is explained in the README of ma-register.";
        line(&mut text, 0, head);
        line(&mut text, 0, "");
        comment(
            &mut text,
            0,
            "The cluster's name in the control plane, by which jobs ask for it: a DNS label.",
        );
        line(&mut text, 0, &format!("name: {}", quoted(self.name)));
        line(&mut text, 0, "");
        line(&mut text, 0, "kubeconfig:");
        match self.kubeconfig {
            Kubeconfig::At(path) => {
                comment(&mut text, 2, "Relative to this file.");
                line(&mut text, 2, &format!("path: {}", quoted(path)));
            }
            Kubeconfig::Unknown => line(&mut text, 2, "path: <KUBECONFIG>"),
            Kubeconfig::Default => {}
        }
        line(
            &mut text,
            2,
            &format!("context: {}", quoted(&self.endpoint.context)),
        );
        self.server(&mut text, now);
        text.push_str(REST);
        text
    }

    fn server(&self, text: &mut String, now: SystemTime) {
        let server = match resolve_server(self.endpoint) {
            Err(error) => {
                comment(text, 2, &format!("{error:#}"));
                open_server(text, 6443);
                None
            }
            Ok((server, findings)) => {
                for finding in &findings {
                    comment(text, 2, &finding.text);
                }
                if findings.iter().any(is_denied) {
                    open_server(text, server.port());
                } else {
                    let known = format!("{}:{}", server.url_host(), server.port());
                    comment(
                        text,
                        2,
                        &format!(
                            "The address at which the control plane reaches the API server, where that isn't {known}:"
                        ),
                    );
                    line(text, 2, "# server: https://203.0.113.7:6443");
                }
                Some(server)
            }
        };
        self.authority(text, server.as_ref(), now);
    }

    fn authority(&self, text: &mut String, server: Option<&Server>, now: SystemTime) {
        if server.is_some_and(Server::is_gke_dns_endpoint) {
            comment(
                text,
                2,
                "The certificate of a GKE DNS endpoint comes from a public authority.",
            );
            line(text, 2, "certificateAuthority: system");
            return;
        }
        let is_open = match resolve_authority(self.endpoint, server, now) {
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
}

/// A server to be filled in.
fn open_server(text: &mut String, port: u16) {
    let server = format!("server: https://<HOST AS THE CONTROL PLANE REACHES IT>:{port}");
    line(text, 2, &server);
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
const WIDTH: usize = 100;

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
  # The S3 API's URL, as pods of the compute cluster reach it; left out for AWS S3 itself.
  # endpoint: http://minio:9091
  #
  # How jobs get in. Choose one:
  # credentials: workloadIdentity # no keys: pods get access from the platform, as by IRSA
  # credentials: {accessKeyId: {env: ACCESS_KEY_ID}, secretAccessKey: {file: secret-access-key}}
  # credentials: {externalSecret: {key: s3/compute-0, accessKeyIdProperty: id, secretAccessKeyProperty: secret}}
  # credentials: {existingSecret: true} # the Secret aws-credentials is someone else's

# Where the service account's token comes from. Left out, it comes with `--token-file`. Or choose one:
# token: {file: compute.token} # or {env: NAME}
# token: externalSecret # the External Secrets Operator takes it to the control plane
# token: none # someone else makes the Secret

# For the two externalSecret forms.
# externalSecrets:
#   computeStore: {name: vault, kind: ClusterSecretStore}
#   controlPlaneStore: {name: vault, kind: ClusterSecretStore}
";

/// A cluster's name as the last part of a context's, as far as that can be one: the names of
/// cloud providers' contexts end in the cluster's own.
pub fn name_of_context(context: &str) -> String {
    let of_provider = match context.split_once("gke_") {
        Some(("", rest)) => rest.rsplit('_').next(),
        _ => context.rsplit(['/', '@']).next(),
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
    if name.is_empty() { "compute-0" } else { name }.to_owned()
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
            ("kubernetes-admin@kubernetes", "kubernetes"),
            ("default/api-example-com:6443/kube:admin", "kube-admin"),
            ("ÄÖ", "compute-0"),
            ("a__b..c-", "a-b-c"),
            ("", "compute-0"),
        ] {
            assert_eq!(name_of_context(context), name, "{context}");
        }
        assert_eq!(name_of_context(&"a-".repeat(60)).len(), 63);
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

//! The service accounts of the compute cluster: the one that the control plane uses, and that of Ray pods.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Checks;
use super::metadata;
use super::names::{check_filled_in, check_subdomain};
use crate::diagnostic::Diagnostic;
use crate::show::shown;
use crate::values::{PodServiceAccountValues, Rule, Scope, ServiceAccountValues, Text};

#[derive(Debug)]
pub struct ServiceAccount {
    pub name: String,
    /// Names of its token Secrets, at least one; the last is the current one.
    pub token_secrets: Vec<String>,
    pub extra_rules: Vec<Rule>,
    pub scope: Scope,
    /// Whether it, its role and its binding are ours to render.
    pub create: bool,
}

/// Checks and completes `serviceAccount`.
pub fn resolve(values: &ServiceAccountValues, checks: &mut Checks<'_>) -> ServiceAccount {
    let ServiceAccountValues { create, name, token_secrets, extra_rules, scope } = values;
    let create = create.unwrap_or(true);
    for (key, is_given) in [("scope", scope.is_some()), ("extraRules", extra_rules.is_some())] {
        if !create && is_given {
            let message = "with `create: false` the account's rights are decided elsewhere";
            let key = format!("serviceAccount.{key}");
            checks.push(&key, Diagnostic::error(message).help("remove it"));
        }
    }
    let name = name.as_deref().unwrap_or("ray-manager").to_owned();
    checks.take("serviceAccount.name", check_name(&name));
    let token_secrets = match token_secrets {
        Some(names) => names.iter().map(|name| name.0.clone()).collect(),
        None => vec![format!("{name}-token")],
    };
    checks.take("serviceAccount.tokenSecrets", check_token_secrets(&token_secrets));
    let scope = scope.unwrap_or_default();
    let extra_rules = extra_rules.clone().unwrap_or_default();
    for rule in &extra_rules {
        checks.take("serviceAccount.extraRules", check_rule(rule, scope));
    }
    ServiceAccount { name, token_secrets, extra_rules, scope, create }
}

/// Annotations of a shared object: GitOps tools neither prune nor replace it. Argo CD's `Delete=false` is for the deletion
/// of the whole Application, which `Prune=false` doesn't cover.
const SHARED_ANNOTATIONS: [(&str, &str); 3] = [
    ("argocd.argoproj.io/sync-options", "Prune=false,Delete=false"),
    ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
    ("kustomize.toolkit.fluxcd.io/ssa", "Merge"),
];

/// ServiceAccount `default`, that every Ray pod runs as.
#[derive(Debug, Serialize)]
pub struct PodServiceAccount {
    /// The user's, and those of a shared object.
    pub annotations: BTreeMap<String, String>,
    /// Names of its image pull secrets. If there are none, the list is left to others.
    pub image_pull_secrets: Vec<String>,
}

/// Checks `podServiceAccount`.
pub fn resolve_pod_account(
    values: &PodServiceAccountValues,
    checks: &mut Checks<'_>,
) -> PodServiceAccount {
    let PodServiceAccountValues { annotations, image_pull_secrets } = values;
    let names: Vec<String> =
        image_pull_secrets.iter().flatten().map(|name| name.0.clone()).collect();
    for value in annotations.iter().flatten().map(|(_, value)| value) {
        checks.take("podServiceAccount.annotations", check_filled_in(value));
    }
    let checked = names.iter().try_for_each(|name| check_subdomain(name));
    checks.take("podServiceAccount.imagePullSecrets", checked);
    let mut annotations =
        metadata::annotations("podServiceAccount.annotations", annotations, checks);
    for (key, value) in SHARED_ANNOTATIONS {
        annotations.entry(key.to_owned()).or_insert_with(|| value.to_owned());
    }
    PodServiceAccount { annotations, image_pull_secrets: names }
}

/// Refuses Kubernetes' own names: our role would replace the built-in one, and `default` is every pod's account.
fn check_name(name: &str) -> Result<(), Diagnostic> {
    check_subdomain(name)?;
    match name {
        "default" | "cluster-admin" | "admin" | "edit" | "view" => {
            let message = format!("{} belongs to Kubernetes itself", shown(name));
            Err(Diagnostic::error(message).help("choose another name"))
        }
        _ => Ok(()),
    }
}

fn check_token_secrets(names: &[String]) -> Result<(), Diagnostic> {
    if names.is_empty() {
        return Err(Diagnostic::error("the list is empty").help("name at least one Secret"));
    }
    names.iter().try_for_each(|name| check_subdomain(name))
}

/// Checks a rule as the API server does (`k8s.io/kubernetes/pkg/apis/rbac/validation`).
fn check_rule(rule: &Rule, scope: Scope) -> Result<(), Diagnostic> {
    let has = |list: &Option<Vec<Text>>| list.iter().flatten().next().is_some();
    let Rule { api_groups, resources, resource_names, non_resource_urls, verbs } = rule;
    let is_good = if has(non_resource_urls) {
        scope == Scope::Cluster && ![api_groups, resources, resource_names].into_iter().any(has)
    } else {
        has(resources) && has(api_groups)
    };
    if verbs.is_empty() || !is_good {
        let error = Diagnostic::error("the rule isn't one that Kubernetes accepts");
        return Err(error.help("write `verbs`, and either `apiGroups` and `resources`, or with `scope: cluster` `nonResourceURLs`"));
    }
    Ok(())
}

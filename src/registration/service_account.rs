//! The service account that the control plane uses in the compute cluster.

use super::checks::Checks;
use super::names::check_subdomain;
use crate::diagnostic::Diagnostic;
use crate::show::shown;
use crate::values::{Rule, Scope, ServiceAccountValues, Text};

/// The service account, checked.
#[derive(Debug)]
pub struct ServiceAccount {
    /// Name of the account and of its role.
    pub name: String,
    /// Names of its token Secrets, at least one; the last is the current one.
    pub token_secrets: Vec<String>,
    /// Rules beyond those for Ray.
    pub extra_rules: Vec<Rule>,
    /// How far its rights reach.
    pub scope: Scope,
}

/// Checks and completes `serviceAccount`.
pub fn resolve(values: &ServiceAccountValues, checks: &mut Checks<'_>) -> ServiceAccount {
    let ServiceAccountValues { name, token_secrets, extra_rules, scope } = values;
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
    ServiceAccount { name, token_secrets, extra_rules, scope }
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
    let has = |list: &Option<Vec<Text>>| list.as_ref().is_some_and(|list| !list.is_empty());
    let urls = has(&rule.non_resource_urls);
    let resources = has(&rule.resources) && has(&rule.api_groups);
    if rule.verbs.is_empty() {
        return Err(Diagnostic::error("a rule has no `verbs`"));
    }
    if urls && scope == Scope::Namespace {
        return Err(Diagnostic::error("a rule for `nonResourceURLs` needs `scope: cluster`"));
    }
    if urls == resources {
        return Err(Diagnostic::error(
            "a rule needs either `apiGroups` and `resources`, or `nonResourceURLs`",
        ));
    }
    Ok(())
}

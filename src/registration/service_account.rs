//! The service account by which the control plane works in the compute cluster.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};

use super::name::check_subdomain;
use crate::input::values::{Rule, Scope, ServiceAccountValues};
use crate::text::shown;

/// The namespace in which every Ray job runs, and with it the service account.
pub const NAMESPACE: &str = "default";

/// The service account, checked.
#[derive(Debug)]
pub struct ServiceAccount {
    /// Its name.
    pub name: String,
    /// Names of its token Secrets, at least one; the last is the current one.
    pub token_secrets: Vec<String>,
    /// Rules beyond those for Ray.
    pub extra_rules: Vec<Rule>,
    /// How far its rights reach.
    pub scope: Scope,
}

/// Checks and completes what the values file says about the service account.
///
/// # Errors
/// Where a name or a rule isn't one that Kubernetes takes.
pub fn resolve(values: ServiceAccountValues) -> Result<ServiceAccount> {
    let ServiceAccountValues {
        name,
        token_secrets,
        extra_rules,
        scope,
    } = values;
    let name = name.unwrap_or_else(|| "ray-manager".to_owned());
    check_subdomain(&name).context("`serviceAccount.name`")?;
    check_not_taken(&name).context("`serviceAccount.name`")?;
    // The binding's name is longer, and has the same limit.
    check_subdomain(&format!("{name}-binding")).context("`serviceAccount.name`, as a binding's")?;
    let token_secrets = token_secrets.unwrap_or_else(|| vec![format!("{name}-token")]);
    check_token_secrets(&token_secrets).context("`serviceAccount.tokenSecrets`")?;
    let scope = scope.unwrap_or_default();
    let extra_rules = extra_rules.unwrap_or_default();
    for (position, rule) in extra_rules.iter().enumerate() {
        check_rule(rule, scope)
            .with_context(|| format!("`serviceAccount.extraRules[{position}]`"))?;
    }
    Ok(ServiceAccount {
        name,
        token_secrets,
        extra_rules,
        scope,
    })
}

/// The role has the service account's name, and Kubernetes has roles of its own
/// (<https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles>), which would be
/// replaced; and the service account `default` is every pod's.
fn check_not_taken(name: &str) -> Result<()> {
    match name {
        "default" => bail!(
            "`default` is the service account of every pod in the namespace, which would all get the control plane's rights; choose another name"
        ),
        "cluster-admin" | "admin" | "edit" | "view" => bail!(
            "{} is a role of Kubernetes' own, which would be replaced; choose another name",
            shown(name)
        ),
        _ => Ok(()),
    }
}

fn check_token_secrets(names: &[String]) -> Result<()> {
    if names.is_empty() {
        bail!("it is empty; the token comes from the last Secret in it");
    }
    let mut seen = BTreeSet::new();
    for name in names {
        check_subdomain(name)?;
        if name == super::STORAGE_SECRET {
            bail!("{} is the Secret with the storage's keys", shown(name));
        }
        if !seen.insert(name) {
            bail!("{} stands in it twice", shown(name));
        }
    }
    Ok(())
}

/// As the API server checks a PolicyRule (`k8s.io/kubernetes/pkg/apis/rbac/validation`).
fn check_rule(rule: &Rule, scope: Scope) -> Result<()> {
    let is_given = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    let urls = is_given(&rule.non_resource_urls);
    let resources =
        is_given(&rule.resources) || is_given(&rule.api_groups) || is_given(&rule.resource_names);
    if rule.verbs.is_empty() {
        bail!("`verbs` is empty");
    }
    if urls && scope == Scope::Namespace {
        bail!(
            "`nonResourceURLs` belongs to a ClusterRole, and `serviceAccount.scope` is `namespace`"
        );
    }
    if urls && resources {
        bail!("a rule is about resources or about `nonResourceURLs`, not both: write two");
    }
    let names_resources = is_given(&rule.resources) && is_given(&rule.api_groups);
    if !urls && !names_resources {
        bail!(
            "it needs `apiGroups` (`\"\"` is the core group) and `resources`, or `nonResourceURLs`"
        );
    }
    Ok(())
}

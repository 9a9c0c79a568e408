//! The list of a registration's objects, with their identities and templates. Manifests and runbooks come from it.

use std::fmt;

use super::Side;
use crate::diagnostic::Diagnostic;
use crate::registration::Outline;
use crate::registration::credentials::STORAGE_SECRET;
use crate::show::shown;
use crate::sources::Delivery;
use crate::values::Scope;

/// The namespace of all Ray jobs, on the compute cluster. On the control plane, the controller looks for its Secrets in
/// the namespace of the same name.
const NAMESPACE: &str = "default";
/// The only namespace in which the controller accepts Clusters.
const CLUSTERS_NAMESPACE: &str = "ma-system";

/// The identity of an object in its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub kind: String,
    pub name: String,
    /// `None` for a cluster-scoped kind.
    pub namespace: Option<String>,
}

impl Identity {
    /// Returns the argument of kubectl: `secret/NAME`. Custom resources get their group, since others have a `Cluster`.
    pub fn resource(&self) -> String {
        let kind = match self.kind.as_str() {
            "Cluster" => "clusters.michelangelo.api".to_owned(),
            "ExternalSecret" => "externalsecrets.external-secrets.io".to_owned(),
            "PushSecret" => "pushsecrets.external-secrets.io".to_owned(),
            kind => kind.to_ascii_lowercase(),
        };
        format!("{kind}/{}", self.name)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, namespace } = self;
        write!(f, "{} {}", kind, shown(name))?;
        match namespace {
            Some(namespace) => write!(f, " in namespace {}", shown(namespace)),
            None => f.write_str(" without a namespace"),
        }
    }
}

/// An object to render.
#[derive(Clone, Debug)]
pub struct Object {
    /// Path of the template, such as `compute/40-configmap.yaml.j2`.
    pub template: &'static str,
    /// The identity that the template has to render.
    pub identity: Identity,
    /// An annotation that this object needs to work.
    pub annotation: Option<(&'static str, String)>,
    /// Whether others use the object, too, so that it is neither labelled nor deleted.
    pub is_shared: bool,
    /// Whether a release of Michelangelo's chart may have made it, so that a script doesn't take it over.
    pub may_be_charts: bool,
}

/// Returns the objects of one side, in the order in which they have to be applied.
pub fn objects(side: Side, outline: &Outline) -> Vec<Object> {
    match side {
        Side::Compute => compute(outline),
        Side::ControlPlane => control_plane(outline),
    }
}

fn compute(outline: &Outline) -> Vec<Object> {
    let account = outline.service_account.name.as_str();
    let bound = format!("{account}-binding");
    let namespaced = |template, kind, name: &str| object(template, kind, name, Some(NAMESPACE));
    let mut objects = Vec::new();
    if outline.service_account.create {
        let template = "compute/10-serviceaccount.yaml.j2";
        objects.push(namespaced(template, "ServiceAccount", account));
        objects.extend(match outline.service_account.scope {
            Scope::Cluster => [
                object("compute/20-clusterrole.yaml.j2", "ClusterRole", account, None),
                object("compute/30-clusterrolebinding.yaml.j2", "ClusterRoleBinding", &bound, None),
            ],
            Scope::Namespace => [
                namespaced("compute/20-role.yaml.j2", "Role", account),
                namespaced("compute/30-rolebinding.yaml.j2", "RoleBinding", &bound),
            ],
        });
    }
    if outline.pod_service_account.is_some() {
        let template = "compute/11-serviceaccount-pods.yaml.j2";
        let pods = namespaced(template, "ServiceAccount", "default");
        objects.push(Object { is_shared: true, ..pods });
    }
    objects.push(namespaced("compute/40-configmap.yaml.j2", "ConfigMap", "michelangelo-config"));
    objects.extend(delivered(
        outline.s3_key,
        ["compute/50-secret-storage.yaml.j2", "compute/50-externalsecret-storage.yaml.j2"],
        STORAGE_SECRET,
    ));
    if let Some(name) = &outline.collector_secret {
        let collector = delivered(
            outline.s3_key,
            ["compute/51-secret-collector.yaml.j2", "compute/51-externalsecret-collector.yaml.j2"],
            name,
        );
        objects.extend(collector.map(|object| Object { may_be_charts: true, ..object }));
    }
    // After the ServiceAccount: the token controller deletes a token Secret whose account doesn't exist.
    for name in &outline.service_account.token_secrets {
        let mut secret = namespaced("compute/60-secret-token.yaml.j2", "Secret", name);
        secret.annotation = Some(("kubernetes.io/service-account.name", account.to_owned()));
        objects.push(secret);
    }
    if outline.token == Delivery::ExternalSecret {
        let name = format!("{account}-token");
        objects.push(namespaced("compute/70-pushsecret-token.yaml.j2", "PushSecret", &name));
    }
    objects
}

fn control_plane(outline: &Outline) -> Vec<Object> {
    let ca = ca_secret(outline);
    let mut objects =
        vec![object("control-plane/10-secret-ca.yaml.j2", "Secret", &ca, Some(NAMESPACE))];
    objects.extend(delivered(
        outline.token,
        ["control-plane/20-secret-token.yaml.j2", "control-plane/20-externalsecret-token.yaml.j2"],
        &client_token_secret(outline),
    ));
    // Last, because a job that meets a Cluster before its Secrets fails for good.
    let template = "control-plane/30-cluster.yaml.j2";
    let mut cluster = object(template, "Cluster", &outline.name, Some(CLUSTERS_NAMESPACE));
    if outline.token == Delivery::ExternalSecret {
        // Argo CD then waits until the operator has made the Secret.
        cluster.annotation = Some(("argocd.argoproj.io/sync-wave", "1".to_owned()));
    }
    objects.push(cluster);
    objects
}

/// Returns the name of the Secret with the CA, for the Cluster's `caDataTag`.
pub fn ca_secret(outline: &Outline) -> String {
    format!("cluster-{}-ca-data", outline.name)
}

/// Returns the name of the Secret with the token, for the Cluster's `tokenTag`.
pub fn client_token_secret(outline: &Outline) -> String {
    format!("cluster-{}-client-token", outline.name)
}

fn delivered(delivery: Delivery, templates: [&'static str; 2], name: &str) -> Option<Object> {
    let [secret, external_secret] = templates;
    match delivery {
        Delivery::Rendered => Some(object(secret, "Secret", name, Some(NAMESPACE))),
        Delivery::ExternalSecret => {
            Some(object(external_secret, "ExternalSecret", name, Some(NAMESPACE)))
        }
        Delivery::Elsewhere => None,
    }
}

fn object(template: &'static str, kind: &str, name: &str, namespace: Option<&str>) -> Object {
    let identity = Identity {
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
    };
    Object { template, identity, annotation: None, is_shared: false, may_be_charts: false }
}

/// Returns an error if two objects of a registration would be the same Secret. Checks both sides together, since a
/// control plane may be its own compute cluster.
pub fn repeated_secret(outline: &Outline) -> Option<Diagnostic> {
    let both = [Side::Compute, Side::ControlPlane];
    let mut names: Vec<String> = both
        .into_iter()
        .flat_map(|side| objects(side, outline))
        .filter(|object| matches!(object.identity.kind.as_str(), "Secret" | "ExternalSecret"))
        .map(|object| object.identity.name)
        .collect();
    names.sort();
    let repeated = names.windows(2).find(|pair| pair.first() == pair.last())?.first()?;
    let message = format!("two objects of the registration are the Secret {}", shown(repeated));
    let help =
        "give each its own name in `serviceAccount.tokenSecrets` and `storage.collectorSecret`";
    Some(Diagnostic::error(message).help(help))
}

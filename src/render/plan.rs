//! The plan: which objects a registration consists of, and which template renders each.

use minijinja::context;
use minijinja::value::{Serde, Value};

use super::sealed::{Seal, Sealed};
use crate::input::values::{DataCentre, Scope, Sla};
use crate::registration::service_account::NAMESPACE;
use crate::registration::storage::{self, KeyPair};
use crate::registration::{Registration, STORAGE_SECRET};
use crate::side::Side;

/// One object that is to be rendered: what it has to be, whatever the template says.
pub struct Object {
    /// The template's file name without its ending.
    pub template: &'static str,
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its namespace; none for kinds that have none.
    pub namespace: Option<&'static str>,
}

/// The namespace that the control plane accepts Clusters in.
const CLUSTERS_NAMESPACE: &str = "ma-system";
/// The ConfigMap that every Ray pod takes its environment from.
const CONFIG_MAP: &str = "michelangelo-config";

/// The objects of one side, in the order in which they work when applied.
pub fn objects(side: Side, registration: &Registration) -> Vec<Object> {
    match side {
        Side::Compute => compute(registration),
        Side::ControlPlane => control_plane(registration),
    }
}

fn compute(registration: &Registration) -> Vec<Object> {
    let object = |template, kind, name: &str, namespace| Object {
        template,
        kind,
        name: name.to_owned(),
        namespace,
    };
    let account = &registration.service_account;
    let binding = format!("{}-binding", account.name);
    let namespace = Some(NAMESPACE);
    let mut objects = vec![object(
        "10-serviceaccount",
        "ServiceAccount",
        &account.name,
        namespace,
    )];
    objects.extend(match account.scope {
        Scope::Cluster => [
            object("20-clusterrole", "ClusterRole", &account.name, None),
            object(
                "30-clusterrolebinding",
                "ClusterRoleBinding",
                &binding,
                None,
            ),
        ],
        Scope::Namespace => [
            object("20-role", "Role", &account.name, namespace),
            object("30-rolebinding", "RoleBinding", &binding, namespace),
        ],
    });
    objects.push(object("40-configmap", "ConfigMap", CONFIG_MAP, namespace));
    if let Some(KeyPair::Read { .. }) = registration.storage.keys {
        objects.push(object(
            "50-secret-storage",
            "Secret",
            STORAGE_SECRET,
            namespace,
        ));
    }
    for name in &account.token_secrets {
        objects.push(object("60-secret-token", "Secret", name, namespace));
    }
    objects
}

fn control_plane(registration: &Registration) -> Vec<Object> {
    let object = |template, kind, name: String, namespace| Object {
        template,
        kind,
        name,
        namespace: Some(namespace),
    };
    let mut objects = vec![object(
        "10-secret-ca",
        "Secret",
        ca_secret(registration),
        NAMESPACE,
    )];
    if registration.token.is_some() {
        objects.push(object(
            "20-secret-token",
            "Secret",
            token_secret(registration),
            NAMESPACE,
        ));
    }
    objects.push(object(
        "30-cluster",
        "Cluster",
        registration.name.clone(),
        CLUSTERS_NAMESPACE,
    ));
    objects
}

/// The Secret with the CA, as the Cluster's `caDataTag` names it.
fn ca_secret(registration: &Registration) -> String {
    format!("cluster-{}-ca-data", registration.name)
}

/// The Secret with the token, as the Cluster's `tokenTag` names it.
fn token_secret(registration: &Registration) -> String {
    format!("cluster-{}-client-token", registration.name)
}

/// The values that the templates of one side see. Secrets of the other side aren't among them.
pub fn values(side: Side, registration: &Registration, seal: &Seal) -> Value {
    let account = &registration.service_account;
    let common = context! {
        name => registration.name.as_str(),
        labels => Value::from(Serde(&registration.labels)),
        annotations => Value::from(Serde(&registration.annotations)),
        service_account => context! {
            name => account.name.as_str(),
            token_secrets => account.token_secrets.clone(),
            extra_rules => Value::from(Serde(&account.extra_rules)),
        },
    };
    match side {
        Side::Compute => context! { ..common, ..compute_values(registration, seal) },
        Side::ControlPlane => context! { ..common, ..control_plane_values(registration, seal) },
    }
}

/// The values of one object's template: the side's, and which object it is.
pub fn object_values(side: &Value, object: &Object) -> Value {
    context! { object_name => object.name.as_str(), ..side.clone() }
}

fn compute_values(registration: &Registration, seal: &Seal) -> Value {
    let storage = &registration.storage;
    let mut environment = vec![
        (
            storage::FILE_SYSTEM,
            Value::from(storage.file_system.as_str()),
        ),
        (storage::SCHEME, Value::from(storage.scheme.as_str())),
    ];
    if let Some(endpoint) = &storage.endpoint {
        environment.push((storage::ENDPOINT, Value::from(endpoint.as_str())));
    }
    let mut keys = Vec::new();
    if let Some(KeyPair::Read {
        access_key_id,
        secret_access_key,
    }) = &storage.keys
    {
        keys.push((storage::ACCESS_KEY_ID, Sealed::value(access_key_id, seal)));
        keys.push((
            storage::SECRET_ACCESS_KEY,
            Sealed::value(secret_access_key, seal),
        ));
    }
    environment.extend(keys.clone());
    for (name, value) in &storage.extra_env {
        environment.push((name, Value::from(value.as_str())));
    }
    context! {
        storage => context! {
            environment => pairs(environment),
            keys => pairs(keys),
        },
    }
}

fn control_plane_values(registration: &Registration, seal: &Seal) -> Value {
    let authority = registration.certificate_authority.as_ref();
    let cluster = &registration.cluster;
    let sla = cluster.sla.map(|sla| match sla {
        Sla::Production => "SLA_TYPE_PRODUCTION",
        Sla::Ephemeral => "SLA_TYPE_EPHEMERAL",
    });
    let dc = cluster.dc.map(|dc| match dc {
        DataCentre::OnPrem => "DC_TYPE_ON_PREM",
        DataCentre::Gcp => "DC_TYPE_CLOUD_GCP",
        DataCentre::Oci => "DC_TYPE_CLOUD_OCI",
    });
    context! {
        server => context! {
            host => registration.server.url_host(),
            port => registration.server.port().to_string(),
        },
        cluster => context! {
            sla => sla,
            dc => dc,
            region => cluster.region.as_deref(),
            zone => cluster.zone.as_deref(),
            skus => Value::from(Serde(cluster.skus.as_deref().unwrap_or_default())),
        },
        ca => context! {
            secret => ca_secret(registration),
            // Empty: the controller's own roots.
            pem => authority.map_or("", |authority| authority.pem()),
        },
        token => context! {
            secret => token_secret(registration),
            text => registration.token.as_ref().map(|token| Sealed::value(token, seal)),
        },
    }
}

/// Pairs for `{% for key, value in … %}`, where the order matters.
fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    pairs
        .into_iter()
        .map(|(key, value)| Value::from(vec![Value::from(key), value]))
        .collect()
}

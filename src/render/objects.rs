//! Which objects a registration consists of, which template renders each, and with which values.

use std::collections::BTreeMap;

use minijinja::context;
use minijinja::value::{Serde, Value};

use super::{Identity, Side};
use crate::registration::external_secrets::{ExternalSecrets, StoredKeys};
use crate::registration::storage::{ACCESS_KEY_ID, Access, SECRET_ACCESS_KEY};
use crate::registration::{Authority, NAMESPACE, Registration, STORAGE_SECRET, TokenDelivery};
use crate::values::{Scope, Store};

/// The namespace that the controller accepts Clusters in.
const CLUSTERS_NAMESPACE: &str = "ma-system";
/// The ConfigMap that every Ray pod takes its environment from.
const CONFIG_MAP: &str = "michelangelo-config";

/// One object that is to be rendered.
pub struct Object {
    /// Path of its template.
    pub template: &'static str,
    /// What it has to be, whatever the template says.
    pub identity: Identity,
}

fn object(template: &'static str, kind: &str, name: &str, namespace: Option<&str>) -> Object {
    let identity = Identity {
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
    };
    Object { template, identity }
}

/// The objects of one side, in the order in which they work when applied.
pub fn objects(side: Side, registration: &Registration) -> Vec<Object> {
    match side {
        Side::Compute => compute(registration),
        Side::ControlPlane => control_plane(registration),
    }
}

fn compute(registration: &Registration) -> Vec<Object> {
    let account = registration.service_account.name.as_str();
    let binding = format!("{account}-binding");
    let namespace = Some(NAMESPACE);
    let mut objects =
        vec![object("compute/10-serviceaccount.yaml.j2", "ServiceAccount", account, namespace)];
    objects.extend(match registration.service_account.scope {
        Scope::Cluster => [
            object("compute/20-clusterrole.yaml.j2", "ClusterRole", account, None),
            object("compute/30-clusterrolebinding.yaml.j2", "ClusterRoleBinding", &binding, None),
        ],
        Scope::Namespace => [
            object("compute/20-role.yaml.j2", "Role", account, namespace),
            object("compute/30-rolebinding.yaml.j2", "RoleBinding", &binding, namespace),
        ],
    });
    objects.push(object("compute/40-configmap.yaml.j2", "ConfigMap", CONFIG_MAP, namespace));
    match registration.storage.access {
        Access::Keys(_) => {
            objects.push(object(
                "compute/50-secret-storage.yaml.j2",
                "Secret",
                STORAGE_SECRET,
                namespace,
            ));
        }
        Access::External(_) => {
            let template = "compute/50-externalsecret-storage.yaml.j2";
            objects.push(object(template, "ExternalSecret", STORAGE_SECRET, namespace));
        }
        Access::WorkloadIdentity | Access::ExistingSecret => {}
    }
    for name in &registration.service_account.token_secrets {
        objects.push(object("compute/60-secret-token.yaml.j2", "Secret", name, namespace));
    }
    if let TokenDelivery::External = registration.token {
        let name = format!("{account}-token");
        objects.push(object("compute/70-pushsecret-token.yaml.j2", "PushSecret", &name, namespace));
    }
    objects
}

fn control_plane(registration: &Registration) -> Vec<Object> {
    let namespace = Some(NAMESPACE);
    let ca_secret = ca_secret(registration);
    let token_secret = token_secret(registration);
    let mut objects =
        vec![object("control-plane/10-secret-ca.yaml.j2", "Secret", &ca_secret, namespace)];
    match registration.token {
        TokenDelivery::Rendered(_) => {
            let template = "control-plane/20-secret-token.yaml.j2";
            objects.push(object(template, "Secret", &token_secret, namespace));
        }
        TokenDelivery::External => {
            let template = "control-plane/20-externalsecret-token.yaml.j2";
            objects.push(object(template, "ExternalSecret", &token_secret, namespace));
        }
        TokenDelivery::Open | TokenDelivery::Elsewhere => {}
    }
    let namespace = Some(CLUSTERS_NAMESPACE);
    objects.push(object(
        "control-plane/30-cluster.yaml.j2",
        "Cluster",
        &registration.name,
        namespace,
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
pub fn values(side: Side, registration: &Registration) -> Value {
    let account = &registration.service_account;
    let common = context! {
        name => registration.name.as_str(),
        labels => registration.labels.clone(),
        annotations => registration.annotations.clone(),
        service_account => context! {
            name => account.name.as_str(),
            token_secrets => account.token_secrets.clone(),
            extra_rules => Value::from(Serde(&account.extra_rules)),
        },
    };
    match side {
        Side::Compute => context! { ..common, ..compute_values(registration) },
        Side::ControlPlane => context! { ..common, ..control_plane_values(registration) },
    }
}

/// The values of one object's template: the side's, and the name that the object has to have.
pub fn object_values(side: &Value, object: &Object) -> Value {
    context! { object_name => object.identity.name.as_str(), ..side.clone() }
}

fn compute_values(registration: &Registration) -> Value {
    let storage = &registration.storage;
    let keys = match &storage.access {
        Access::Keys(Some(keys)) => vec![
            (ACCESS_KEY_ID, keys.access_key_id.expose()),
            (SECRET_ACCESS_KEY, keys.secret_access_key.expose()),
        ],
        _ => Vec::new(),
    };
    let own = storage.environment();
    let own = own.iter().map(|(key, value)| (*key, value.as_str()));
    let extra = storage.extra_env.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let environment: Vec<_> = own.chain(keys.iter().copied()).chain(extra).collect();
    let stored = match &storage.access {
        Access::External(stored) => Some(stored),
        _ => None,
    };
    context! {
        storage => context! { environment => pairs(environment), keys => pairs(keys) },
        external_secrets => registration.external_secrets.as_ref().map(|external| context! {
            storage => stored.map(stored_values),
            ..external_values(registration, external, &external.compute_store)
        }),
    }
}

fn stored_values(stored: &StoredKeys) -> Value {
    let properties = [
        (ACCESS_KEY_ID, stored.access_key_id_property.as_str()),
        (SECRET_ACCESS_KEY, stored.secret_access_key_property.as_str()),
    ];
    context! { key => stored.store_key.as_str(), properties => pairs(properties) }
}

/// Pairs for `{% for key, value in … %}`, in this order.
fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    pairs.into_iter().map(|(key, value)| Value::from_iter([key, value])).collect()
}

fn external_values(
    registration: &Registration,
    external: &ExternalSecrets,
    store: &Store,
) -> Value {
    let annotations = registration.annotations.iter();
    let annotations: BTreeMap<&str, String> =
        annotations.map(|(key, value)| (key.as_str(), go_literal(value))).collect();
    let has_token = matches!(registration.token, TokenDelivery::External);
    context! {
        store => Value::from(Serde(store)),
        refresh_interval => external.refresh_interval.as_str(),
        annotations => annotations,
        token => has_token.then(|| context! {
            key => external.token_key.as_str(),
            property => external.token_property.as_deref(),
        }),
    }
}

/// The Go template that prints exactly this text, for the External Secrets Operator.
fn go_literal(text: &str) -> String {
    text.replace("{{", r#"{{ "{{" }}"#)
}

fn control_plane_values(registration: &Registration) -> Value {
    let token = match &registration.token {
        TokenDelivery::Rendered(token) => Some(token.secret.expose()),
        _ => None,
    };
    let external = registration.external_secrets.as_ref();
    let pem = match &registration.authority {
        Authority::Own(authority) => authority.pem.as_str(),
        Authority::System => "",
    };
    context! {
        server => context! {
            host => registration.server.url_host(),
            port => registration.server.port.to_string(),
        },
        cluster => Value::from(Serde(&registration.cluster)),
        ca => context! { secret => ca_secret(registration), pem => pem },
        token => context! { secret => token_secret(registration), text => token },
        external_secrets => external.and_then(|external| {
            let store = external.control_plane_store.as_ref()?;
            Some(external_values(registration, external, store))
        }),
    }
}

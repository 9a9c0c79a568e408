//! The plan: which objects a registration consists of, and which template renders each.

use std::collections::BTreeMap;

use minijinja::context;
use minijinja::value::{Serde, Value};

use super::go_template;
use super::sealed::{Seal, Sealed};
use crate::input::values::{DataCentre, Scope, Sla};
use crate::registration::external_secrets::{RemoteKeyPair, StoreAccess, TokenRoute};
use crate::registration::service_account::NAMESPACE;
use crate::registration::storage::{self, Access, KeyPair};
use crate::registration::{Registration, STORAGE_SECRET, TokenDelivery};
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
/// The kind by which the External Secrets Operator makes an object of what a store holds.
const EXTERNAL_SECRET: &str = "ExternalSecret";

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
    let config_map = object("40-configmap", "ConfigMap", CONFIG_MAP, namespace);
    let secret = |template, kind| object(template, kind, STORAGE_SECRET, namespace);
    match &registration.storage.access {
        Access::Elsewhere | Access::Key(KeyPair::NotRead) => objects.push(config_map),
        Access::Key(KeyPair::Read { .. }) => {
            objects.extend([config_map, secret("50-secret-storage", "Secret")]);
        }
        Access::External(key_pair) => objects.extend([
            match key_pair.in_config_map {
                true => object(
                    "40-externalsecret-config",
                    EXTERNAL_SECRET,
                    CONFIG_MAP,
                    namespace,
                ),
                false => config_map,
            },
            secret("50-externalsecret-storage", EXTERNAL_SECRET),
        ]),
    }
    for name in &account.token_secrets {
        objects.push(object("60-secret-token", "Secret", name, namespace));
    }
    if let TokenDelivery::External(_) = registration.token {
        let name = format!("{}-token", account.name);
        objects.push(object(
            "70-pushsecret-token",
            "PushSecret",
            &name,
            namespace,
        ));
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
    let token = |template, kind| object(template, kind, token_secret(registration), NAMESPACE);
    match &registration.token {
        TokenDelivery::NotNeeded | TokenDelivery::Elsewhere => {}
        TokenDelivery::Rendered(_) => objects.push(token("20-secret-token", "Secret")),
        TokenDelivery::External(_) => {
            objects.push(token("20-externalsecret-token", EXTERNAL_SECRET));
        }
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
    let (keys, remote) = match &registration.storage.access {
        Access::Elsewhere | Access::Key(KeyPair::NotRead) => (Vec::new(), None),
        Access::Key(KeyPair::Read {
            access_key_id,
            secret_access_key,
        }) => {
            let keys = [access_key_id, secret_access_key].map(|key| Sealed::value(key, seal));
            (KEYS.into_iter().zip(keys).collect(), None)
        }
        Access::External(key_pair) => (Vec::new(), Some(key_pair)),
    };
    let route = token_route(registration);
    let access = route
        .map(|route| &route.compute)
        .or(remote.map(|remote| &remote.compute));
    context! {
        storage => context! {
            environment => pairs(environment(registration, &keys, str::to_owned)),
            keys => pairs(keys),
        },
        external_secrets => access.map(|access| context! {
            storage => remote.map(|remote| remote_values(registration, remote)),
            ..external_values(registration, access, route)
        }),
    }
}

/// The names of the two halves of an S3 key.
const KEYS: [&str; 2] = [storage::ACCESS_KEY_ID, storage::SECRET_ACCESS_KEY];

/// The keys of the ConfigMap in their order, the S3 keys as given and `text` made of all others.
fn environment<'a>(
    registration: &'a Registration,
    keys: &[(&'a str, Value)],
    text: impl Fn(&str) -> String,
) -> Vec<(&'a str, Value)> {
    let text = |value: &str| Value::from(text(value));
    let storage = &registration.storage;
    let mut environment = vec![
        (storage::FILE_SYSTEM, text(&storage.file_system)),
        (storage::SCHEME, text(storage.scheme.as_str())),
    ];
    if let Some(endpoint) = &storage.endpoint {
        environment.push((storage::ENDPOINT, text(endpoint)));
    }
    environment.extend_from_slice(keys);
    for (name, value) in &storage.extra_env {
        environment.push((name, text(value)));
    }
    environment
}

/// What the External Secrets Operator of one side is told, whatever it is for.
fn external_values(
    registration: &Registration,
    access: &StoreAccess,
    route: Option<&TokenRoute>,
) -> Value {
    let StoreAccess {
        store,
        refresh_interval,
    } = access;
    let annotations = registration.annotations.iter();
    let annotations: BTreeMap<&str, String> = annotations
        .map(|(key, value)| (key.as_str(), go_template::literal(value)))
        .collect();
    context! {
        store => context! { name => store.name.as_str(), kind => store.kind.as_str() },
        refresh_interval => refresh_interval.to_string(),
        annotations => annotations,
        token => route.map(|route| context! {
            key => route.key.as_str(),
            property => route.property.as_deref(),
        }),
    }
}

/// Where the operator finds the S3 key, and the ConfigMap's keys as templates for it.
fn remote_values(registration: &Registration, remote: &RemoteKeyPair) -> Value {
    let RemoteKeyPair {
        compute: _,
        key,
        access_key_id_property,
        secret_access_key_property,
        in_config_map: _, // decides about the objects
    } = remote;
    let properties = [access_key_id_property, secret_access_key_property]
        .map(|property| Value::from(property.as_str()));
    let keys = KEYS.map(|key| (key, Value::from(go_template::of_key(key))));
    context! {
        key => key.as_str(),
        properties => pairs(KEYS.into_iter().zip(properties)),
        environment => pairs(environment(registration, &keys, go_template::literal)),
    }
}

fn token_route(registration: &Registration) -> Option<&TokenRoute> {
    match &registration.token {
        TokenDelivery::External(route) => Some(route),
        TokenDelivery::NotNeeded | TokenDelivery::Elsewhere | TokenDelivery::Rendered(_) => None,
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
    let token = match &registration.token {
        TokenDelivery::Rendered(token) => Some(Sealed::value(token, seal)),
        TokenDelivery::NotNeeded | TokenDelivery::Elsewhere | TokenDelivery::External(_) => None,
    };
    let route = token_route(registration);
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
            text => token,
        },
        external_secrets => route
            .map(|route| external_values(registration, &route.control_plane, Some(route))),
    }
}

/// Pairs for `{% for key, value in … %}`, where the order matters.
fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    pairs
        .into_iter()
        .map(|(key, value)| Value::from(vec![Value::from(key), value]))
        .collect()
}

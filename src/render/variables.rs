//! The variables of templates, as documented in `templates/metadata.yaml.j2`.

use std::collections::BTreeMap;

use minijinja::context;
use minijinja::value::{Serde, Value};

use super::Side;
use super::objects::{Object, ca_secret, client_token_secret};
use crate::registration::Registration;
use crate::registration::credentials::{ACCESS_KEY_ID, Access, SECRET_ACCESS_KEY};
use crate::registration::external_secrets::{ExternalSecrets, StoredKeys};
use crate::sources::Delivery;
use crate::values::Store;

/// Returns the variables of one side's templates, without the other side's secrets.
pub fn of_side(side: Side, registration: &Registration) -> Value {
    let account = &registration.outline.service_account;
    let common = context! {
        name => registration.outline.name.as_str(),
        labels => registration.outline.labels.clone(),
        annotations => registration.outline.annotations.clone(),
        service_account => context! {
            name => account.name.as_str(),
            token_secrets => account.token_secrets.clone(),
            extra_rules => Value::from(Serde(&account.extra_rules)),
        },
        cluster => Value::from(Serde(&registration.spec)),
    };
    match side {
        Side::Compute => context! { ..common, ..of_compute(registration) },
        Side::ControlPlane => context! { ..common, ..of_control_plane(registration) },
    }
}

/// Returns the variables of one object's template: the side's, the object's name, and its own annotation among the
/// others. An annotation in the values wins.
pub fn of_object(side: &Value, object: &Object, registration: &Registration) -> Value {
    let name = object.identity.name.as_str();
    let Some((key, value)) = &object.annotation else {
        return context! { object_name => name, ..side.clone() };
    };
    let mut annotations = registration.outline.annotations.clone();
    annotations.entry((*key).to_owned()).or_insert_with(|| value.clone());
    context! { object_name => name, annotations => annotations, ..side.clone() }
}

fn of_compute(registration: &Registration) -> Value {
    let storage = &registration.storage;
    let key = storage.s3_key().into_iter().flat_map(|key| key.variables());
    let stored = match &storage.access {
        Access::External(stored) => Some(stored),
        _ => None,
    };
    context! {
        pod_service_account => Value::from(Serde(&registration.outline.pod_service_account)),
        storage => context! { environment => pairs(storage.environment()), keys => pairs(key) },
        external_secrets => registration.outline.external_secrets.as_ref().map(|external| context! {
            storage => stored.map(of_stored_keys),
            ..of_store(registration, external, &external.compute_store)
        }),
    }
}

fn of_stored_keys(stored: &StoredKeys) -> Value {
    let properties = [
        (ACCESS_KEY_ID, stored.access_key_id_property.as_str()),
        (SECRET_ACCESS_KEY, stored.secret_access_key_property.as_str()),
    ];
    context! { key => stored.store_key.as_str(), properties => pairs(properties) }
}

/// A list for `{% for key, value in … %}`; a map would be sorted.
fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    pairs.into_iter().map(|(key, value)| Value::from_iter([key, value])).collect()
}

fn of_store(registration: &Registration, external: &ExternalSecrets, store: &Store) -> Value {
    let annotations = registration.outline.annotations.iter();
    // The External Secrets Operator runs Go templates on annotations.
    let go_literal = |text: &String| text.replace("{{", r#"{{ "{{" }}"#);
    let annotations: BTreeMap<&str, String> =
        annotations.map(|(key, value)| (key.as_str(), go_literal(value))).collect();
    let has_token = registration.outline.token == Delivery::ExternalSecret;
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

fn of_control_plane(registration: &Registration) -> Value {
    let external = registration.outline.external_secrets.as_ref();
    context! {
        server => context! {
            host => registration.server.url_host(),
            // The Cluster's `port` is a string.
            port => registration.server.port.to_string(),
        },
        ca => context! {
            secret => ca_secret(&registration.outline),
            pem => registration.ca.pem.as_str(),
        },
        token => context! {
            secret => client_token_secret(&registration.outline),
            text => registration.token.as_ref().map(|token| token.secret.expose()),
        },
        external_secrets => external.and_then(|external| {
            let store = external.control_plane_store.as_ref()?;
            Some(of_store(registration, external, store))
        }),
    }
}

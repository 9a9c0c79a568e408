//! One cluster of a script: how it is reached and rendered, and which objects it has.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::words::{context, path};
use crate::input::endpoint::{Authority, Endpoint, Server};
use crate::input::file::Source;
use crate::input::kubeconfig::Search;
use crate::input::place::Place;
use crate::input::secret::Secret;
use crate::input::values::{CredentialsValues, TokenValues};
use crate::input::{self, Inputs, Request};
use crate::registration::name::check_label;
use crate::registration::service_account::ServiceAccount;
use crate::registration::storage::{Access, KeyPair};
use crate::registration::{Registration, TokenDelivery};
use crate::render::Renderer;
use crate::runbook::{Cluster, Compute, ObjectName, Procedure, Target, TokenFrom};
use crate::side::Side;
use crate::text::shown;

/// What stands where a secret would, as only the objects' names are of interest.
const STAND_IN: &str = "a secret of which only the script knows";

/// What is of use of a cluster's inputs.
pub struct Seen {
    place: Place,
    compute: Option<SeenCompute>,
    token_from: TokenFrom,
    has_storage_secret: bool,
}

/// How the compute cluster is reached.
struct SeenCompute {
    target: Target,
    names_context: bool,
}

impl Seen {
    /// Takes it from the inputs.
    ///
    /// # Errors
    /// Where the kubeconfig can't be named in a script.
    pub fn of(inputs: &mut Inputs, request: &Request) -> Result<Self> {
        let Inputs { place, values, .. } = &*inputs;
        // What is wrong with the endpoint is told by resolving it.
        let used = inputs.endpoint.as_ref().map(|endpoint| &endpoint.context);
        let used = used.map_or_else(|_| String::new(), String::clone);
        let kubeconfig = match input::search(request, values, place)? {
            Search::Named(Source::Path(found)) => Some(path(found)?),
            Search::Named(Source::Stdin) | Search::List(_) | Search::Home(_) => None,
        };
        let compute = SeenCompute {
            target: Target {
                kubeconfig,
                context: used,
            },
            names_context: values
                .kubeconfig
                .as_ref()
                .is_some_and(|kubeconfig| kubeconfig.context.is_some()),
        };
        Ok(Self {
            compute: Some(compute),
            ..Self::without_kubeconfig(inputs)
        })
    }

    /// Puts an endpoint of its own in the place of the one that is gone, and that nothing is read of.
    pub fn without_compute(inputs: &mut Inputs) -> Self {
        // One of its own, as two at one host would be a finding. What is wrong with a name is told anyway.
        let host = match check_label(&inputs.values.name) {
            Ok(()) => inputs.values.name.as_str(),
            Err(_) => "compute",
        };
        inputs.endpoint = Ok(Endpoint {
            context: String::new(),
            kubeconfig: Source::Path(PathBuf::new()),
            origin: String::new(),
            server: Server {
                url: Some(format!("https://{host}.invalid")),
                origin: String::new(),
                is_from_values: true,
                instead_of: None,
            },
            certificate_authority: Ok(Authority::System),
            authority_is_from_values: true,
            insecure: false,
            proxy_url: None,
            tls_server_name: None,
        });
        Self::without_kubeconfig(inputs)
    }

    fn without_kubeconfig(inputs: &Inputs) -> Self {
        let Inputs { place, values, .. } = inputs;
        Self {
            place: place.clone(),
            compute: None,
            token_from: match &values.token {
                None => TokenFrom::Pipe,
                Some(TokenValues::From(_)) => TokenFrom::Values,
                Some(TokenValues::ExternalSecret) => TokenFrom::Store,
                Some(TokenValues::None) => TokenFrom::Elsewhere,
            },
            has_storage_secret: values
                .storage
                .as_ref()
                .and_then(|storage| storage.credentials.as_ref())
                .is_some_and(|form| !matches!(form, CredentialsValues::WorkloadIdentity)),
        }
    }
}

/// What the script has about a cluster.
///
/// # Errors
/// Where the procedure doesn't fit it, or its objects can't be told.
pub fn cluster(
    seen: Seen,
    flags: &[String],
    procedure: Procedure,
    mut registration: Registration,
    renderer: &Renderer<'_>,
) -> Result<Cluster> {
    let Seen {
        place,
        compute,
        token_from,
        has_storage_secret,
    } = seen;
    let within = || place.failed_to_use();
    let values = match &*place.source {
        Source::Path(file) => path(file)?,
        // Refused before.
        Source::Stdin => String::new(),
    };
    let (old_token_secrets, token_secret) = token_secrets(&registration.service_account);
    if procedure == Procedure::Rotate && old_token_secrets.is_empty() {
        return Err(anyhow::anyhow!(
            "`serviceAccount.tokenSecrets` is {}, one name, and a new token takes a new Secret: append a name that was never used, as in `tokenSecrets: [{token_secret}, {token_secret}-2]`",
            shown(&token_secret)
        )
        .context(within()));
    }
    put_stand_ins(&mut registration, token_from);
    let compute = match compute {
        None => None,
        Some(SeenCompute {
            target,
            names_context,
        }) => {
            let context = context(target.context).with_context(within)?;
            let mut render = ["ma-register", "render", "-f"].map(str::to_owned).to_vec();
            render.push(values.clone());
            if place.document.is_some() {
                render.push(format!("--cluster={}", registration.name));
            }
            render.extend_from_slice(flags);
            if !names_context {
                // The current context may be another one by then.
                render.push(format!("--context={context}"));
            }
            Some(Compute {
                target: Target { context, ..target },
                is_by_current_context: !names_context,
                render,
                host: registration.server.url_host(),
                port: registration.server.port(),
                objects: objects(renderer, &registration, Side::Compute)?,
            })
        }
    };
    let mut control_plane_objects = objects(renderer, &registration, Side::ControlPlane)?;
    // So that no job is sent any more.
    control_plane_objects.sort_by_key(|object| object.kind != "Cluster");
    if token_from == TokenFrom::Store {
        // What its operator makes of it, and would make again.
        let made = control_plane_objects.iter();
        let made = made.filter(|object| object.kind == "ExternalSecret");
        let made: Vec<ObjectName> = made
            .map(|object| ObjectName {
                kind: "Secret".to_owned(),
                api_version: "v1".to_owned(),
                ..object.clone()
            })
            .collect();
        control_plane_objects.extend(made);
    }
    Ok(Cluster {
        name: registration.name,
        values,
        compute,
        service_account: registration.service_account.name,
        old_token_secrets,
        token_secret,
        token_from,
        has_storage_secret,
        has_certificate_authority: registration.certificate_authority.is_some(),
        control_plane_objects,
    })
}

/// The names before the current one, and the current one.
fn token_secrets(service_account: &ServiceAccount) -> (Vec<String>, String) {
    let mut names = service_account.token_secrets.clone();
    let current = names.pop().unwrap_or_default();
    (names, current)
}

/// Puts something in the place of each secret that is rendered and that wasn't read.
fn put_stand_ins(registration: &mut Registration, token_from: TokenFrom) {
    let stand_in = || Secret::from_elsewhere(STAND_IN.to_owned());
    if let Access::Key(keys) = &mut registration.storage.access {
        *keys = KeyPair::Read {
            access_key_id: stand_in(),
            secret_access_key: stand_in(),
        };
    }
    match token_from {
        TokenFrom::Pipe | TokenFrom::Values => {
            registration.token = TokenDelivery::Rendered(stand_in());
        }
        TokenFrom::Store | TokenFrom::Elsewhere => {}
    }
}

/// What a manifest says about which object it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    api_version: String,
    kind: String,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    namespace: Option<String>,
}

/// The objects of a side, in the order in which they are deleted.
fn objects(
    renderer: &Renderer<'_>,
    registration: &Registration,
    side: Side,
) -> Result<Vec<ObjectName>> {
    let manifests = renderer.render(registration, &[side])?;
    let names = manifests.iter().rev().map(|manifest| {
        let Head {
            api_version,
            kind,
            metadata: Metadata { name, namespace },
        } = serde_yaml::from_str(&manifest.text)
            .with_context(|| format!("failed to tell what the {} is", manifest.object))?;
        Ok(ObjectName {
            kind,
            api_version,
            name,
            namespace,
        })
    });
    names.collect()
}

//! `runbook`: a procedure for the clusters of a run, as a script.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::fleet::Work;
use super::{Outcome, Outside, fleet};
use crate::cli::{ProcedureArgs, RenderingArgs, RunbookArgs, ScriptArgs, SourceArgs};
use crate::input::endpoint::{Authority, Endpoint, Server};
use crate::input::file::Source;
use crate::input::kubeconfig::{Kubeconfigs, Search};
use crate::input::place::Place;
use crate::input::secret::Secret;
use crate::input::values::{CredentialsValues, TokenValues};
use crate::input::words::did_you_mean;
use crate::input::{self, Inputs, Needs, Request};
use crate::registration::name::check_label;
use crate::registration::service_account::ServiceAccount;
use crate::registration::storage::{Access, KeyPair};
use crate::registration::{Registration, TokenDelivery};
use crate::render::Renderer;
use crate::runbook::{Cluster, Compute, ObjectName, Procedure, Runbook, Target, TokenFrom};
use crate::side::Side;
use crate::text::{shown, shown_path};

/// No secret is read: the script does that, where it is needed.
const NEEDS: Needs = Needs {
    storage_keys: false,
    token: false,
};

const WRITING: Work = Work {
    doing: "writing",
    failed: "failed to write a script for",
};

/// What stands where a secret would, as only the objects' names are of interest.
const STAND_IN: &str = "a secret of which only the script knows";

/// What the script is to be, but for what is read.
struct Order {
    procedure: Procedure,
    compute_is_gone: bool,
    args: ScriptArgs,
}

impl Order {
    fn of(procedure: ProcedureArgs) -> Self {
        let (procedure, compute_is_gone, args) = match procedure {
            ProcedureArgs::Register(args) => (Procedure::Register, false, args),
            ProcedureArgs::Rotate(args) => (Procedure::Rotate, false, args),
            ProcedureArgs::Deregister(args) => {
                (Procedure::Deregister, args.compute_is_gone, args.script)
            }
        };
        Self {
            procedure,
            compute_is_gone,
            args,
        }
    }
}

/// Writes the script.
///
/// # Errors
/// Where anything is wrong with what the script would be made of.
pub fn run(args: RunbookArgs, outside: &mut Outside<'_>) -> Result<Outcome> {
    let order = Order::of(args.procedure);
    refuse_what_cannot_be_read_again(&order.args)?;
    let arguments = arguments(&order)?;
    let Order {
        procedure,
        compute_is_gone,
        args:
            ScriptArgs {
                sources,
                rendering,
                control_plane_context,
                control_plane_kubeconfig,
            },
    } = order;
    let control_plane = Target {
        kubeconfig: control_plane_kubeconfig.map(path).transpose()?,
        context: context(control_plane_context)
            .context("failed to use `--control-plane-context`")?,
    };
    note_unknown_context(&control_plane, outside);
    // A script that stops at the first template would be of no use.
    let templates = fleet::templates(&rendering)?;
    Renderer::new(&templates)?;
    let flags = render_flags(&sources, &rendering)?;
    let request = fleet::request(sources, NEEDS);
    let clusters = fleet::each(
        &request,
        WRITING,
        rendering.strict,
        outside,
        || Renderer::new(&templates),
        |inputs| match compute_is_gone {
            true => Ok(Seen::without_compute(inputs)),
            false => Seen::of(inputs, &request),
        },
        |renderer, seen, registration| {
            let renderer = renderer
                .as_ref()
                .map_err(|error| anyhow::anyhow!("{error:#}"))?;
            let cluster =
                seen.and_then(|seen| cluster(seen, &flags, procedure, registration, renderer));
            Ok(cluster?)
        },
    )?;
    let Some(clusters) = clusters else {
        return Ok(Outcome::Wrong);
    };
    let is_control_plane = |cluster: &&Cluster| {
        let compute = cluster.compute.as_ref();
        compute.is_some_and(|compute| compute.target == control_plane)
    };
    for cluster in clusters.iter().filter(is_control_plane) {
        outside.report.note(&format!(
            "the control plane and the compute cluster {} are the same context: right only where the control plane is its own compute cluster",
            shown(&cluster.name)
        ));
    }
    let runbook = Runbook {
        procedure,
        arguments,
        control_plane,
        clusters,
    };
    outside
        .out
        .write_all(runbook.text().as_bytes())
        .and_then(|()| outside.out.flush())
        .context("failed to write to standard output")?;
    Ok(Outcome::Done)
}

/// Says where the control plane's context isn't in the kubeconfig that would be used now. The script may
/// be meant for another machine, so that is no error.
fn note_unknown_context(control_plane: &Target, outside: &mut Outside<'_>) {
    let Target {
        kubeconfig,
        context,
    } = control_plane;
    let search = match kubeconfig {
        Some(file) => Ok(Search::Named(Source::Path(PathBuf::from(file)))),
        None => Search::from_environment(),
    };
    let contexts = search.and_then(|search| Kubeconfigs::contexts(&search));
    match (contexts, kubeconfig) {
        (Ok(contexts), _) if !contexts.iter().any(|known| known == context) => {
            let known: Vec<&str> = contexts.iter().map(String::as_str).collect();
            outside.report.note(&format!(
                "no kubeconfig here has the context {} of `--control-plane-context`{}; right only where the script is for another machine",
                shown(context),
                did_you_mean(context, &known)
            ));
        }
        (Err(error), Some(_)) => outside.report.note(&format!(
            "`--control-plane-kubeconfig` can't be used here: {error:#}; right only where the script is for another machine"
        )),
        // kubectl's own may well be elsewhere.
        (Ok(_), _) | (Err(_), None) => {}
    }
}

/// The script reads its inputs again, each time that it renders.
fn refuse_what_cannot_be_read_again(args: &ScriptArgs) -> Result<()> {
    let ScriptArgs {
        sources,
        rendering: _, // no templates come from standard input
        control_plane_context: _,
        control_plane_kubeconfig,
    } = args;
    let flags = [
        ("--values", sources.values.iter().collect::<Vec<_>>()),
        ("--defaults", sources.defaults.iter().collect()),
        ("--kubeconfig", sources.kubeconfig.iter().collect()),
        (
            "--control-plane-kubeconfig",
            control_plane_kubeconfig.iter().collect(),
        ),
    ];
    for (flag, values) in flags {
        for value in values {
            let what = match Source::from_flag(value) {
                Source::Stdin => "standard input".to_owned(),
                // A missing one is told where it is read.
                Source::Path(path) if path.exists() && !path.is_file() => {
                    format!("{}, which is no file", shown_path(&path))
                }
                Source::Path(_) => continue,
            };
            bail!(
                "failed to use {}: it is {what}, and the script has to read it again: write it to a file",
                shown(flag)
            );
        }
    }
    Ok(())
}

/// What is of use of a cluster's inputs.
struct Seen {
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
    fn of(inputs: &mut Inputs, request: &Request) -> Result<Self> {
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
    fn without_compute(inputs: &mut Inputs) -> Self {
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

fn cluster(
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

/// The flags that are the same for every cluster.
fn render_flags(sources: &SourceArgs, rendering: &RenderingArgs) -> Result<Vec<String>> {
    let SourceArgs {
        values: _,   // each cluster's own
        clusters: _, // likewise
        context: _,  // known for each cluster
        defaults,
        kubeconfig,
    } = sources;
    let RenderingArgs { templates, strict } = rendering;
    let mut flags = Vec::new();
    for (flag, file) in [
        ("--defaults", defaults.as_deref()),
        ("--kubeconfig", kubeconfig.as_deref()),
        ("--templates", templates.as_deref().map(Path::as_os_str)),
    ] {
        if let Some(file) = file {
            flags.push(format!("{flag}={}", path(file)?));
        }
    }
    if *strict {
        flags.push("--strict".to_owned());
    }
    Ok(flags)
}

/// The arguments that make the script again.
fn arguments(order: &Order) -> Result<Vec<String>> {
    let Order {
        procedure,
        compute_is_gone,
        args:
            ScriptArgs {
                sources,
                rendering,
                control_plane_context,
                control_plane_kubeconfig,
            },
    } = order;
    let mut words = ["runbook", procedure.as_str(), "-f"]
        .map(str::to_owned)
        .to_vec();
    for file in &sources.values {
        words.push(path(file)?);
    }
    words.extend(render_flags(sources, rendering)?);
    for cluster in &sources.clusters {
        words.push(format!("--cluster={cluster}"));
    }
    if let Some(context) = &sources.context {
        words.push(format!("--context={context}"));
    }
    words.push(format!("--control-plane-context={control_plane_context}"));
    if let Some(file) = control_plane_kubeconfig {
        words.push(format!("--control-plane-kubeconfig={}", path(file)?));
    }
    if *compute_is_gone {
        words.push("--compute-is-gone".to_owned());
    }
    Ok(words)
}

/// A path as text that no program takes for a flag or for standard input.
fn path(path: impl AsRef<OsStr>) -> Result<String> {
    let path = path.as_ref();
    let Some(text) = path.to_str() else {
        bail!(
            "failed to write the path {} into a script: it is not UTF-8 text",
            shown_path(Path::new(path))
        );
    };
    Ok(match text.starts_with('-') {
        true => format!("./{text}"),
        false => text.to_owned(),
    })
}

fn context(name: String) -> Result<String> {
    if name.is_empty() {
        bail!("the name of a context is empty, which kubectl takes for the current one");
    }
    if name.contains('\0') {
        bail!(
            "the context {} has a character that no script can hold",
            shown(&name)
        );
    }
    Ok(name)
}

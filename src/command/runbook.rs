//! `runbook`: a procedure for the clusters of a run, as a script.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::fleet::Work;
use super::{Outcome, Outside, fleet};
use crate::cli::{ProcedureArgs, RenderingArgs, RunbookArgs, ScriptArgs, SourceArgs};
use crate::input::file::Source;
use crate::input::kubeconfig::{Kubeconfigs, Search};
use crate::input::place::Place;
use crate::input::values::{CredentialsValues, TokenValues};
use crate::input::words::did_you_mean;
use crate::input::{self, Inputs, Needs, Request};
use crate::registration::Registration;
use crate::render::Renderer;
use crate::runbook::{Cluster, Procedure, Runbook, Target, TokenFrom};
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

/// Writes the script.
///
/// # Errors
/// Where anything is wrong with what the script would be made of.
pub fn run(args: RunbookArgs, outside: &mut Outside<'_>) -> Result<Outcome> {
    let (procedure, args) = match args.procedure {
        ProcedureArgs::Register(args) => (Procedure::Register, args),
        ProcedureArgs::Rotate(args) => (Procedure::Rotate, args),
        ProcedureArgs::Deregister(args) => (Procedure::Deregister, args),
    };
    refuse_what_cannot_be_read_again(&args)?;
    let command = command(procedure, &args)?;
    let ScriptArgs {
        sources,
        rendering,
        control_plane_context,
        control_plane_kubeconfig,
    } = args;
    let control_plane = Target {
        kubeconfig: control_plane_kubeconfig.map(path).transpose()?,
        context: context(control_plane_context)
            .context("failed to use `--control-plane-context`")?,
    };
    note_unknown_context(&control_plane, outside);
    // A script that stops at the first template would be of no use.
    Renderer::new(&fleet::templates(&rendering)?)?;
    let flags = render_flags(&sources, &rendering)?;
    let request = fleet::request(sources, NEEDS);
    let clusters = fleet::each(
        &request,
        WRITING,
        rendering.strict,
        outside,
        || (),
        |inputs| Seen::of(inputs, &request),
        |(), seen, registration| {
            let cluster = seen.and_then(|seen| cluster(seen, &flags, procedure, registration));
            Ok(cluster?)
        },
    )?;
    let Some(clusters) = clusters else {
        return Ok(Outcome::Wrong);
    };
    for cluster in clusters
        .iter()
        .filter(|cluster| cluster.target == control_plane)
    {
        outside.report.note(&format!(
            "the control plane and the compute cluster {} are the same context: right only where the control plane is its own compute cluster",
            shown(&cluster.name)
        ));
    }
    let runbook = Runbook {
        procedure,
        command,
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
    target: Target,
    names_context: bool,
    token_from: TokenFrom,
    has_storage_secret: bool,
}

impl Seen {
    fn of(inputs: &Inputs, request: &Request) -> Result<Self> {
        let Inputs { place, values, .. } = inputs;
        // What is wrong with the endpoint is told by resolving it.
        let used = inputs.endpoint.as_ref().map(|endpoint| &endpoint.context);
        let used = used.map_or_else(|_| String::new(), String::clone);
        let kubeconfig = match input::search(request, values, place)? {
            Search::Named(Source::Path(found)) => Some(path(found)?),
            Search::Named(Source::Stdin) | Search::List(_) | Search::Home(_) => None,
        };
        Ok(Self {
            target: Target {
                kubeconfig,
                context: used,
            },
            names_context: values
                .kubeconfig
                .as_ref()
                .is_some_and(|kubeconfig| kubeconfig.context.is_some()),
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
            place: place.clone(),
        })
    }
}

fn cluster(
    seen: Seen,
    flags: &[String],
    procedure: Procedure,
    registration: Registration,
) -> Result<Cluster> {
    let Seen {
        place,
        target,
        names_context,
        token_from,
        has_storage_secret,
    } = seen;
    let within = || place.failed_to_use();
    let values = match &*place.source {
        Source::Path(file) => path(file)?,
        // Refused before.
        Source::Stdin => String::new(),
    };
    let context = context(target.context).with_context(within)?;
    let mut token_secrets = registration.service_account.token_secrets;
    let token_secret = token_secrets.pop().unwrap_or_default();
    if procedure == Procedure::Rotate && token_secrets.is_empty() {
        return Err(anyhow::anyhow!(
            "`serviceAccount.tokenSecrets` is {}, one name, and a new token takes a new Secret: append a name that was never used, as in `tokenSecrets: [{token_secret}, {token_secret}-2]`",
            shown(&token_secret)
        )
        .context(within()));
    }
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
    Ok(Cluster {
        name: registration.name,
        values,
        target: Target { context, ..target },
        render,
        service_account: registration.service_account.name,
        old_token_secrets: token_secrets,
        token_secret,
        token_from,
        has_storage_secret,
        has_certificate_authority: registration.certificate_authority.is_some(),
    })
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

/// The command that makes the script, for its head.
fn command(procedure: Procedure, args: &ScriptArgs) -> Result<Vec<String>> {
    let ScriptArgs {
        sources,
        rendering,
        control_plane_context,
        control_plane_kubeconfig,
    } = args;
    let mut words = ["ma-register", "runbook", procedure.as_str(), "-f"]
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

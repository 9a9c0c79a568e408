//! `runbook`: prints the procedure for one cluster as a script.

use std::path::{Path, PathBuf};

use super::{Outcome, clusters};
use crate::cli::{RunbookArgs, RunbookCommand};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::input::file;
use crate::kubeconfig::Location;
use crate::registration::Resolution;
use crate::registration::service_account::PodServiceAccount;
use crate::render::{SHARED_ANNOTATIONS, Side, ca_secret, token_secret};
use crate::runbook::{self, Runbook};
use crate::show::count;
use crate::sources::{Needs, TokenNeed, TokenSource};

/// Returns the script. Fails with all diagnostics, if any is an error.
pub fn run(command: &RunbookCommand) -> Result<Outcome, Diagnostics> {
    let (args, compute_gone) = match command {
        RunbookCommand::Register(args) => (args, false),
        RunbookCommand::Deregister { args, compute_gone } => (args, *compute_gone),
    };
    let sources = &args.sources;
    for path in sources.values.iter().chain(&sources.defaults).chain(&sources.kubeconfig) {
        if file::folder(path).is_none() {
            let message = "the script reads the file again, so it can't come from a pipe";
            let error = Diagnostic::error(message).in_file(file::name(path)).help("pass a file");
            return Err(error.into());
        }
    }
    // The script renders again when it is run, and reads the secrets then.
    let needs = Needs { kubeconfig: !compute_gone, compute_secrets: false, token: TokenNeed::None };
    let (mut resolutions, diagnostics) = clusters::read_or_fail(sources, None, needs)?;
    let (Some(resolution), true) = (resolutions.pop(), resolutions.is_empty()) else {
        let message = format!(
            "a runbook is for one cluster, and the values have {}",
            count(resolutions.len() + 1, "cluster")
        );
        return Err(Diagnostic::error(message).help("choose one with `--cluster NAME`").into());
    };
    let (context, kubeconfig) = compute_login(args, &resolution)?;
    let outline = &resolution.outline;
    let runbook = Runbook {
        name: outline.name.clone(),
        ca_secret: ca_secret(outline),
        client_token: token_secret(outline),
        service_account: outline.service_account.name.clone(),
        token_secrets: outline.service_account.token_secrets.clone(),
        render_args: render_args(args, &resolution),
        compute_kubectl: kubectl_args(&context, kubeconfig.as_deref()),
        control_plane_kubectl: kubectl_args(
            &args.control_plane_context,
            args.control_plane_kubeconfig.as_deref(),
        ),
        controller: args.controller.clone(),
        token: match resolution.sources.token {
            TokenSource::Undecided | TokenSource::Flag(_) => "pipe",
            TokenSource::Values(_) => "values",
            TokenSource::ExternalSecret => "external",
            TokenSource::Elsewhere => "none",
        },
        has_account: outline.service_account.create,
        collector: outline.collector_secret.as_ref().map(|name| format!("secret/{name}")),
        pod_annotations: outline.pod_service_account.iter().flat_map(our_annotations).collect(),
        compute_gone,
        compute: runbook::targets(Side::Compute, outline),
        control_plane: runbook::targets(Side::ControlPlane, outline),
    };
    let template = match command {
        RunbookCommand::Register(_) => runbook::REGISTER,
        RunbookCommand::Deregister { .. } => runbook::DEREGISTER,
    };
    let script = runbook.script(template)?;
    Ok(Outcome { stdout: script, diagnostics, ..Outcome::default() })
}

/// Returns the context of the operator's login to the compute cluster, and its kubeconfig unless it is kubectl's own.
fn compute_login(
    args: &RunbookArgs,
    resolution: &Resolution,
) -> Result<(String, Option<PathBuf>), Diagnostic> {
    if let Some(context) = &args.compute_context {
        return Ok((context.clone(), args.compute_kubeconfig.clone()));
    }
    let Some(kubeconfig) = &resolution.kubeconfig else {
        return Ok(Default::default());
    };
    if !kubeconfig.has_user {
        return Err(Diagnostic::error("the kubeconfig has no user for the script to log in with")
            .of_cluster(resolution.cluster.name())
            .in_file(&kubeconfig.file)
            .help("pass your own login with `--compute-context NAME`, and `--compute-kubeconfig FILE` if it isn't in kubectl's own"));
    }
    let path = match &resolution.sources.kubeconfig {
        Ok(Location::File(path)) => Some(path.clone()),
        Ok(Location::OfKubectl(_)) | Err(_) => None,
    };
    Ok((kubeconfig.context.clone(), path))
}

fn our_annotations(account: &PodServiceAccount) -> Vec<String> {
    let shared = SHARED_ANNOTATIONS.iter().map(|(key, _)| (*key).to_owned());
    account.annotations.keys().cloned().chain(shared).collect()
}

fn kubectl_args(context: &str, kubeconfig: Option<&Path>) -> Vec<String> {
    let kubeconfig = kubeconfig.map(|path| format!("--kubeconfig={}", path.display()));
    kubeconfig.into_iter().chain([format!("--context={context}")]).collect()
}

/// Repeats the arguments for `render`, so that the script reads the same inputs.
fn render_args(args: &RunbookArgs, resolution: &Resolution) -> Vec<String> {
    let sources = &args.sources;
    let mut words = vec!["-f".to_owned()];
    words.extend(sources.values.iter().map(|path| path.display().to_string()));
    let paths = [
        ("--defaults", &sources.defaults),
        ("--kubeconfig", &sources.kubeconfig),
        ("--templates", &sources.templates),
    ];
    for (flag, path) in paths {
        words.extend(path.iter().flat_map(|path| [flag.to_owned(), path.display().to_string()]));
    }
    words.extend(
        sources.context.iter().flat_map(|context| ["--context".to_owned(), context.clone()]),
    );
    words.extend(["--cluster".to_owned(), resolution.cluster.name().to_owned()]);
    words
}

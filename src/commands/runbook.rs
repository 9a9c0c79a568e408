//! `runbook`: the procedure for one cluster, as a script.

use std::path::Path;

use super::clusters::{self, Needs, TokenNeed};
use super::{Outcome, failure};
use crate::cli::{RunbookArgs, RunbookCommand};
use crate::diagnostic::Diagnostic;
use crate::input::file;
use crate::kubeconfig::Location;
use crate::registration::Resolution;
use crate::runbook::Runbook;
use crate::show::count;
use crate::values::{Cluster, Credentials, Scope, TokenForm};

/// Writes the script.
pub fn run(command: &RunbookCommand) -> Result<Outcome, Vec<Diagnostic>> {
    let (args, compute_gone) = match command {
        RunbookCommand::Register(args) => (args, false),
        RunbookCommand::Deregister { args, compute_gone } => (args, *compute_gone),
    };
    let sources = &args.sources;
    for path in sources.values.iter().chain(&sources.defaults).chain(&sources.kubeconfig) {
        if file::folder(path).is_none() {
            let error =
                Diagnostic::error("the script reads the file again, so it can't come from a pipe");
            return Err(vec![error.in_file(file::name(path)).help("pass a file")]);
        }
    }
    // The script reads the secrets, when it needs them.
    let needs =
        Needs { kubeconfig: !compute_gone, keys: false, token: TokenNeed::None, token_file: None };
    let (mut resolutions, diagnostics) = clusters::read_right(&args.sources, needs)?;
    let (Some(resolution), true) = (resolutions.pop(), resolutions.is_empty()) else {
        let message = format!(
            "a runbook is for one cluster, and the values have {}",
            count(resolutions.len() + 1, "cluster")
        );
        return Err(vec![Diagnostic::error(message).help("choose one with `--cluster NAME`")]);
    };
    let runbook = runbook(args, &resolution, compute_gone).map_err(|error| vec![error])?;
    let script = match command {
        RunbookCommand::Register(_) => runbook.register(),
        RunbookCommand::Deregister { .. } => runbook.deregister(),
    };
    Ok(Outcome { stdout: script.map_err(failure)?, diagnostics, ..Outcome::default() })
}

fn runbook(
    args: &RunbookArgs,
    resolution: &Resolution,
    compute_gone: bool,
) -> Result<Runbook, Diagnostic> {
    let cluster = &resolution.cluster;
    let account = &resolution.service_account;
    let (compute_context, compute_kubeconfig) = match (
        &args.compute_context,
        &resolution.kubeconfig,
    ) {
        (Some(context), _) => (context.clone(), args.compute_kubeconfig.clone()),
        (None, None) => (String::new(), None),
        (None, Some(chosen)) if chosen.has_user => {
            let path = match clusters::location(cluster, &args.sources) {
                Location::File(path) => Some(path),
                Location::OfKubectl(_) => None,
            };
            (chosen.context.clone(), path)
        }
        (None, Some(chosen)) => {
            return Err(Diagnostic::error("the kubeconfig has no user for the script to log in with")
                .of_cluster(cluster.name())
                .in_file(&chosen.file)
                .help("pass your own login by `--compute-context NAME`, and `--compute-kubeconfig FILE` if it isn't in kubectl's own"));
        }
    };
    let storage = cluster.values.storage.as_ref().and_then(|storage| storage.credentials.as_ref());
    Ok(Runbook {
        name: cluster.name().to_owned(),
        render_args: render_args(args, cluster),
        compute_kubectl: kubectl_args(&compute_context, compute_kubeconfig.as_deref()),
        control_plane_kubectl: kubectl_args(
            &args.control_plane_context,
            args.control_plane_kubeconfig.as_deref(),
        ),
        token_source: match &cluster.values.token {
            None => "pipe",
            Some(TokenForm::From(_)) => "values",
            Some(TokenForm::ExternalSecret) => "external",
            Some(TokenForm::None) => "none",
        },
        token_secrets: account.token_secrets.clone(),
        service_account: account.name.clone(),
        scope: match account.scope {
            Scope::Cluster => "cluster",
            Scope::Namespace => "namespace",
        },
        storage_secret: match storage {
            Some(Credentials::Keys(_)) => "own",
            Some(Credentials::ExternalSecret(_)) => "external",
            _ => "none",
        },
        push_secret: format!("{}-token", account.name),
        compute_gone,
    })
}

fn kubectl_args(context: &str, kubeconfig: Option<&Path>) -> Vec<String> {
    let kubeconfig = kubeconfig.map(|path| format!("--kubeconfig={}", path.display()));
    kubeconfig.into_iter().chain([format!("--context={context}")]).collect()
}

/// The arguments that were given, by which the script reads the same.
fn render_args(args: &RunbookArgs, cluster: &Cluster) -> Vec<String> {
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
    words.extend(["--cluster".to_owned(), cluster.name().to_owned()]);
    words
}

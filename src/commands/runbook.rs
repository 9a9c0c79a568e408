//! `runbook`: prints the procedure for one cluster as a script.

use std::path::{Path, PathBuf};

use super::{Outcome, clusters};
use crate::cli::{RunbookArgs, RunbookCommand};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::input::file;
use crate::kubeconfig::Location;
use crate::output;
use crate::registration::Resolution;
use crate::runbook::{self, Runbook};
use crate::show::count;
use crate::sources::Needs;

/// Returns the script. Fails with all diagnostics, if any is an error.
pub fn run(command: &RunbookCommand) -> Result<Outcome, Diagnostics> {
    let (args, template, compute_gone) = match command {
        RunbookCommand::Register(args) => (args, runbook::REGISTER, false),
        RunbookCommand::Deregister { args, compute_gone } => {
            (args, runbook::DEREGISTER, *compute_gone)
        }
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
    let needs = Needs { kubeconfig: !compute_gone, ..Needs::default() };
    let (mut resolutions, mut diagnostics) = clusters::read_or_fail(sources, None, needs)?;
    let (Some(resolution), true) = (resolutions.pop(), resolutions.is_empty()) else {
        let clusters = count(resolutions.len() + 1, "cluster");
        let message = format!("a runbook is for one cluster, and the values have {clusters}");
        return Err(Diagnostic::error(message).help("choose one with `--cluster NAME`").into());
    };
    let (context, kubeconfig) = diagnostics.or_fail(compute_login(args, &resolution))?;
    let runbook = Runbook {
        outline: &resolution.outline,
        token: &resolution.sources.token,
        render_args: render_args(args, &resolution),
        runbook_args: runbook_args(args),
        compute_kubectl: kubectl_args(&context, kubeconfig.as_deref()),
        control_plane_kubectl: kubectl_args(
            &args.control_plane_context,
            args.control_plane_kubeconfig.as_deref(),
        ),
        controller: args.controller.as_deref(),
        compute_gone,
    };
    let script = diagnostics.or_fail(runbook.script(template))?;
    if let Some(path) = &args.output {
        diagnostics.or_fail(output::write_script(path, &script))?;
        let summary = Some(format!("wrote {}; read it, then run it with --check", path.display()));
        return Ok(Outcome { diagnostics, summary, ..Outcome::default() });
    }
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

fn kubectl_args(context: &str, kubeconfig: Option<&Path>) -> Vec<String> {
    let kubeconfig = kubeconfig.map(|path| format!("--kubeconfig={}", path.display()));
    kubeconfig.into_iter().chain([format!("--context={context}")]).collect()
}

/// Repeats the arguments for `render`, so that the script reads the same inputs.
fn render_args(args: &RunbookArgs, resolution: &Resolution) -> Vec<String> {
    let sources = &args.sources;
    let mut words = vec!["-f".to_owned()];
    words.extend(sources.values.iter().map(|path| path.display().to_string()));
    words.extend(flags([
        ("--defaults", path(&sources.defaults)),
        ("--kubeconfig", path(&sources.kubeconfig)),
        ("--templates", path(&sources.templates)),
        ("--context", sources.context.clone()),
        ("--cluster", Some(resolution.cluster.name().to_owned())),
    ]));
    words
}

/// Repeats the others, so that the script can see whether it is still the one to run.
fn runbook_args(args: &RunbookArgs) -> Vec<String> {
    flags([
        ("--control-plane-context", Some(args.control_plane_context.clone())),
        ("--control-plane-kubeconfig", path(&args.control_plane_kubeconfig)),
        ("--compute-context", args.compute_context.clone()),
        ("--compute-kubeconfig", path(&args.compute_kubeconfig)),
        ("--controller", args.controller.clone()),
    ])
}

fn path(path: &Option<PathBuf>) -> Option<String> {
    path.as_ref().map(|path| path.display().to_string())
}

fn flags<const N: usize>(pairs: [(&str, Option<String>); N]) -> Vec<String> {
    let given = pairs.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value?]));
    given.flatten().collect()
}

//! `runbook`: a procedure for the clusters of a run, as a script.

mod cluster;
mod words;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::fleet::Work;
use super::{Outcome, Outside, fleet};
use crate::cli::{ProcedureArgs, RunbookArgs, ScriptArgs};
use crate::input::Needs;
use crate::input::file::Source;
use crate::input::kubeconfig::{Kubeconfigs, Search};
use crate::input::words::did_you_mean;
use crate::render::Renderer;
use crate::runbook::{Cluster, Procedure, Runbook, Target};
use crate::text::{shown, shown_path};
use cluster::{Seen, cluster};
use words::{arguments, context, path, render_flags};

/// No secret is read: the script does that, where it is needed.
const NEEDS: Needs = Needs {
    storage_keys: false,
    token: false,
};

const WRITING: Work = Work {
    doing: "writing",
    failed: "failed to write a script for",
};

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
    } = &order;
    let (procedure, compute_is_gone) = (*procedure, *compute_is_gone);
    refuse_what_cannot_be_read_again(&order.args)?;
    let control_plane = Target {
        kubeconfig: control_plane_kubeconfig.as_ref().map(path).transpose()?,
        context: context(control_plane_context.clone())
            .context("failed to use `--control-plane-context`")?,
    };
    note_unknown_context(&control_plane, outside);
    // A script that stops at the first template would be of no use.
    let templates = fleet::templates(rendering)?;
    Renderer::new(&templates)?;
    let flags = render_flags(sources, rendering)?;
    let request = fleet::request(sources.clone(), NEEDS);
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
    // The current context may be another one when the script is made again.
    let current = match clusters.as_slice() {
        [cluster] => cluster
            .compute
            .as_ref()
            .filter(|compute| compute.is_by_current_context),
        _ => None,
    };
    let current = current.map(|compute| compute.target.context.as_str());
    let runbook = Runbook {
        procedure,
        arguments: arguments(&order, current)?,
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

//! `render`: inputs to manifests, on standard output or in a directory.

use std::collections::{BTreeSet, HashSet};

use anyhow::{Context, Result, bail};

use super::Outside;
use crate::cli::{InputArgs, RenderArgs, SideArg};
use crate::input::{self, Needs, Request, file::Source, templates::read as read_templates};
use crate::output::{Report, directory, write_stream};
use crate::registration::finding::{Finding, Level};
use crate::registration::{self, Findings, Registration};
use crate::render::{self, Manifest, TemplateSet};
use crate::side::Side;
use crate::text::{shown, shown_path};

/// Renders one cluster.
///
/// # Errors
/// Where anything is wrong; then nothing has been written.
pub fn run(args: RenderArgs, outside: &mut Outside<'_>) -> Result<()> {
    let sides = sides(&args)?;
    let templates = templates(&args.inputs)?;
    let registration = register(args.inputs, sides, outside)?;
    let manifests = render::render(&registration, &templates, sides)
        .with_context(|| format!("failed to render the cluster {}", shown(&registration.name)))?;
    match args.output_dir {
        None => {
            refuse_same_object(&manifests)?;
            write_stream(outside.out, &manifests).context("failed to write to standard output")
        }
        Some(root) => {
            let summary = directory::write(&root, &manifests, args.plaintext_secrets)?;
            for path in &summary.stale {
                outside.report.note(&format!(
                    "{} is not rendered any more; remove it, and its object from the cluster",
                    shown_path(&root.join(path))
                ));
            }
            outside.report.line(&format!(
                "{}: {} written, {} unchanged",
                shown_path(&root),
                summary.written,
                summary.unchanged
            ));
            Ok(())
        }
    }
}

/// In one stream both sides belong to one cluster, where the second of two same objects would
/// replace the first.
fn refuse_same_object(manifests: &[Manifest]) -> Result<()> {
    let mut seen = HashSet::new();
    for manifest in manifests {
        if !seen.insert(&manifest.object) {
            bail!(
                "failed to render both sides for one cluster: each of them has the {}",
                manifest.object
            );
        }
    }
    Ok(())
}

fn sides(args: &RenderArgs) -> Result<&'static [Side]> {
    match (args.side, &args.output_dir) {
        (Some(SideArg::Compute), _) => Ok(&[Side::Compute]),
        (Some(SideArg::ControlPlane), _) => Ok(&[Side::ControlPlane]),
        (Some(SideArg::Both), _) | (None, Some(_)) => Ok(&Side::ALL),
        (None, None) => bail!(
            "failed to choose what to render: the two sides normally belong to two clusters: give `--side compute` or `--side control-plane` to pipe one to its cluster, `--side both` where the control plane is its own compute cluster, or `--output-dir DIR` to write both as files"
        ),
    }
}

fn templates(args: &InputArgs) -> Result<TemplateSet> {
    match &args.templates {
        None => Ok(TemplateSet::built_in()),
        Some(folder) => read_templates(folder).map(TemplateSet::with),
    }
}

/// Reads and resolves one cluster, and reports what was found on the way.
fn register(args: InputArgs, sides: &[Side], outside: &mut Outside<'_>) -> Result<Registration> {
    let strict = args.strict;
    let request = request(args, sides)?;
    let mut notes = Vec::new();
    let inputs = input::read(&request, &mut notes);
    for note in notes {
        outside.report.note(&note);
    }
    let (registration, findings) = registration::resolve(inputs?, outside.now)?;
    report(&findings, strict, &registration.name, &mut outside.report)?;
    Ok(registration)
}

fn request(args: InputArgs, sides: &[Side]) -> Result<Request> {
    let [values] = args.values.as_slice() else {
        bail!(
            "failed to read the values files: there are {}, and this version reads one cluster a run",
            args.values.len()
        );
    };
    let needs = Needs {
        storage_keys: sides.contains(&Side::Compute),
        token: sides.contains(&Side::ControlPlane),
    };
    if args.token_file.is_some() && !needs.token {
        bail!("failed to use `--token-file`: the compute side holds no token; remove the flag");
    }
    Ok(Request {
        values: Source::from_flag(values),
        kubeconfig: args.kubeconfig.as_deref().map(Source::from_flag),
        context: args.context,
        token_file: args.token_file.as_deref().map(Source::from_flag),
        needs,
    })
}

/// Reports the findings that aren't accepted, and ends the run where one of them is an error.
fn report(findings: &Findings, strict: bool, name: &str, report: &mut Report<'_>) -> Result<()> {
    let is_error = |finding: &&Finding| strict || finding.code.level() == Level::Deny;
    let (errors, warnings): (Vec<&Finding>, Vec<&Finding>) =
        findings.open.iter().partition(is_error);
    for warning in warnings {
        report.warning(warning);
    }
    for error in &errors {
        report.denied(error);
    }
    if errors.is_empty() {
        return Ok(());
    }
    let codes: BTreeSet<&str> = errors.iter().map(|error| error.code.as_str()).collect();
    let codes: Vec<&str> = codes.into_iter().collect();
    bail!(
        "failed to accept the cluster {}: mend what is found above, or write `allow: [{}]` in its values file",
        shown(name),
        codes.join(", ")
    )
}

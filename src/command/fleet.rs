//! The clusters of a run: read, resolved and rendered, all of them before anything is written.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};

use super::Outside;
use super::teller::Teller;
use crate::cli::{InputArgs, RenderingArgs, SourceArgs};
use crate::input::file::Source;
use crate::input::place::Place;
use crate::input::templates::read as read_templates;
use crate::input::values_file::{ClusterValues, Unread};
use crate::input::{self, Inputs, Needs, Request};
use crate::parallel::in_parallel_with;
use crate::problems::Problems;
use crate::registration::finding::{Finding, Level};
use crate::registration::fleet::{Member, check};
use crate::registration::server::Server;
use crate::registration::{self, Findings, Registration};
use crate::render::{Manifest, Renderer, TemplateSet};
use crate::side::Side;
use crate::text::{shown, shown_list};

/// The manifests of every cluster, by the clusters' names.
pub struct Fleet {
    /// How many clusters there are.
    pub clusters: usize,
    /// The manifests: those of one cluster together, in the order in which they are applied.
    pub manifests: Vec<Manifest>,
}

/// What a run makes of its clusters, for progress and errors.
#[derive(Clone, Copy)]
pub struct Work {
    /// What it is doing: `rendering`.
    pub doing: &'static str,
    /// What has failed where something is wrong with a cluster: `failed to render`.
    pub failed: &'static str,
}

const RENDERING: Work = Work {
    doing: "rendering",
    failed: "failed to render",
};

/// What came of one cluster's values.
struct Cluster<T> {
    place: Place,
    name: String,
    server: Option<Server>,
    findings: Findings,
    notes: Vec<String>,
    made: Result<T, Problems>,
}

/// Reads, resolves and renders every cluster, and reports what was found on the way. `None` where
/// something is wrong, which has then been reported.
///
/// # Errors
/// Where something is wrong that isn't about a cluster.
pub fn render(
    args: InputArgs,
    sides: &'static [Side],
    outside: &mut Outside<'_>,
) -> Result<Option<Fleet>> {
    let InputArgs {
        sources,
        rendering,
        token_file,
    } = args;
    let templates = templates(&rendering)?;
    let needs = Needs {
        storage_keys: sides.contains(&Side::Compute),
        token: sides.contains(&Side::ControlPlane),
    };
    if token_file.is_some() && !needs.token {
        bail!("failed to use `--token-file`: the compute side holds no token; remove the flag");
    }
    let request = Request {
        token_file: token_file.as_deref().map(Source::from_flag),
        ..request(sources, needs)
    };
    // What is wrong with the templates is told once, and not for each cluster.
    let first = Mutex::new(Some(Renderer::new(&templates)?));
    let renderer = || {
        let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        first.map_or_else(|| Renderer::new(&templates), Ok)
    };
    let clusters = each(
        &request,
        RENDERING,
        rendering.strict,
        outside,
        renderer,
        |_| (),
        |renderer, (), registration| {
            let renderer = renderer
                .as_ref()
                .map_err(|error| anyhow::anyhow!("{error:#}"))?;
            Ok(renderer.render(&registration, sides)?)
        },
    )?;
    Ok(clusters.map(|clusters| Fleet {
        clusters: clusters.len(),
        manifests: clusters.into_iter().flatten().collect(),
    }))
}

/// The templates of a run.
///
/// # Errors
/// Where they can't be read.
pub fn templates(rendering: &RenderingArgs) -> Result<TemplateSet> {
    let templates = match &rendering.templates {
        None => TemplateSet::built_in(),
        Some(folder) => TemplateSet::with(read_templates(folder)?),
    };
    Ok(templates)
}

/// What is to be read, without a token from a flag.
pub fn request(sources: SourceArgs, needs: Needs) -> Request {
    let SourceArgs {
        values,
        clusters,
        defaults,
        kubeconfig,
        context,
    } = sources;
    let source = |value: Option<std::ffi::OsString>| value.as_deref().map(Source::from_flag);
    Request {
        values: values
            .iter()
            .map(|value| Source::from_flag(value))
            .collect(),
        clusters,
        defaults: source(defaults),
        kubeconfig: source(kubeconfig),
        context,
        token_file: None,
        needs,
    }
}

/// Reads and resolves every cluster, makes something of each, and reports what was found on the way.
/// Gives what was made, by the clusters' names; `None` where something is wrong, which has then been
/// reported. Each thread has something of its own `with` which it works. `look` keeps what is of use of
/// the inputs, and may put something else in the place of what is not to be used.
///
/// # Errors
/// Where something is wrong that isn't about a cluster.
pub fn each<W: Send, L, T: Send>(
    request: &Request,
    work: Work,
    strict: bool,
    outside: &mut Outside<'_>,
    with: impl Fn() -> W + Sync + Send,
    look: impl Fn(&mut Inputs) -> L + Sync + Send,
    make: impl Fn(&mut W, L, Registration) -> Result<T, Problems> + Sync + Send,
) -> Result<Option<Vec<T>>> {
    let now = outside.now;
    let one = |with: &mut W, mut inputs: Inputs, notes| {
        let place = inputs.place.clone();
        let name = inputs.values.name.clone();
        let seen = look(&mut inputs);
        let (registration, findings) = registration::resolve(inputs, now);
        Cluster {
            place,
            name,
            server: registration
                .as_ref()
                .ok()
                .map(|registration| registration.server.clone()),
            findings,
            notes,
            made: registration.and_then(|registration| make(with, seen, registration)),
        }
    };
    let mut clusters = read(request, work.doing, outside, with, one)?;
    check_fleet(&mut clusters);
    Ok(report(clusters, work, strict, outside))
}

/// Reads every cluster and does the same with the inputs of each and with the notes about them, by way
/// of something that each thread has `with` which it works. A file that can't be read counts as one
/// cluster.
///
/// # Errors
/// Where something is wrong that isn't about a cluster.
pub fn read<W: Send, T: Send>(
    request: &Request,
    doing: &'static str,
    outside: &mut Outside<'_>,
    with: impl Fn() -> W + Sync + Send,
    work: impl Fn(&mut W, Inputs, Vec<String>) -> T + Sync + Send,
) -> Result<Vec<Result<T, Unread>>> {
    let values = input::read_values(request)?;
    refuse_flags_about_one(request, &values)?;
    let mut notes = Vec::new();
    let kubeconfigs = input::read_kubeconfigs(&values, request, &mut notes);
    let progress = &outside.progress;
    progress.start(doing, values.len());
    let done = in_parallel_with(values, with, |with, values| {
        let done = values.map(|values| {
            let mut notes = Vec::new();
            let inputs = input::read(values, request, &kubeconfigs, &mut notes);
            work(with, inputs, notes)
        });
        progress.step();
        done
    });
    progress.stop();
    for note in notes {
        outside.report.note(&note);
    }
    Ok(done)
}

/// Flags that speak of one cluster, where several are read and the flag can't mean all of them.
fn refuse_flags_about_one(
    request: &Request,
    values: &[Result<ClusterValues, Unread>],
) -> Result<()> {
    if values.len() < 2 {
        return Ok(());
    }
    if request.token_file.is_some() {
        bail!(
            "failed to use `--token-file`: it is the token of one cluster, and {} are read: choose it by `--cluster`, or write `token: {{file: PATH}}` in the values of each",
            values.len()
        );
    }
    let without = |has: fn(&input::values::KubeconfigValues) -> bool| -> Vec<&str> {
        let clusters = values.iter().filter_map(|values| values.as_ref().ok());
        let names = clusters.filter_map(|cluster| {
            let has_it = cluster.values.kubeconfig.as_ref().is_some_and(has);
            (!has_it).then_some(cluster.values.name.as_str())
        });
        names.take(3).collect()
    };
    if request.kubeconfig.is_some() {
        let unclear = without(|kubeconfig| kubeconfig.context.is_some());
        if !unclear.is_empty() {
            bail!(
                "failed to use `--kubeconfig`: {} clusters are read, and it is for all of them only where each names its own context: write `kubeconfig.context` in the values of {}",
                values.len(),
                shown_list(unclear)
            );
        }
    }
    if request.context.is_some() {
        let unclear = without(|kubeconfig| kubeconfig.path.is_some());
        if !unclear.is_empty() {
            bail!(
                "failed to use `--context`: {} clusters are read, and it is for all of them only where each names its own kubeconfig: write `kubeconfig.path` in the values of {}",
                values.len(),
                shown_list(unclear)
            );
        }
    }
    Ok(())
}

fn check_fleet<T>(clusters: &mut [Result<Cluster<T>, Unread>]) {
    let mut clusters: Vec<&mut Cluster<T>> = clusters
        .iter_mut()
        .filter_map(|cluster| cluster.as_mut().ok())
        .collect();
    if clusters.len() < 2 {
        return;
    }
    let mut members: Vec<Member<'_>> = clusters
        .iter_mut()
        .map(|cluster| Member {
            name: &cluster.name,
            place: &cluster.place,
            server: cluster.server.as_ref(),
            findings: &mut cluster.findings,
        })
        .collect();
    for (position, error) in check(&mut members).errors {
        if let Some(cluster) = clusters.get_mut(position) {
            match &mut cluster.made {
                Ok(_) => cluster.made = Err(error.into()),
                Err(problems) => problems.push(error),
            }
        }
    }
}

/// Reports everything about every cluster, each thing once.
fn report<T>(
    clusters: Vec<Result<Cluster<T>, Unread>>,
    work: Work,
    strict: bool,
    outside: &mut Outside<'_>,
) -> Option<Vec<T>> {
    let total = clusters.len();
    let mut teller = Teller::of(
        work.failed,
        total,
        clusters.iter().flatten().filter_map(|cluster| {
            let problems = cluster.made.as_ref().err()?;
            Some((cluster.name.as_str(), &cluster.place, problems))
        }),
    );
    let mut wrong = 0;
    let mut good = Vec::new();
    for cluster in clusters {
        let (problems, good_one) = match cluster {
            Err(unread) => (unread.problems, None),
            Ok(cluster) => {
                teller.notes(cluster.notes, outside);
                let accepted = report_findings(&cluster.findings, strict, &cluster.name, outside);
                let mut problems = Problems::default();
                let made = match cluster.made {
                    Ok(made) => Some(made),
                    Err(others) => {
                        problems = others;
                        None
                    }
                };
                problems.take(accepted);
                (problems, made.map(|made| (cluster.name, made)))
            }
        };
        if problems.is_empty() {
            good.extend(good_one);
            continue;
        }
        wrong += 1;
        teller.errors(problems, outside);
    }
    if wrong > 0 {
        if total > 1 {
            outside.report.error(&anyhow::anyhow!(
                "{} {wrong} of {total} clusters, so nothing has been written for any of them",
                work.failed
            ));
        }
        return None;
    }
    good.sort_by(|(one, _), (other, _)| one.cmp(other));
    Some(good.into_iter().map(|(_, made)| made).collect())
}

/// Reports the findings that aren't accepted.
///
/// # Errors
/// Where one of them is an error.
fn report_findings(
    findings: &Findings,
    strict: bool,
    name: &str,
    outside: &mut Outside<'_>,
) -> Result<()> {
    let is_error = |finding: &&Finding| strict || finding.code.level() == Level::Deny;
    let (errors, warnings): (Vec<&Finding>, Vec<&Finding>) =
        findings.open.iter().partition(is_error);
    for warning in warnings {
        outside.report.warning(warning);
    }
    for error in &errors {
        outside.report.denied(error);
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

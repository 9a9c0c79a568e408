//! The compute kubeconfig: finding it, and the one cluster in it.
//!
//! A kubeconfig names clusters (an API server and its certificate authority), users (credentials)
//! and contexts (one of each). A context is chosen; of everything else only that context's
//! cluster is used. `kube`'s own readers aren't used: they model users, fall back to other files,
//! and print the lines around a syntax error, tokens included.

mod document;
mod search;

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use kube::config::Cluster;
use serde_yaml::{Mapping, Value};

pub use search::Search;

use super::file::{Source, decode};
use super::words::did_you_mean;
use super::yaml;
use crate::text::{shown, shown_list};
use document::{Document, parse, text};

/// The chosen context's cluster, as the kubeconfig gives it.
pub struct ChosenCluster {
    /// Name of the context.
    pub context: String,
    /// Name of the cluster.
    pub name: String,
    /// The kubeconfig that holds the cluster.
    pub source: Source,
    /// Its fields; no other than those that this program reads are set.
    pub cluster: Cluster,
}

/// The kubeconfigs that several clusters of a run share. Others are read when they're needed.
#[derive(Default)]
pub struct Kubeconfigs(HashMap<Search, Result<Merged, Chain>>);

/// What an error says, from the outermost in: every cluster that it is about is told.
struct Chain(Vec<String>);

impl Chain {
    fn of(error: &anyhow::Error) -> Self {
        Self(error.chain().map(ToString::to_string).collect())
    }

    fn error(&self) -> anyhow::Error {
        let mut reasons = self.0.iter().rev().cloned();
        let innermost = anyhow::Error::msg(reasons.next().unwrap_or_default());
        reasons.fold(innermost, anyhow::Error::context)
    }
}

impl Kubeconfigs {
    /// Reads those that are looked for more than once. Notes are lines for the user, such as which
    /// missing files were passed over.
    pub fn read_shared(searches: impl Iterator<Item = Search>, notes: &mut Vec<String>) -> Self {
        let mut uses: HashMap<Search, usize> = HashMap::new();
        for search in searches {
            *uses.entry(search).or_default() += 1;
        }
        let shared = uses.into_iter().filter(|(_, uses)| *uses > 1);
        let read = shared.map(|(search, _)| {
            let merged = Merged::read(&search, notes).map_err(|error| Chain::of(&error));
            (search, merged)
        });
        Self(read.collect())
    }

    /// Chooses a context of the kubeconfigs that `search` leads to: the named one, or else the
    /// current one.
    ///
    /// # Errors
    /// Where none can be read, or the context or its cluster can't be told.
    pub fn choose(
        &self,
        search: &Search,
        context: Option<&str>,
        asked_by: &AskedBy,
        notes: &mut Vec<String>,
    ) -> Result<ChosenCluster> {
        match self.0.get(search) {
            // Where several clusters share it, what is wrong is told once, with all of them.
            Some(Ok(merged)) => merged.choose(context),
            Some(Err(chain)) => Err(chain.error()),
            None => {
                let merged = with(&asked_by.path, Merged::read(search, notes))?;
                with(&asked_by.context, merged.choose(context))
            }
        }
    }
}

/// What fails along with a kubeconfig that can't be used, where a cluster's own values ask for it.
pub struct AskedBy {
    /// Where it can't be read.
    pub path: Option<String>,
    /// Where the context isn't in it, or is of no use.
    pub context: Option<String>,
}

fn with<T>(failed: &Option<String>, result: Result<T>) -> Result<T> {
    match failed {
        Some(failed) => result.context(failed.clone()),
        None => result,
    }
}

impl Kubeconfigs {
    /// Chooses as [`Kubeconfigs::choose`] does, but where there are several contexts and none is
    /// named, it doesn't take the current one.
    ///
    /// # Errors
    /// In the same cases, and in that one, with the contexts that there are.
    pub fn choose_only(
        search: &Search,
        context: Option<&str>,
        notes: &mut Vec<String>,
    ) -> Result<ChosenCluster> {
        let merged = Merged::read(search, notes)?;
        let only = match merged.contexts.len() {
            1 => merged.context_names().next(),
            _ => None,
        };
        if let Some(context) = context.or(only) {
            return merged.choose(Some(context));
        }
        let hint = match merged.contexts.is_empty() {
            true => "",
            false => "name one by `--context`; ",
        };
        bail!(
            "failed to choose a context of the kubeconfig {}: {hint}{}",
            merged.title(),
            choices("contexts", merged.context_names())
        )
    }
}

impl Kubeconfigs {
    /// The names of all contexts that there are, in order.
    ///
    /// # Errors
    /// Where no kubeconfig can be read.
    pub fn contexts(search: &Search) -> Result<Vec<String>> {
        let merged = Merged::read(search, &mut Vec::new())?;
        let mut names: Vec<String> = merged.contexts.into_keys().collect();
        names.sort_unstable();
        Ok(names)
    }
}

/// A kubeconfig, or several as one.
#[derive(Default)]
struct Merged {
    sources: Vec<Source>,
    current_context: Option<String>,
    contexts: HashMap<String, Mapping>,
    clusters: HashMap<String, (Mapping, Source)>,
}

impl Merged {
    fn read(search: &Search, notes: &mut Vec<String>) -> Result<Self> {
        let mut merged = Self::default();
        for (source, bytes) in search.read(notes)? {
            let document = decode(bytes)
                .and_then(|text| parse(&text))
                .with_context(|| format!("failed to read the kubeconfig {source}"))?;
            merged.add(source, document);
        }
        Ok(merged)
    }

    /// Merges as client-go does: the first current context that isn't empty, and the first whole
    /// entry of each name.
    fn add(&mut self, source: Source, document: Document) {
        self.current_context = self.current_context.take().or(document.current_context);
        for (name, context) in document.contexts {
            self.contexts.entry(name).or_insert(context);
        }
        for (name, cluster) in document.clusters {
            self.clusters
                .entry(name)
                .or_insert_with(|| (cluster, source.clone()));
        }
        self.sources.push(source);
    }

    fn title(&self) -> String {
        let sources: Vec<String> = self.sources.iter().map(Source::to_string).collect();
        sources.join(", ")
    }

    fn choose(&self, wanted: Option<&str>) -> Result<ChosenCluster> {
        self.chosen(wanted).with_context(|| {
            format!(
                "failed to choose a context of the kubeconfig {}",
                self.title()
            )
        })
    }

    fn chosen(&self, wanted: Option<&str>) -> Result<ChosenCluster> {
        let name = match (wanted, &self.current_context) {
            (Some(name), _) => name,
            (None, Some(name)) => name,
            (None, None) => bail!(
                "no context is named, and its current-context is empty: name one by `kubeconfig.context` in the values file or by `--context`; {}",
                choices("contexts", self.context_names())
            ),
        };
        let chosen_by = if wanted.is_some() {
            ""
        } else {
            ", its current-context,"
        };
        let Some(context) = self.contexts.get(name) else {
            let mut known: Vec<&str> = self.context_names().collect();
            known.sort_unstable();
            bail!(
                "the context {}{chosen_by} is not in it{}; {}",
                shown(name),
                did_you_mean(name, &known),
                choices("contexts", self.context_names())
            );
        };
        let Some(cluster_name) = text(context.get("cluster")).filter(|name| !name.is_empty())
        else {
            bail!("the context {} names no cluster", shown(name));
        };
        let Some((body, source)) = self.clusters.get(&cluster_name) else {
            bail!(
                "the context {} names the cluster {}, which is not in it; {}",
                shown(name),
                shown(&cluster_name),
                choices("clusters", self.clusters.keys().map(String::as_str))
            );
        };
        Ok(ChosenCluster {
            context: name.to_owned(),
            cluster: cluster(body)
                .with_context(|| format!("failed to read the cluster {}", shown(&cluster_name)))?,
            source: source.clone(),
            name: cluster_name,
        })
    }

    fn context_names(&self) -> impl Iterator<Item = &str> {
        self.contexts.keys().map(String::as_str)
    }
}

fn choices<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    match names.as_slice() {
        [] => format!("it has no {what}"),
        _ => format!("it has the {what} {}", shown_list(names)),
    }
}

/// The fields of a cluster that decide how the control plane reaches it.
fn cluster(body: &Mapping) -> Result<Cluster> {
    Ok(Cluster {
        server: field(body, "server")?,
        insecure_skip_tls_verify: Some(is_true(body.get("insecure-skip-tls-verify"))),
        certificate_authority: field(body, "certificate-authority")?,
        certificate_authority_data: field(body, "certificate-authority-data")?,
        proxy_url: field(body, "proxy-url")?,
        tls_server_name: field(body, "tls-server-name")?,
        ..Cluster::default()
    })
}

/// A field's text; an empty one counts as none, as it does for client-go.
fn field(body: &Mapping, key: &str) -> Result<Option<String>> {
    match body.get(key) {
        None => match yaml::miscased(body, key) {
            Some(found) => bail!(
                "it has a key {} where {} is expected: the case matters",
                shown(found),
                shown(key)
            ),
            None => Ok(None),
        },
        Some(Value::Null) => Ok(None),
        Some(value) => match text(Some(value)) {
            Some(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            None => bail!("its {} is not a string", shown(key)),
        },
    }
}

/// Whether a boolean is set. What isn't clearly false counts as true: the one field that is read
/// here turns a check off, and Kubernetes' parser reads `yes` and `on` as true as well.
fn is_true(value: Option<&Value>) -> bool {
    let text = match value {
        None | Some(Value::Null) => return false,
        Some(value) => text(Some(value)).unwrap_or_default(),
    };
    !matches!(
        text.to_ascii_lowercase().as_str(),
        "false" | "no" | "off" | "n" | "f" | "0" | ""
    )
}

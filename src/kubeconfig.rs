//! The compute kubeconfig: the chosen context's cluster, and nothing else of it.
//!
//! Of the users only the names are read. Entries that aren't chosen may be odd in any way.

use std::path::{Path, PathBuf};

use kube::config::Cluster as ClusterEntry;
use serde_yaml::Value;

use crate::diagnostic::{Code, Diagnostic, list, shown};
use crate::values::{file, yaml};

/// Where a kubeconfig is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// A file that a flag or the values name.
    File(PathBuf),
    /// The files of `$KUBECONFIG`, of which some may be missing.
    Environment(Vec<PathBuf>),
}

impl Location {
    /// The one that kubectl would take: `$KUBECONFIG`, else `~/.kube/config`.
    pub fn of_kubectl() -> Self {
        match std::env::var_os("KUBECONFIG").filter(|paths| !paths.is_empty()) {
            Some(paths) => {
                let paths = std::env::split_paths(&paths);
                Self::Environment(paths.filter(|path| !path.as_os_str().is_empty()).collect())
            }
            None => {
                let home = std::env::var_os("HOME").unwrap_or_default();
                Self::File(Path::new(&home).join(".kube/config"))
            }
        }
    }
}

/// A parsed kubeconfig, perhaps of several files.
#[derive(Debug)]
pub struct Kubeconfig {
    files: Vec<(PathBuf, Value)>,
    /// About files that are missing.
    notes: Vec<Diagnostic>,
}

/// What the chosen context comes to.
#[derive(Debug)]
pub struct Chosen {
    /// Path of the file that has the cluster's entry.
    pub file: String,
    /// Name of the context.
    pub context: String,
    /// Name of the cluster's entry.
    pub cluster: String,
    /// `server` of the entry.
    pub server: String,
    /// The certificate authority of the entry.
    pub certificate_authority: AuthoritySource,
    /// `insecure-skip-tls-verify` of the entry.
    pub is_insecure: bool,
    /// `tls-server-name` of the entry.
    pub tls_server_name: Option<String>,
    /// Whether the entry has a `proxy-url`.
    pub has_proxy: bool,
    /// Whether the context's user is there, so that kubectl could log in.
    pub has_user: bool,
    /// About the choice itself.
    pub findings: Vec<Diagnostic>,
}

/// The certificate authority as a kubeconfig gives it.
#[derive(Debug)]
pub enum AuthoritySource {
    /// None.
    Missing,
    /// `certificate-authority-data`
    Base64(String),
    /// `certificate-authority`, a path as seen from the working directory.
    File(PathBuf),
    /// It can't be used.
    Unusable(Diagnostic),
}

impl Kubeconfig {
    /// Reads the files of a location.
    ///
    /// # Errors
    /// Where one isn't a kubeconfig, or none is there.
    pub fn read(location: &Location) -> Result<Self, Diagnostic> {
        let paths = match location {
            Location::File(path) => std::slice::from_ref(path),
            Location::Environment(paths) => paths,
        };
        let is_missing = |path: &&PathBuf| path.as_path() != Path::new("-") && !path.exists();
        let missing: Vec<&PathBuf> = paths.iter().filter(is_missing).collect();
        if missing.len() == paths.len() {
            let first = missing.first().copied();
            let error = first.and_then(|path| file::read(path).err());
            return Err(error.unwrap_or_else(|| Diagnostic::error("`$KUBECONFIG` names no file")));
        }
        let note = |path: &&PathBuf| {
            let message = format!(
                "`$KUBECONFIG` names {}, which is missing",
                shown(file::name(path))
            );
            let note = Diagnostic::note(message);
            let hint = file::unexpanded(&path.to_string_lossy());
            hint.into_iter().fold(note, Diagnostic::help)
        };
        let notes = missing.iter().map(note).collect();
        let mut files = Vec::new();
        for path in paths.iter().filter(|path| !missing.contains(path)) {
            let value = parse(path).map_err(|error| error.in_file(file::name(path)))?;
            files.push((path.clone(), value));
        }
        Ok(Self { files, notes })
    }

    /// The names of its contexts.
    pub fn contexts(&self) -> Vec<&str> {
        let lists = self
            .files
            .iter()
            .filter_map(|(_, value)| value.get("contexts")?.as_sequence());
        lists
            .flatten()
            .filter_map(|entry| entry.get("name")?.as_str())
            .collect()
    }

    /// What a context comes to; without a name, the current one.
    ///
    /// # Errors
    /// Where the context, its cluster or the cluster's server is missing.
    pub fn choose(&self, name: Option<&str>) -> Result<Chosen, Diagnostic> {
        let current = || {
            let mut currents = self
                .files
                .iter()
                .filter_map(|(_, value)| value.get("current-context")?.as_str());
            currents.find(|name| !name.is_empty())
        };
        let known = || match self.contexts().as_slice() {
            [] => "the kubeconfig has no contexts".to_owned(),
            contexts => format!("its contexts are {}", list(contexts)),
        };
        let first_file = self
            .files
            .first()
            .map(|(path, _)| file::name(path))
            .unwrap_or_default();
        let Some(context) = name.or_else(current) else {
            return Err(Diagnostic::error("the kubeconfig has no current context")
                .in_file(first_file)
                .help("choose one by `kubeconfig.context` or `--context`")
                .help(known()));
        };
        let Some((file, entry)) = self.find("contexts", context).next() else {
            let message = format!("the kubeconfig has no context {}", shown(context));
            return Err(Diagnostic::error(message).help(known()));
        };
        let within =
            |entry: &Value, key: &str| entry.get("context")?.get(key)?.as_str().map(str::to_owned);
        let missing = |what: String| {
            Diagnostic::error(what)
                .in_file(file::name(file))
                .at_key(format!("context {}", shown(context)))
        };
        let cluster = within(entry, "cluster").filter(|name| !name.is_empty());
        let cluster = cluster.ok_or_else(|| missing("the context has no cluster".to_owned()))?;
        let Some((cluster_file, cluster_entry)) = self.find("clusters", &cluster).next() else {
            return Err(missing(format!(
                "the kubeconfig has no cluster {}",
                shown(&cluster)
            )));
        };
        let mut findings = self.notes.clone();
        if name.is_none() && self.contexts().len() > 1 {
            let message = format!(
                "the current context, {}, is one of several, and nothing pins it",
                shown(context)
            );
            let finding =
                Diagnostic::finding(Code::UnpinnedContext, message).in_file(file::name(file));
            findings.push(finding.help("set `kubeconfig.context`"));
        }
        findings.extend(self.shadowed("contexts", context));
        findings.extend(self.shadowed("clusters", &cluster));
        let user = within(entry, "user").unwrap_or_default();
        let mut chosen = chosen(cluster_file, &cluster, cluster_entry).map_err(|error| {
            error
                .in_file(file::name(cluster_file))
                .at_key(format!("cluster {}", shown(&cluster)))
        })?;
        chosen.context = context.to_owned();
        chosen.has_user = self.find("users", &user).next().is_some();
        chosen.findings = findings;
        Ok(chosen)
    }

    /// The entries of a name, in the order of the files; the first one counts.
    fn find(&self, key: &str, name: &str) -> impl Iterator<Item = (&Path, &Value)> {
        self.files.iter().filter_map(move |(path, value)| {
            let mut entries = value.get(key)?.as_sequence()?.iter();
            let entry =
                entries.find(|entry| entry.get("name").and_then(Value::as_str) == Some(name))?;
            Some((path.as_path(), entry))
        })
    }

    fn shadowed(&self, key: &str, name: &str) -> Option<Diagnostic> {
        let mut entries = self.find(key, name);
        let (first_file, first) = entries.next()?;
        let (other_file, other) = entries.find(|(_, other)| *other != first)?;
        let server = |path: &Path, entry: &Value| {
            let own = || {
                let cluster = entry.get("context")?.get("cluster")?.as_str()?;
                let (_, entry) = self
                    .find("clusters", cluster)
                    .find(|(file, _)| *file == path)?;
                entry.get("cluster")?.get("server")?.as_str()
            };
            let server = entry
                .get("cluster")
                .and_then(|cluster| cluster.get("server")?.as_str());
            let server = server.or_else(own).filter(|server| !server.contains('@'));
            format!(
                "{} ({})",
                shown(file::name(path)),
                shown(server.unwrap_or("no server"))
            )
        };
        let message = format!(
            "the {} {} is in {}, which counts, and another in {}",
            key.trim_end_matches('s'),
            shown(name),
            server(first_file, first),
            server(other_file, other),
        );
        let help = "name one file by `kubeconfig.path` or `--kubeconfig`";
        Some(Diagnostic::finding(Code::ShadowedEntry, message).help(help))
    }
}

/// Parses one file and checks what kind it is.
fn parse(path: &Path) -> Result<Value, Diagnostic> {
    let text = yaml::decode(file::read(path)?)?;
    let mut documents = yaml::documents(&text)?.into_iter();
    let value = match (documents.next(), documents.next()) {
        (Some(value), None) => value,
        (None, _) => return Err(Diagnostic::error("the kubeconfig is empty")),
        _ => return Err(Diagnostic::error("the kubeconfig has several documents")),
    };
    for (key, expected) in [("kind", "Config"), ("apiVersion", "v1")] {
        let found = value.get(key).and_then(Value::as_str).unwrap_or(expected);
        if !value.is_mapping() || found != expected && !found.is_empty() {
            let message = format!("not a kubeconfig: `{key}` is not `{expected}`");
            return Err(Diagnostic::error(message));
        }
    }
    for key in ["contexts", "clusters", "users"] {
        let entries = value
            .get(key)
            .and_then(Value::as_sequence)
            .into_iter()
            .flatten();
        let mut seen = std::collections::HashSet::new();
        for name in entries.filter_map(|entry| entry.get("name")?.as_str()) {
            if !seen.insert(name) {
                let message = format!("`{key}` has {} twice", shown(name));
                return Err(Diagnostic::error(message));
            }
        }
    }
    Ok(value)
}

/// Reads the entry of a cluster, except what the context says.
fn chosen(path: &Path, name: &str, entry: &Value) -> Result<Chosen, Diagnostic> {
    let mut value = entry.get("cluster").cloned().unwrap_or_default();
    if let Value::Mapping(mapping) = &mut value {
        mapping.shift_remove("extensions");
        for value in mapping.values_mut() {
            // Python's `yaml.dump` writes bytes, a certificate's among them, as `!!binary`.
            if let Value::Tagged(tagged) = value {
                *value = std::mem::take(&mut tagged.value);
            }
        }
    }
    let entry: ClusterEntry =
        serde_yaml::from_value(value).map_err(|error| yaml::explain(&error))?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let server =
        filled(entry.server).ok_or_else(|| Diagnostic::error("the cluster has no `server`"))?;
    let folder = file::folder(path);
    let certificate_authority = match (
        filled(entry.certificate_authority_data),
        filled(entry.certificate_authority),
    ) {
        (None, None) => AuthoritySource::Missing,
        (Some(data), None) => AuthoritySource::Base64(data),
        (None, Some(ca)) => match file::resolve(folder.as_deref(), &ca) {
            Ok(path) => AuthoritySource::File(path),
            Err(error) => AuthoritySource::Unusable(error),
        },
        (Some(_), Some(_)) => AuthoritySource::Unusable(Diagnostic::error(
            "the cluster has both `certificate-authority-data` and `certificate-authority`",
        )),
    };
    Ok(Chosen {
        file: file::name(path),
        context: String::new(),
        cluster: name.to_owned(),
        server,
        certificate_authority,
        is_insecure: entry.insecure_skip_tls_verify == Some(true),
        tls_server_name: filled(entry.tls_server_name),
        has_proxy: filled(entry.proxy_url).is_some(),
        has_user: false,
        findings: Vec::new(),
    })
}

//! Reads the chosen context's cluster from the compute kubeconfig, and only the names of users.
//!
//! kube's own reader refuses a whole file for one odd entry, and its errors quote the lines around it, tokens
//! included. Here, entries that aren't chosen may be malformed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use kube::config;
use serde_yaml::{Mapping, Value};

use crate::diagnostic::{Diagnostic, Place};
use crate::findings::Code;
use crate::input::{file, yaml};
use crate::show::{list, shown, shown_url};
use crate::values::count_keys;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// A file that a flag or the values name.
    File(PathBuf),
    /// The files that kubectl would read; some may be missing.
    OfKubectl(Vec<PathBuf>),
}

impl Location {
    /// Returns the files of `$KUBECONFIG`, or `~/.kube/config`.
    pub fn of_kubectl() -> Self {
        let paths = std::env::var_os("KUBECONFIG").filter(|paths| !paths.is_empty());
        let paths = paths.unwrap_or_else(|| {
            std::env::home_dir().unwrap_or_default().join(".kube/config").into_os_string()
        });
        let paths = std::env::split_paths(&paths);
        Self::OfKubectl(paths.filter(|path| !path.as_os_str().is_empty()).collect())
    }
}

/// A parsed kubeconfig, perhaps from several files.
#[derive(Debug, Default)]
pub struct Kubeconfig {
    pub file: String,
    current_context: Option<String>,
    contexts: Vec<Entry>,
    clusters: Vec<Entry>,
    users: Vec<Entry>,
    /// About missing files of `$KUBECONFIG`.
    notes: Vec<Diagnostic>,
}

/// An entry of one of the lists. As in kubectl, the first one of a name is used.
#[derive(Debug)]
struct Entry {
    name: String,
    is_number: bool,
    value: Value,
    file: PathBuf,
}

/// The cluster of a chosen context.
#[derive(Debug)]
pub struct KubeconfigCluster {
    pub file: String,
    pub context: String,
    pub cluster: String,
    pub server: String,
    pub ca: Result<GivenCa, Diagnostic>,
    pub ca_key: &'static str,
    pub is_insecure: bool,
    pub tls_server_name: Option<String>,
    pub has_proxy: bool,
    /// Whether the context's user exists, so that kubectl could log in.
    pub has_user: bool,
    /// Findings about the choice of the context.
    pub findings: Vec<Diagnostic>,
}

impl KubeconfigCluster {
    /// Returns the place of a key of the cluster's entry.
    pub fn place(&self, key: &str) -> Place {
        Place {
            file: Some(self.file.clone()),
            key: Some(format!("cluster {}: {key}", shown(&self.cluster))),
            ..Place::default()
        }
    }
}

/// A certificate authority before it is checked.
#[derive(Clone, Debug)]
pub enum GivenCa {
    System,
    Base64(String),
    Pem(Vec<u8>),
    Missing,
}

impl Kubeconfig {
    /// Reads the files of a location, as kubectl merges them. Fails if one isn't a kubeconfig, or all are missing.
    pub fn read(location: &Location) -> Result<Self, Diagnostic> {
        let (there, missing): (Vec<&PathBuf>, Vec<&PathBuf>) = match location {
            Location::File(path) => (vec![path], Vec::new()),
            Location::OfKubectl(paths) => paths.iter().partition(|path| path.exists()),
        };
        let Some(first) = there.first() else {
            return Err(missing_files(&missing));
        };
        let notes = missing.into_iter().map(|path| missing_file(path)).collect();
        let mut kubeconfig = Self { file: file::name(first), notes, ..Self::default() };
        for path in there {
            let bytes = file::read(path)?;
            let added = kubeconfig.add(path, bytes);
            added.map_err(|error| exportable(error.in_file(file::name(path))))?;
        }
        Ok(kubeconfig)
    }

    fn add(&mut self, path: &Path, bytes: Vec<u8>) -> Result<(), Diagnostic> {
        let mut document = parse(bytes)?;
        let current = document.get("current-context").and_then(name_of).map(|(name, _)| name);
        let current = current.filter(|name| !name.is_empty());
        self.current_context = self.current_context.take().or(current);
        let lists = [
            ("contexts", "context", &mut self.contexts),
            ("clusters", "cluster", &mut self.clusters),
            ("users", "user", &mut self.users),
        ];
        for (list, key, entries) in lists {
            let items = document.get_mut(list).map(std::mem::take).unwrap_or_default();
            let Value::Sequence(items) = items else {
                continue;
            };
            let mut names = HashSet::new();
            for mut item in items {
                let Some((name, is_number)) = item.get("name").and_then(name_of) else {
                    continue;
                };
                if !names.insert(name.clone()) {
                    let message = format!("`{list}` has {} twice", shown(name));
                    return Err(Diagnostic::error(message).help("remove one of the two"));
                }
                // Drop the users' credentials: their names are enough.
                let value = item.get_mut(key).filter(|_| key != "user").map(std::mem::take);
                let (value, file) = (value.unwrap_or_default(), path.to_owned());
                entries.push(Entry { name, is_number, value, file });
            }
        }
        Ok(())
    }

    /// Returns the names of all contexts, in file order.
    pub fn contexts(&self) -> Vec<&str> {
        self.contexts.iter().map(|entry| entry.name.as_str()).collect()
    }

    /// Returns the cluster of the named context, or of the current one. Fails if the context, its cluster or the
    /// cluster's server is missing.
    pub fn choose(&self, name: Option<&str>) -> Result<KubeconfigCluster, Diagnostic> {
        // Never guess, not even an only context: a wrong cluster would be registered.
        let Some(context) = name.or(self.current_context.as_deref()) else {
            let known = known("context", &self.contexts);
            let error = match self.contexts.as_slice() {
                [] => exportable(Diagnostic::error("the kubeconfig has no contexts")),
                _ => Diagnostic::error("the kubeconfig has no current context")
                    .help("choose one with `kubeconfig.context` or `--context`")
                    .help(known),
            };
            return Err(error.in_file(&self.file));
        };
        let entry = find(&self.contexts, context).ok_or_else(|| {
            let message = format!("{} has no context {}", shown(&self.file), shown(context));
            let error = Diagnostic::error(message).help(known("context", &self.contexts));
            match name {
                Some(_) => error,
                None => error.in_file(&self.file).at_key("current-context"),
            }
        })?;
        let of_context = |key: &str| {
            let name = entry.value.get(key).and_then(name_of);
            name.map(|(name, _)| name).unwrap_or_default()
        };
        let cluster = find(&self.clusters, &of_context("cluster")).ok_or_else(|| {
            let message = match of_context("cluster").as_str() {
                "" => "the context names no cluster".to_owned(),
                name => format!("the context's cluster {} is missing", shown(name)),
            };
            let error = Diagnostic::error(message).in_file(file::name(&entry.file));
            let error = error.at_key(format!("context {}", shown(context)));
            error.help(known("cluster", &self.clusters))
        })?;
        if let Some(number) = [entry, cluster].into_iter().find(|entry| entry.is_number) {
            let name = shown(&number.name);
            let message = format!("the name {name} is a number, so kubectl doesn't find it");
            let help = format!("put it in quotes everywhere it is used: `\"{}\"`", number.name);
            let error = Diagnostic::error(message).in_file(file::name(&number.file));
            return Err(error.help(help));
        }
        let mut findings = self.notes.clone();
        if name.is_none() && self.contexts.iter().any(|other| other.name != context) {
            let message = format!("no context chosen; using the current one, {}", shown(context));
            let help = "set `kubeconfig.context`, or pass `--context`";
            let finding = Diagnostic::finding(Code::UnpinnedContext, message, help);
            findings.push(finding.in_file(file::name(&entry.file)));
        }
        findings.extend(self.shadowed("context", entry, &self.contexts));
        findings.extend(self.shadowed("cluster", cluster, &self.clusters));
        let has_user = find(&self.users, &of_context("user")).is_some();
        cluster_of_entry(context, has_user, findings, cluster).map_err(|error| {
            let error = error.in_file(file::name(&cluster.file));
            exportable(error.at_key(format!("cluster {}", shown(&cluster.name))))
        })
    }

    /// Returns a finding if another file has a different entry with the same name.
    fn shadowed(&self, kind: &str, first: &Entry, entries: &[Entry]) -> Option<Diagnostic> {
        let other =
            entries.iter().find(|other| other.name == first.name && other.value != first.value)?;
        let described = |entry: &Entry| {
            let cluster = entry.value.get("cluster").and_then(Value::as_str);
            let mut clusters = self.clusters.iter().filter(|other| other.file == entry.file);
            let cluster =
                cluster.and_then(|name| clusters.find(|other| other.name == name)).unwrap_or(entry);
            let server = cluster.value.get("server").and_then(Value::as_str).unwrap_or_default();
            format!("{} (server {})", shown(file::name(&entry.file)), shown_url(server))
        };
        let (name, first, other) = (shown(&first.name), described(first), described(other));
        let message =
            format!("{first} and {other} have different {kind}s named {name}; the first is used");
        let help = "name one file with `kubeconfig.path` or `--kubeconfig`";
        Some(Diagnostic::finding(Code::ShadowedEntry, message, help).at_key("`$KUBECONFIG`"))
    }
}

/// The text of a name, and whether it is a number.
fn name_of(value: &Value) -> Option<(String, bool)> {
    match value {
        Value::String(name) => Some((name.clone(), false)),
        Value::Number(number) => Some((number.to_string(), true)),
        _ => None,
    }
}

fn find<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.name == name)
}

fn known(kind: &str, entries: &[Entry]) -> String {
    match entries {
        [] => format!("the kubeconfig has no {kind}s"),
        _ => format!("its {kind}s are {}", list(entries.iter().map(|entry| &entry.name))),
    }
}

fn missing_file(path: &Path) -> Diagnostic {
    let message = format!("{} of `$KUBECONFIG` is missing", shown(file::name(path)));
    let hint = file::unexpanded(&path.to_string_lossy());
    let note = Diagnostic::note(message).at_key("`$KUBECONFIG`");
    hint.into_iter().fold(note, Diagnostic::help)
}

fn missing_files(paths: &[&PathBuf]) -> Diagnostic {
    // Joined again, since a path such as `C:\…` was split at its `:`, and gets a hint.
    let names: Vec<String> = paths.iter().map(|path| file::name(path)).collect();
    let names = names.join(":");
    if names.is_empty() {
        return Diagnostic::error("`$KUBECONFIG` names no file").help("pass `--kubeconfig FILE`");
    }
    let usual = "pass `--kubeconfig FILE`; a values file may name it in `kubeconfig.path`";
    let error = Diagnostic::error(format!("no kubeconfig at {}", shown(&names)));
    error.help(file::unexpanded(&names).unwrap_or(usual))
}

/// Adds the usual help, unless the error has its own.
fn exportable(error: Diagnostic) -> Diagnostic {
    if !error.helps.is_empty() {
        return error;
    }
    error.help("export it again: `kubectl config view --raw --minify --flatten`")
}

/// Adds help about a CA file, which is often on the machine that the kubeconfig was copied from.
fn export_from_its_machine(error: Diagnostic) -> Diagnostic {
    error
        .help("export the kubeconfig where that file is: `kubectl config view --raw --minify --flatten`")
        .help("or set `kubeconfig.certificateAuthority` to a copy of it")
}

fn parse(bytes: Vec<u8>) -> Result<Value, Diagnostic> {
    let text = yaml::decode(bytes)?;
    let mut documents = yaml::documents(&text)?.into_iter();
    let value = documents.next().unwrap_or_else(|| Mapping::new().into());
    if documents.next().is_some() {
        return Err(Diagnostic::error("the kubeconfig has several documents"));
    }
    if value.get("contexts").is_none() && count_keys(&value) > 0 {
        let error = Diagnostic::error("a values file, not a kubeconfig");
        return Err(error.help("pass it with `-f`"));
    }
    // `apiVersion` or `{`, encoded.
    let is_base64 = |text: &str| text.starts_with("YXBpVmVyc2lvbj") || text.starts_with("ey");
    if value.as_str().is_some_and(is_base64) {
        let error = Diagnostic::error("the kubeconfig is base64-encoded");
        return Err(error.help("decode it first: `base64 -d`"));
    }
    for (key, expected) in [("kind", "Config"), ("apiVersion", "v1")] {
        let is_good = match value.get(key) {
            None | Some(Value::Null) => value.is_mapping(),
            Some(found) => found == expected || found == "",
        };
        if !is_good {
            let message = format!("not a kubeconfig: `{key}` is not `{expected}`");
            return Err(Diagnostic::error(message));
        }
    }
    Ok(value)
}

/// Reads a cluster's entry as kubectl does, but ignores extensions, which may hold anything.
fn cluster_of_entry(
    context: &str,
    has_user: bool,
    findings: Vec<Diagnostic>,
    entry: &Entry,
) -> Result<KubeconfigCluster, Diagnostic> {
    let mut value = entry.value.clone();
    if let Value::Mapping(mapping) = &mut value {
        mapping.shift_remove("extensions");
        for value in mapping.values_mut() {
            // Python's `yaml.dump` writes bytes, such as a certificate's, as `!!binary`.
            if let Value::Tagged(tagged) = value {
                *value = std::mem::take(&mut tagged.value);
            }
        }
    }
    let cluster: config::Cluster =
        serde_yaml::from_value(value).map_err(|error| yaml::explain(&error, "", |_| false))?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let server =
        filled(cluster.server).ok_or_else(|| Diagnostic::error("the cluster has no `server`"))?;
    let data = filled(cluster.certificate_authority_data);
    let (ca, ca_key) = match (data, filled(cluster.certificate_authority)) {
        (None, None) => (Ok(GivenCa::Missing), "certificate-authority-data"),
        (Some(data), None) => (Ok(GivenCa::Base64(data)), "certificate-authority-data"),
        (None, Some(path)) => {
            let path = file::relative_to(file::folder(&entry.file).as_deref(), &path);
            let bytes = path.and_then(|path| file::read(&path).map_err(export_from_its_machine));
            (bytes.map(GivenCa::Pem), "certificate-authority")
        }
        (Some(_), Some(_)) => {
            let message = "`certificate-authority-data` and `certificate-authority` are both set";
            let error = Diagnostic::error(message).help("remove one of the two");
            (Err(error), "certificate-authority")
        }
    };
    Ok(KubeconfigCluster {
        file: file::name(&entry.file),
        context: context.to_owned(),
        cluster: entry.name.clone(),
        server,
        ca,
        ca_key,
        is_insecure: cluster.insecure_skip_tls_verify == Some(true),
        tls_server_name: filled(cluster.tls_server_name),
        has_proxy: filled(cluster.proxy_url).is_some(),
        has_user,
        findings,
    })
}

//! `init`: writes a first values file from a context of a kubeconfig.

use std::path::{Component, Path, PathBuf};

use anyhow::Context as _;
use minijinja::{Environment, context};

use super::Outcome;
use crate::cli::InitArgs;
use crate::diagnostic::{Diagnostic, Severity};
use crate::input::file;
use crate::kubeconfig::{Kubeconfig, KubeconfigCluster, Location};
use crate::output;
use crate::registration::names::check_label;
use crate::registration::resolve_ca;
use crate::registration::server::{Server, is_proxy};
use crate::render::syntax;
use crate::show::{list, quoted, shown};
use crate::sources::Source;

/// Names that kubeadm and other tools give to every cluster.
const COMMON_NAMES: [&str; 4] = ["kubernetes", "default", "cluster", "local"];

/// Writes the values file, or returns it for standard output.
pub fn run(args: &InitArgs) -> Result<Outcome, Diagnostic> {
    let location = args.kubeconfig.clone().map_or_else(Location::of_kubectl, Location::File);
    let kubeconfig = Kubeconfig::read(&location)?;
    if let Some(name) = &args.name {
        check_label(name).map_err(|error| error.at_key("`--name`"))?;
    }
    let contexts = kubeconfig.contexts();
    if args.context.is_none() && contexts.len() > 1 {
        return Err(Diagnostic::error("the kubeconfig has several contexts")
            .in_file(&kubeconfig.file)
            .help("choose one with `--context NAME`")
            .help(format!("its contexts are {}", list(contexts))));
    }
    let only = contexts.first().copied();
    let chosen = kubeconfig.choose(args.context.as_deref().or(only))?;
    let text = starter(args, &chosen)?;
    let Some(path) = &args.output else {
        return Ok(text.into());
    };
    if path.exists() {
        let message = format!("{} exists already", shown(file::name(path)));
        return Err(Diagnostic::error(message).help("choose another file"));
    }
    output::new_file(path, &text)?;
    let name = file::name(path);
    let summary =
        format!("fill in the `<…>` placeholders, then run `ma-register inspect -f {name}`");
    Ok(Outcome { summary: Some(summary), ..Outcome::default() })
}

fn starter(args: &InitArgs, chosen: &KubeconfigCluster) -> anyhow::Result<String> {
    let server = Server::parse(&chosen.server);
    let doubt = match &server {
        Ok(server) => server.finding().filter(|finding| finding.severity == Severity::Error),
        Err(error) => Some(error.clone()),
    };
    let resolve = |given| resolve_ca(given, chosen, Source::Kubeconfig, server.as_ref().ok());
    let ca = chosen.ca.clone().and_then(resolve);
    let is_gke_dns = server.as_ref().is_ok_and(Server::is_gke_dns_endpoint);
    // A pipe can't be read again, so its path is of no use in the file.
    let kubeconfig = args.kubeconfig.as_ref().filter(|path| file::folder(path).is_some());
    let path = kubeconfig.map(|path| {
        let folder = args.output.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        quoted(&relative(path, folder).to_string_lossy())
    });
    let proxy_doubt =
        is_proxy(&chosen.server).then(|| "the CA belongs to the proxy in front".to_owned());
    let name = args.name.clone().or_else(|| name_of(&chosen.cluster));
    let values = context! {
        name => name.map_or_else(|| "<NAME>".to_owned(), |name| quoted(&name)),
        path => path,
        context => quoted(&chosen.context),
        server_doubt => doubt.map(|doubt| doubt.message),
        port => server.as_ref().map_or(6443, |server| server.port),
        authority_doubt => ca.err().map(|error| error.message).or(proxy_doubt),
        is_gke_dns => is_gke_dns,
    };
    let mut environment = Environment::new();
    environment.set_syntax(syntax()?);
    let template = include_str!("../../templates/init.yaml.j2");
    environment.render_str(template, values).context("failed to write the values file")
}

/// Makes a path relative to the folder of the values file, as `kubeconfig.path` is. Linked folders are followed, since
/// `..` leads out of the one that a link leads to.
fn relative(path: &Path, folder: &Path) -> PathBuf {
    let real = |folder: &Path| folder.canonicalize().or_else(|_| std::path::absolute(folder)).ok();
    let parent = path.parent().and_then(|parent| real(&Path::new(".").join(parent)));
    let (Some(parent), Some(folder), Some(name)) = (parent, real(folder), path.file_name()) else {
        return path.to_owned();
    };
    let shared = parent.components().zip(folder.components());
    let shared = shared.take_while(|(part, base)| part == base).count();
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(parent.components().skip(shared)).collect::<PathBuf>().join(name)
}

/// Converts a kubeconfig's cluster name to a DNS label. `None` if it identifies no cluster.
fn name_of(cluster: &str) -> Option<String> {
    let last = cluster.rsplit('/').next().unwrap_or(cluster);
    let own = match last.strip_prefix("gke_") {
        Some(rest) => rest.rsplit('_').next().unwrap_or(rest),
        None => last,
    };
    let lower = own.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit());
    let mut name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    name.truncate(63);
    let name = name.trim_end_matches('-');
    (!name.is_empty() && !COMMON_NAMES.contains(&name)).then(|| name.to_owned())
}

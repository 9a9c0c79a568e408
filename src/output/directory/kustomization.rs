//! `kustomization.yaml` files: one a cluster that lists its manifests, and one for the control
//! plane that lists its clusters.

use std::path::Path;

use super::Options;
use super::plan::{Folder, Planned};
use crate::render::quoted;
use crate::side::Side;

/// The name that kustomize looks for.
pub const NAME: &str = "kustomization.yaml";

/// The file that lists the manifests of a folder.
pub fn of_manifests<'a>(files: &[Planned<'a>]) -> Option<Planned<'a>> {
    let path = files.first()?.path.with_file_name(NAME);
    let names = files.iter().filter_map(|file| file.name().to_str());
    Some(Planned::of_text(path, text(names)))
}

/// The file that lists the clusters of the control plane: those of this run, and those that others
/// have rendered and that stay. Otherwise rendering one cluster of many would make a GitOps tool
/// delete all the others.
pub fn of_clusters<'a>(clusters: &[Folder<'_>], options: &Options) -> Planned<'a> {
    let names: Vec<String> = clusters
        .iter()
        .flat_map(|folder| resources(folder, options))
        .collect();
    let path = Path::new(Side::ControlPlane.folder()).join(NAME);
    Planned::of_text(path, text(names.iter().map(String::as_str)))
}

/// What is listed of a cluster: its folder, or its manifests where a run without lists has made it.
fn resources(folder: &Folder<'_>, options: &Options) -> Vec<String> {
    let Some(name) = folder.name.as_ref().and_then(|name| name.to_str()) else {
        return Vec::new();
    };
    let is_pruned = options.prune && options.is_about(name.as_ref());
    if folder.files.is_empty() && is_pruned {
        return Vec::new();
    }
    if !folder.files.is_empty() || folder.stale.iter().any(|stale| stale.name() == NAME) {
        return vec![name.to_owned()];
    }
    let files = folder.stale.iter().filter_map(|file| file.name().to_str());
    files.map(|file| format!("{name}/{file}")).collect()
}

fn text<'n>(resources: impl Iterator<Item = &'n str>) -> String {
    let mut text =
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n".to_owned();
    for resource in resources {
        text.push_str("  - ");
        text.push_str(&quoted(resource));
        text.push('\n');
    }
    text
}

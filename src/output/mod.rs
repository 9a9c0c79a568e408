//! Writes manifests to a stream, a directory or a diff. Only this module writes files.

mod compare;
pub mod diff;
pub mod directory;
mod mask;
mod write;

pub use write::{new_file, write_script};

use crate::render::Manifests;

/// Returns all manifests as one YAML stream.
pub fn stream(clusters: &[Manifests]) -> String {
    let mut stream = String::new();
    let sides = clusters.iter().flat_map(|cluster| &cluster.sides);
    for manifest in sides.flat_map(|(_, manifests)| manifests) {
        stream.push_str("---\n");
        stream.push_str(&manifest.text);
    }
    stream
}

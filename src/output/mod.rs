//! output: manifests go to a stream, a directory or a diff. Nothing else writes files.

mod compare;
pub mod diff;
pub mod directory;
mod mask;
mod write;

pub use write::new_file;

use crate::render::Manifest;

/// Manifests as YAML documents of one stream.
pub fn stream(manifests: &[Manifest]) -> String {
    let mut stream =
        String::with_capacity(manifests.iter().map(|manifest| manifest.text.len() + 4).sum());
    for manifest in manifests {
        stream.push_str("---\n");
        stream.push_str(&manifest.text);
    }
    stream
}

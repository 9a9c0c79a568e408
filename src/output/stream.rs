//! Manifests as one stream of YAML documents, as `kubectl apply -f -` reads it.

use std::io::{self, Write};

use crate::render::Manifest;

/// Writes the manifests, each after a document separator, in one piece.
///
/// # Errors
/// Where the output can't be written.
pub fn write_stream(out: &mut dyn Write, manifests: &[Manifest]) -> io::Result<()> {
    let mut stream = String::new();
    for manifest in manifests {
        stream.push_str("---\n");
        stream.push_str(&manifest.text);
    }
    out.write_all(stream.as_bytes())?;
    out.flush()
}

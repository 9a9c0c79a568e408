//! emit: manifests become a stream or files. This is the only part that writes.

pub mod directory;
mod report;
mod stream;

pub use report::Report;
pub use stream::write_stream;

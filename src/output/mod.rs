//! emit: manifests become a stream or files. This is the only part that writes.

pub mod diff;
pub mod directory;
pub mod facts;
pub mod files;
mod progress;
mod report;
mod stream;

pub use progress::Progress;
pub use report::Report;
pub use stream::write_stream;

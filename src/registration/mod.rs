//! resolve: everything about one compute cluster, checked and completed.

pub mod certificate;
pub mod finding;
pub mod server;
pub mod token;

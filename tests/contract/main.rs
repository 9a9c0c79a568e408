//! Checks the contract with users: each test runs the program as a user does.
//!
//! Messages and help are checked by the transcripts in `tests/cmd/`; here are the checks that a transcript can't do.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod certificates;
mod killed;
mod manifests;
mod oracle;
mod outside;
mod properties;
mod schema;
mod seed;
mod sentinels;
mod support;
mod types;
mod unwritable;

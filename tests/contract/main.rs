//! The contract with users, checked from outside: each test runs the program as a user does.
//!
//! Messages and help are transcripts, in `tests/cmd/`; here is what a transcript can't show.

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

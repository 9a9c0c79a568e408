//! Tests of the program as its users see it.

#![expect(
    clippy::disallowed_types,
    reason = "the program runs no other program; its tests do"
)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod boundaries;
mod certificate_authority;
mod certificate_authority_refused;
mod check;
mod completions;
mod determinism;
mod diff;
mod directory;
mod finding_cases;
mod findings;
mod fleet;
mod go_certificates;
mod go_client;
mod help;
mod init;
mod inspect;
mod kubeconfig;
mod kubeconfig_place;
mod kubeconfig_text;
mod kubectl;
mod objects;
mod plugin;
mod properties;
mod readme;
mod readme_gitops;
mod runbook;
mod schema;
mod seed;
mod sentinels;
mod server;
mod server_findings;
mod shellcheck;
mod snapshots;
mod stream;
mod support;
mod templates;
mod transcripts;
mod types;
mod values;

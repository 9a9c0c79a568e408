//! Tests of the program as its users see it.

#![expect(
    clippy::disallowed_types,
    reason = "the program runs no other program; its tests do"
)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod certificate_authority;
mod certificate_authority_refused;
mod check;
mod finding_cases;
mod findings;
mod kubeconfig;
mod kubeconfig_place;
mod kubeconfig_text;
mod kubectl;
mod properties;
mod readme;
mod seed;
mod sentinels;
mod server;
mod server_findings;
mod snapshots;
mod support;
mod types;

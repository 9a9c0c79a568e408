//! Registers compute clusters with a Michelangelo control plane, as Kubernetes manifests.
//!
//! The data flows one way, in four steps:
//!
//! ```text
//! inputs ──read──▶ Inputs ──resolve──▶ Registration ──render──▶ [Manifest] ──emit──▶ stream | directory | diff
//! ```
//!
//! [`input`] reads, [`registration`] resolves, [`render`] renders, [`output`] emits, and a
//! [`command`] joins them; [`runbook`] writes the script that does all of it. Nothing here prints by itself, opens a connection or runs a program.

pub mod cli;
pub mod command;
pub mod input;
pub mod output;
mod parallel;
mod placeholder;
pub mod problems;
pub mod registration;
pub mod render;
pub mod runbook;
pub mod side;
pub mod starter;
pub mod text;

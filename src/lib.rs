//! Registers a compute cluster with a Michelangelo control plane, as Kubernetes manifests.
//!
//! The data flows one way, in four steps:
//!
//! ```text
//! inputs ──read──▶ Inputs ──resolve──▶ Registration ──render──▶ [Manifest] ──emit──▶ stream | directory
//! ```
//!

pub mod input;
pub mod registration;
pub mod text;

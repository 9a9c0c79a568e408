//! Registers a compute cluster with a Michelangelo control plane, as Kubernetes manifests.

pub mod registration;
pub mod text;

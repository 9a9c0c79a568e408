//! The two sides of a registration: the compute cluster and the control plane.

/// The cluster that a manifest is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The compute cluster, which runs the jobs.
    Compute,
    /// The control-plane cluster, which sends them.
    ControlPlane,
}

impl Side {
    /// Both, in the order in which they are rendered.
    pub const ALL: [Self; 2] = [Self::Compute, Self::ControlPlane];

    /// The side's folder, among the templates and in an output directory.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::ControlPlane => "control-plane",
        }
    }
}

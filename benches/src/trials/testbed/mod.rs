//! Testbed of one run: temporary directory, ports, cgroups, pod, load, and the way to clear them up.

mod act;
mod bed;
mod capacity;
mod cgroup;
mod child;
mod doctor;
mod journal;
mod log;
mod nginx;
mod observe;
mod ports;
mod spec;
mod start;
mod wait;

pub(super) use self::bed::{Bed, Surroundings};
pub(super) use self::cgroup::sweep;
pub(super) use self::child::GUARD;
pub(super) use self::spec::{Cpu, Spec, Supervision};

/// Reason why a run has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failed {
    /// The machine lacks something that the case needs. The case counts as wrong.
    Facility(String),
    /// The instrument itself failed.
    Instrument(String),
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Facility(what) => write!(f, "this machine lacks what the case needs: {what}"),
            Self::Instrument(what) => write!(f, "the instrument failed: {what}"),
        }
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Instrument(error.to_string())
    }
}

impl From<String> for Failed {
    fn from(problem: String) -> Self {
        Self::Instrument(problem)
    }
}

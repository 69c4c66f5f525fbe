//! Cgroups of a run.

use std::path::Path;

use super::RunError;
use super::spec::{Cpu, Spec};
use crate::cgroup::{Cgroup, CgroupError};

/// CPU weight of the competing processes, relative to the app's.
const COMPETITORS_WEIGHT: u32 = 3;

/// Cgroups of a run. The order of the fields is the order of their removal.
#[derive(Debug, Default)]
pub(in crate::trials) struct Groups {
    app: Vec<Cgroup>,
    competitors: Option<Cgroup>,
    parent: Option<Cgroup>,
}

impl Groups {
    /// Makes the cgroups that the case needs.
    ///
    /// # Errors
    ///
    /// Returns an error if this machine does not let the process set up a cgroup.
    pub(super) fn create(spec: &Spec) -> Result<Self, CgroupError> {
        let mut groups = Self::default();
        match spec.cpu {
            Cpu::Free => {}
            Cpu::Quota(cores) => groups.app.push(Cgroup::with_quota(cores)?),
            Cpu::Shared { .. } => {
                let parent = Cgroup::with_quota(1.0)?;
                groups.app.push(parent.child("app")?);
                let competitors = parent.child("competitors")?;
                competitors.set_weight(COMPETITORS_WEIGHT)?;
                groups.competitors = Some(competitors);
                groups.parent = Some(parent);
            }
        }
        if let Some(bytes) = spec.memory {
            groups.app.push(Cgroup::with_memory(bytes)?);
        }
        Ok(groups)
    }

    /// Returns the cgroups that the app joins.
    pub(super) fn app(&self) -> Vec<&Path> {
        self.app.iter().map(Cgroup::path).collect()
    }

    /// Returns the cgroup of the competing processes.
    pub(super) fn competitors(&self) -> Option<&Path> {
        self.competitors.as_ref().map(Cgroup::path)
    }

    /// Sets the app's CPU quota, in cores.
    pub(in crate::trials) fn set_app_quota(&self, cores: f64) -> Result<(), RunError> {
        let group = self.app.first().ok_or(RunError::NoCpuGroup)?;
        Ok(group.set_quota(cores)?)
    }
}

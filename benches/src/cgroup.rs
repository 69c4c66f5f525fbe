//! Control groups, v1 or v2; dropping one removes it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use crate::signal::signal;

const ROOT: &str = "/sys/fs/cgroup";
const PREFIX: &str = "healing-benches-";
/// Period of the CFS quota, in microseconds.
const PERIOD: f64 = 100_000.0;
/// Maximum number of attempts to remove a group whose processes have not exited yet, 20 ms apart.
const ATTEMPTS: u32 = 150;
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Error of a cgroup that cannot be made or set, for example without the rights of root.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct CgroupError {
    path: PathBuf,
    #[source]
    error: io::Error,
}

/// A group. Dropping it kills its processes and removes its directory.
#[derive(Debug)]
pub struct Cgroup {
    path: PathBuf,
}

#[derive(Debug, Clone, Copy)]
enum Controller {
    Cpu,
    Memory,
}

impl Controller {
    fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
        }
    }
}

impl Cgroup {
    /// Makes a group with a CPU quota, in cores.
    ///
    /// # Errors
    ///
    /// Returns an error if this machine does not let the process do it.
    pub fn with_quota(cores: f64) -> Result<Self, CgroupError> {
        let group = Self::make(Controller::Cpu)?;
        group.set_quota(cores)?;
        Ok(group)
    }

    /// Sets the CPU quota, in cores.
    ///
    /// # Errors
    ///
    /// Returns an error if this machine does not let the process do it.
    pub fn set_quota(&self, cores: f64) -> Result<(), CgroupError> {
        let quota = format!("{:.0}", cores * PERIOD);
        if is_v2() {
            return self.set("cpu.max", &format!("{quota} {PERIOD:.0}"));
        }
        self.set("cpu.cfs_period_us", &format!("{PERIOD:.0}"))?;
        self.set("cpu.cfs_quota_us", &quota)
    }

    /// Sets the share of CPU time relative to the sibling groups, which have 1.
    ///
    /// # Errors
    ///
    /// Returns an error if this machine does not let the process do it.
    pub fn set_weight(&self, weight: u32) -> Result<(), CgroupError> {
        if is_v2() {
            return self.set("cpu.weight", &(100 * weight).to_string());
        }
        self.set("cpu.shares", &(1024 * weight).to_string())
    }

    /// Makes a group with a memory limit, in bytes, without swap.
    ///
    /// # Errors
    ///
    /// Returns an error if this machine does not let the process do it.
    pub fn with_memory(bytes: u64) -> Result<Self, CgroupError> {
        let group = Self::make(Controller::Memory)?;
        let file = if is_v2() {
            "memory.max"
        } else {
            "memory.limit_in_bytes"
        };
        group.set(file, &bytes.to_string())?;
        // The file is absent without swap accounting.
        let _ = fs::write(group.path.join("memory.swap.max"), "0");
        Ok(group)
    }

    /// Makes a group without a limit of its own below this one.
    ///
    /// # Errors
    ///
    /// Returns an error if this machine does not let the process do it.
    pub fn child(&self, name: &str) -> Result<Self, CgroupError> {
        if is_v2() {
            self.set("cgroup.subtree_control", "+cpu")?;
        }
        let path = self.path.join(name);
        fs::create_dir(&path).map_err(|error| CgroupError {
            path: path.clone(),
            error,
        })?;
        Ok(Self { path })
    }

    /// Returns the number of quota periods in which the processes were throttled.
    ///
    /// # Errors
    ///
    /// Returns an error if this machine does not let the process do it.
    pub fn throttled_periods(&self) -> Result<u64, CgroupError> {
        let path = self.path.join("cpu.stat");
        let failed = |error| CgroupError {
            path: path.clone(),
            error,
        };
        let text = fs::read_to_string(&path).map_err(failed)?;
        text.lines()
            .find_map(|line| line.strip_prefix("nr_throttled ")?.parse().ok())
            .ok_or_else(|| failed(io::Error::other("no number of throttled periods")))
    }

    /// Returns the directory of the group.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn make(controller: Controller) -> Result<Self, CgroupError> {
        let root = Path::new(ROOT);
        let parent = if is_v2() {
            let control = root.join("cgroup.subtree_control");
            fs::write(&control, format!("+{}", controller.name())).map_err(|error| {
                CgroupError {
                    path: control,
                    error,
                }
            })?;
            root.to_owned()
        } else {
            root.join(controller.name())
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
        fs::create_dir(&path).map_err(|error| CgroupError {
            path: path.clone(),
            error,
        })?;
        Ok(Self { path })
    }

    fn set(&self, file: &str, value: &str) -> Result<(), CgroupError> {
        let path = self.path.join(file);
        fs::write(&path, value).map_err(|error| CgroupError { path, error })
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the cgroup cannot be removed");
        }
    }
}

/// Removes groups of earlier processes that were killed before they could remove them.
pub fn sweep() {
    for parent in ["", "cpu", "memory"] {
        let Ok(entries) = fs::read_dir(Path::new(ROOT).join(parent)) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let owner = name
                .strip_prefix(PREFIX)
                .and_then(|rest| rest.split('-').next());
            if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                let _ = remove(&entry.path());
            }
        }
    }
}

fn is_v2() -> bool {
    Path::new(ROOT).join("cgroup.controllers").exists()
}

/// Kills the processes of a group and of the groups below it, and removes these groups.
fn remove(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)?.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path())?;
        }
    }
    let mut result = Ok(());
    for _ in 0..ATTEMPTS {
        let processes = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
        for pid in processes.lines().filter_map(|line| line.parse().ok()) {
            signal(pid, Signal::KILL);
        }
        result = fs::remove_dir(path);
        match &result {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {}
            _ => return Ok(()),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    result
}

//! Limits and working set of this process's control group, v1 and v2.
//!
//! The kernel kills at the smallest memory limit among the group and its ancestors, so every ancestor is
//! read, and the working set is that of the group with this limit. The smallest CPU quota and its throttling
//! are read likewise, because a group below the throttled one counts no throttling. The files are
//! opened once and read by offset, which takes about a microsecond each. They are read for each sample,
//! because a pod can be resized in place.

use std::path::Path;

mod mounts;
mod pseudo_file;

use mounts::{Controller, Version};
pub(super) use pseudo_file::PseudoFile;

/// Minimum value that means "no limit" in v1, which writes the largest number, rounded to pages.
const V1_UNLIMITED: u64 = 1 << 60;

/// Limits of the control group at one time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Limits {
    /// Smallest CPU quota, in cores.
    pub(super) cpu_cores: Option<f64>,
    /// Throttling in the group with this quota or, without a quota, in the process's own group.
    pub(super) throttling: Throttling,
    /// Group with the smallest memory limit; absent if neither the group nor an ancestor has one.
    pub(super) memory: Option<Memory>,
}

/// Throttling of one group since it was created.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Throttling {
    /// Time throttled, in seconds.
    pub(super) seconds: Option<f64>,
    /// Periods of the quota in which the group was runnable.
    pub(super) periods: Option<u64>,
    /// Periods in which it used up the quota.
    pub(super) throttled_periods: Option<u64>,
}

/// Memory of the group with the smallest limit, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) limit: u64,
    /// Usage minus inactive file pages, which the kernel reclaims before it kills. Absent if either
    /// cannot be read; the limit is valid regardless.
    pub(super) working_set: Option<u64>,
}

/// Files of the group and its ancestors, own group first.
#[derive(Debug, Default)]
pub(super) struct Cgroup {
    memory: Vec<MemoryLevel>,
    cpu: Vec<CpuLevel>,
}

impl Cgroup {
    /// Finds the groups of this process below `root` (`/` except in tests).
    pub(super) fn discover(root: &Path) -> Self {
        let levels = |controller| mounts::levels(root, controller);
        Self {
            memory: levels(Controller::Memory)
                .iter()
                .filter_map(|(version, path)| MemoryLevel::open(*version, path))
                .collect(),
            cpu: levels(Controller::Cpu)
                .iter()
                .filter_map(|(version, path)| CpuLevel::open(*version, path))
                .collect(),
        }
    }

    /// Reads every level.
    pub(super) fn read(&mut self) -> Limits {
        let quotas = self.cpu.iter_mut().map(CpuLevel::cores);
        let smallest = quotas
            .enumerate()
            .filter_map(|(level, cores)| Some((level, cores?)))
            .min_by(|(_, one), (_, other)| one.total_cmp(other));
        let throttled = smallest.map_or(0, |(level, _)| level);
        Limits {
            cpu_cores: smallest.map(|(_, cores)| cores),
            throttling: self
                .cpu
                .get_mut(throttled)
                .and_then(CpuLevel::throttling)
                .unwrap_or_default(),
            memory: self
                .memory
                .iter_mut()
                .filter_map(MemoryLevel::read)
                .min_by_key(|memory| memory.limit),
        }
    }
}

#[derive(Debug)]
struct MemoryLevel {
    limit: PseudoFile,
    usage: Option<PseudoFile>,
    stat: Option<PseudoFile>,
    inactive_file: &'static str,
}

impl MemoryLevel {
    fn open(version: Version, path: &Path) -> Option<Self> {
        let (limit, usage, inactive_file) = match version {
            Version::V1 => (
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file ",
            ),
            Version::V2 => ("memory.max", "memory.current", "inactive_file "),
        };
        Some(Self {
            limit: PseudoFile::open(&path.join(limit))?,
            usage: PseudoFile::open(&path.join(usage)),
            stat: PseudoFile::open(&path.join("memory.stat")),
            inactive_file,
        })
    }

    fn read(&mut self) -> Option<Memory> {
        // v2 writes `max` for no limit, which does not parse as a number.
        let limit: u64 = self.limit.text()?.trim().parse().ok()?;
        if limit == 0 || limit >= V1_UNLIMITED {
            return None;
        }
        Some(Memory {
            limit,
            working_set: self.working_set(),
        })
    }

    fn working_set(&mut self) -> Option<u64> {
        let usage: u64 = self.usage.as_mut()?.text()?.trim().parse().ok()?;
        let inactive = self.stat.as_mut()?.line(self.inactive_file)?;
        Some(usage.saturating_sub(inactive.parse().ok()?))
    }
}

#[derive(Debug)]
enum CpuLevel {
    V1 {
        quota: PseudoFile,
        period: PseudoFile,
        stat: Option<PseudoFile>,
    },
    V2 {
        max: PseudoFile,
        stat: Option<PseudoFile>,
    },
}

impl CpuLevel {
    fn open(version: Version, path: &Path) -> Option<Self> {
        let open = |name: &str| PseudoFile::open(&path.join(name));
        Some(match version {
            Version::V1 => Self::V1 {
                quota: open("cpu.cfs_quota_us")?,
                period: open("cpu.cfs_period_us")?,
                stat: open("cpu.stat"),
            },
            Version::V2 => Self::V2 {
                max: open("cpu.max")?,
                stat: open("cpu.stat"),
            },
        })
    }

    fn cores(&mut self) -> Option<f64> {
        // Without a quota the value is `-1` in v1 and `max` in v2; neither is a positive number.
        let (quota, period): (f64, f64) = match self {
            Self::V1 { quota, period, .. } => (
                quota.text()?.trim().parse().ok()?,
                period.text()?.trim().parse().ok()?,
            ),
            Self::V2 { max, .. } => {
                let mut words = max.text()?.split_whitespace();
                (words.next()?.parse().ok()?, words.next()?.parse().ok()?)
            }
        };
        (quota > 0.0 && period > 0.0).then(|| quota / period)
    }

    fn throttling(&mut self) -> Option<Throttling> {
        let (stat, time, per_second) = match self {
            Self::V1 { stat, .. } => (stat, "throttled_time", 1e9),
            Self::V2 { stat, .. } => (stat, "throttled_usec", 1e6),
        };
        let text = stat.as_mut()?.text()?;
        let value = |name| {
            let lines = text.lines().filter_map(|line| line.split_once(' '));
            let mut values = lines.filter(|(key, _)| *key == name);
            values.next().map(|(_, value)| value.trim())
        };
        Some(Throttling {
            seconds: value(time)
                .and_then(|time| time.parse::<u64>().ok())
                .map(|time| time as f64 / per_second),
            periods: value("nr_periods").and_then(|count| count.parse().ok()),
            throttled_periods: value("nr_throttled").and_then(|count| count.parse().ok()),
        })
    }
}

#[cfg(test)]
mod tests;

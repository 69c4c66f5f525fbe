//! Number of cores on which this process may run, apart from quotas.
//!
//! The standard library's value includes the control group's quota, rounded down to whole cores, which
//! is too coarse for a quota of two and a half.

use std::path::Path;

use super::cgroup::PseudoFile;

/// Reader of the allowed cores. It reads the file for each sample, because a pod's cores can change.
#[derive(Debug)]
pub(super) struct Cores {
    status: Option<PseudoFile>,
    /// Value if the file cannot be read; determined once, because the standard library reads all cgroup
    /// files for it.
    fallback: Option<f64>,
}

impl Cores {
    pub(super) fn open(root: &Path) -> Self {
        Self {
            status: PseudoFile::open(&root.join("proc/self/status")),
            fallback: std::thread::available_parallelism()
                .ok()
                .map(|cores| cores.get() as f64),
        }
    }

    pub(super) fn read(&mut self) -> Option<f64> {
        self.status
            .as_mut()
            .and_then(|status| count_cpus(status.line("Cpus_allowed_list:")?))
            .map_or(self.fallback, |cores| Some(f64::from(cores)))
    }
}

/// Counts the CPUs in a list such as `0-3,8`.
fn count_cpus(list: &str) -> Option<u32> {
    let mut cores: u32 = 0;
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        cores = cores.checked_add(last.checked_sub(first)?.checked_add(1)?)?;
    }
    Some(cores)
}

#[cfg(test)]
mod tests {
    use super::count_cpus;

    #[test]
    fn cpu_list_is_counted_or_absent_if_invalid() {
        for (list, cores) in [
            ("0", Some(1)),
            ("0-3", Some(4)),
            ("0-3,8,10-11", Some(7)),
            ("", None),
            ("3-1", None),
            ("0-", None),
            ("0-4294967295", None),
            ("x", None),
        ] {
            assert_eq!(count_cpus(list), cores, "{list:?}");
        }
    }
}

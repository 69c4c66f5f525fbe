//! How many cores the machine lets this process run on, quotas left out.
//!
//! The standard library's answer has the control group's quota in it already, rounded down to whole
//! cores: no measure for a quota of two and a half.

use std::path::Path;

use super::cgroup::KeptFile;

/// Read anew each time: a pod may be given other cores.
#[derive(Debug)]
pub(super) struct Cores {
    status: Option<KeptFile>,
    /// Where the file is not: asked once, because it reads all of the control group's.
    otherwise: Option<f64>,
}

impl Cores {
    pub(super) fn below(root: &Path) -> Self {
        Self {
            status: KeptFile::open(&root.join("proc/self/status")),
            otherwise: std::thread::available_parallelism()
                .ok()
                .map(|cores| cores.get() as f64),
        }
    }

    pub(super) fn read(&mut self) -> Option<f64> {
        self.status
            .as_mut()
            .and_then(|status| count(status.line("Cpus_allowed_list:")?))
            .map_or(self.otherwise, |cores| Some(f64::from(cores)))
    }
}

/// The length of a list such as `0-3,8`.
fn count(list: &str) -> Option<u32> {
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
    use super::count;

    #[test]
    fn lists_are_counted_and_nonsense_is_absent() {
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
            assert_eq!(count(list), cores, "{list:?}");
        }
    }
}

//! What the process uses, against what its container may use.
//!
//! CPU time and resident memory come from the process itself, limits and the working set from the
//! cgroup files, because in a pod the machine's totals belong to somebody else. The care thread
//! takes one [`Sample`] a second; everything else reads the last one. A figure without a source is
//! absent: never zero, never invented.
//!
//! # Hazards
//! Without a memory limit up the tree, or with none below what the machine has, the working set is
//! the process's resident memory and the denominator the machine's; `memory_source` says so, and
//! `cpu_source` likewise of quotas and cores. Where a group has a limit but does not tell its usage,
//! or what of it is inactive, the resident memory stands in for the working set. A process that
//! shares its cgroup with others (no container, a systemd slice) shares that cgroup's limit and its
//! usage too.

mod cgroup;
mod cores;
mod process;

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use healing_core::health::{Source, Vitals};

use cgroup::Cgroup;
use cores::Cores;
use process::Process;

/// One reading of everything, with the two figures that the original system reported.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sample {
    /// CPU of the process since the sample before, in percent of its limit.
    pub(crate) cpu_usage: Option<f64>,
    /// Working set in percent of the smallest limit.
    pub(crate) memory_usage: Option<f64>,
    /// The rest.
    pub(crate) vitals: Vitals,
}

/// Keeps the files open and remembers the CPU time of the sample before.
#[derive(Debug)]
pub(crate) struct Sampler {
    process: Process,
    cgroup: Cgroup,
    cores: Cores,
    before: Option<(Instant, f64)>,
}

impl Sampler {
    /// Looks for the files of this process; what is not there stays absent.
    pub(crate) fn new() -> Self {
        Self::rooted(Path::new("/"))
    }

    fn rooted(root: &Path) -> Self {
        Self {
            process: Process::new(),
            cgroup: Cgroup::discover(root),
            cores: Cores::below(root),
            before: None,
        }
    }

    /// Reads everything once.
    pub(crate) fn sample(&mut self, now: Instant) -> Sample {
        let process = self.process.read();
        let limits = self.cgroup.read();

        // What a limit allows beyond the machine is not there to be used.
        let cores = self.cores.read();
        let (cpu_limit, cpu_source) = match limits.cpu_cores {
            Some(quota) if cores.is_none_or(|cores| quota <= cores) => {
                (Some(quota), Some(Source::Cgroup))
            }
            _ => (cores, cores.map(|_| Source::Machine)),
        };
        let machine = process.machine_bytes;
        let (working_set, memory_limit, memory_source) = match limits.memory {
            Some(memory) if machine.is_none_or(|machine| memory.limit <= machine) => (
                memory.working_set.or(process.resident_bytes),
                Some(memory.limit),
                Some(Source::Cgroup),
            ),
            _ => (
                process.resident_bytes,
                machine,
                machine.map(|_| Source::Machine),
            ),
        };

        let cpu_usage = self
            .cpu_share(now, process.cpu_seconds)
            .zip(cpu_limit)
            .and_then(|(cores_used, limit)| (limit > 0.0).then(|| 100.0 * cores_used / limit));
        let memory_usage = working_set
            .zip(memory_limit)
            .and_then(|(used, limit)| (limit > 0).then(|| 100.0 * used as f64 / limit as f64));

        Sample {
            cpu_usage,
            memory_usage,
            vitals: Vitals {
                cpu_source,
                cpu_seconds_total: process.cpu_seconds,
                cpu_limit_cores: cpu_limit,
                cpu_throttled_seconds_total: limits.throttled_seconds,
                memory_source,
                memory_working_set_bytes: working_set,
                memory_limit_bytes: memory_limit,
                open_fds: process.open_fds,
                max_fds: process.max_fds,
                threads: process.threads,
            },
        }
    }

    /// Cores used on average since the sample before; absent at the first.
    fn cpu_share(&mut self, now: Instant, cpu_seconds: Option<f64>) -> Option<f64> {
        let used = cpu_seconds?;
        let (then, used_then) = self.before.replace((now, used))?;
        let elapsed = now.saturating_duration_since(then).as_secs_f64();
        (elapsed > 0.0).then(|| (used - used_then).max(0.0) / elapsed)
    }
}

/// The last sample, shared between the care thread that takes it and those who show it.
#[derive(Debug, Default)]
pub(crate) struct LastSample(Mutex<Option<Sample>>);

impl LastSample {
    pub(crate) fn store(&self, sample: Sample) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sample);
    }

    /// Absent until the care thread has taken the first.
    pub(crate) fn load(&self) -> Option<Sample> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn work_shows_as_cpu_and_the_first_sample_has_none() {
        let mut sampler = Sampler::new();
        let start = Instant::now();
        let first = sampler.sample(start);
        assert_eq!(first.cpu_usage, None, "a rate needs two samples");
        assert!(first.vitals.cpu_seconds_total.is_some());

        // Burn until the process's own clock has moved: no assumption about the machine's speed.
        let mut noise = 0_u64;
        let second = loop {
            for i in 0..1_000_000_u64 {
                noise = std::hint::black_box(noise.wrapping_mul(31).wrapping_add(i));
            }
            let sample = sampler.sample(Instant::now());
            if sample.vitals.cpu_seconds_total > first.vitals.cpu_seconds_total {
                break sample;
            }
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "CPU time never moved"
            );
        };
        assert!(
            second.cpu_usage.is_some_and(|usage| usage > 0.0),
            "{second:?}"
        );
        assert!(
            second
                .memory_usage
                .is_some_and(|usage| usage > 0.0 && usage <= 100.0)
        );
    }

    /// A tree of files with these texts.
    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let tree = tempfile::tempdir().expect("temporary directory");
        for (path, text) in files {
            let path = tree.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("create");
            std::fs::write(path, text).expect("write");
        }
        tree
    }

    #[test]
    fn figures_are_shares_of_the_containers_limits() {
        let tree = tree(&[
            ("proc/self/cgroup", "0::/\n"),
            (
                "proc/self/mountinfo",
                "31 30 0:26 / /cg ro - cgroup2 cgroup rw\n",
            ),
            ("cg/memory.max", "1000\n"),
            ("cg/memory.current", "450\n"),
            ("cg/memory.stat", "inactive_file 200\n"),
            ("cg/cpu.max", "250000 100000\n"),
            ("proc/self/status", "Cpus_allowed_list:\t0-3,8\n"),
        ]);
        let mut sampler = Sampler::rooted(tree.path());
        let start = Instant::now();
        // Half a second of CPU time in one second.
        assert_eq!(sampler.cpu_share(start, Some(1.0)), None);
        let second = start + Duration::from_secs(1);
        assert_eq!(sampler.cpu_share(second, Some(1.5)), Some(0.5));
        let sample = sampler.sample(second + Duration::from_secs(1));
        assert_eq!(sample.memory_usage, Some(25.0));
        assert_eq!(sample.vitals.memory_source, Some(Source::Cgroup));
        assert_eq!(sample.vitals.cpu_limit_cores, Some(2.5));
        assert_eq!(sample.vitals.cpu_source, Some(Source::Cgroup));
        assert_eq!(
            sample.vitals.cpu_throttled_seconds_total, None,
            "no such file: absent"
        );
    }

    #[test]
    fn what_a_limit_allows_beyond_the_machine_is_not_counted_on() {
        let tree = tree(&[
            ("proc/self/cgroup", "0::/\n"),
            (
                "proc/self/mountinfo",
                "31 30 0:26 / /cg ro - cgroup2 cgroup rw\n",
            ),
            ("proc/self/status", "Cpus_allowed_list:\t0-1\n"),
            ("cg/memory.max", "1000000000000000000\n"),
            ("cg/memory.current", "450\n"),
            ("cg/memory.stat", "inactive_file 200\n"),
            ("cg/cpu.max", "6400000 100000\n"),
        ]);
        let sample = Sampler::rooted(tree.path()).sample(Instant::now());
        assert_eq!(sample.vitals.cpu_limit_cores, Some(2.0));
        assert_eq!(sample.vitals.cpu_source, Some(Source::Machine));
        assert!(
            sample
                .vitals
                .memory_limit_bytes
                .is_some_and(|limit| limit < 1_000_000_000_000_000_000)
        );
        assert_eq!(sample.vitals.memory_source, Some(Source::Machine));
        assert!(
            sample
                .vitals
                .memory_working_set_bytes
                .is_some_and(|bytes| bytes > 450),
            "the process's own"
        );
    }

    #[test]
    fn without_limits_the_machine_is_the_measure_and_says_so() {
        let tree = tree(&[]);
        let sample = Sampler::rooted(tree.path()).sample(Instant::now());
        assert_eq!(sample.vitals.memory_source, Some(Source::Machine));
        assert_eq!(sample.vitals.cpu_source, Some(Source::Machine));
        assert!(
            sample
                .memory_usage
                .is_some_and(|usage| usage > 0.0 && usage < 100.0)
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn threads_and_files_follow_the_process() {
        let mut sampler = Sampler::new();
        let before = sampler.sample(Instant::now()).vitals;
        let files: Vec<_> = (0..200)
            .map(|_| std::fs::File::open("/proc/self/stat").expect("procfs"))
            .collect();
        let after = sampler.sample(Instant::now()).vitals;
        drop(files);
        assert!(before.threads.is_some_and(|threads| threads >= 1));
        let (before, after) = (before.open_fds.expect("fds"), after.open_fds.expect("fds"));
        // Other tests of this process open and close files meanwhile.
        assert!(
            after >= before.saturating_sub(100) + 200,
            "{before} then {after}"
        );
        assert!(
            sampler
                .sample(Instant::now())
                .vitals
                .max_fds
                .is_some_and(|max| max >= after)
        );
    }
}

//! Resource usage of the process, relative to the limits of its container.
//!
//! CPU time and resident memory come from the process itself, limits and the working set from the cgroup
//! files, because a pod shares the machine's totals with others. The care thread takes one [`Sample`] per
//! second; all other code reads the last one. A value that cannot be read is absent, never zero or
//! estimated.
//!
//! # Hazards
//!
//! If no ancestor group has a memory limit below the machine's memory, the working set is the process's
//! resident memory and the limit is the machine's memory; `memory_source` states which limit applies, and
//! `cpu_source` states it for the CPU. If a group has a limit but its usage or inactive pages cannot be
//! read, the resident memory replaces the working set. A process that shares its cgroup with others (no
//! container, a systemd slice) shares that cgroup's limit and usage too.

mod cgroup;
mod cores;
mod process;
mod threads;

use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use healing_wire::health::{Source, Vitals};

use cgroup::Cgroup;
use cores::Cores;
use process::Process;
use threads::Threads;

use crate::lock::lock;

/// One sample of all vitals, with the two percentages that the original system reported.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sample {
    /// CPU usage of the process since the previous sample, in percent of its limit.
    pub(crate) cpu_usage: Option<f64>,
    /// Working set in percent of the smallest limit.
    pub(crate) memory_usage: Option<f64>,
    /// Absolute values and their limits.
    pub(crate) vitals: Vitals,
}

/// Sampler, which keeps the files open and the CPU time of the previous sample.
#[derive(Debug)]
pub(crate) struct Sampler {
    process: Process,
    cgroup: Cgroup,
    cores: Cores,
    threads: Threads,
    previous: Option<(Instant, f64)>,
}

impl Sampler {
    /// Opens the files of this process; the values of missing files are absent.
    pub(crate) fn new() -> Self {
        Self::with_root(Path::new("/"))
    }

    fn with_root(root: &Path) -> Self {
        Self {
            process: Process::new(),
            cgroup: Cgroup::discover(root),
            cores: Cores::open(root),
            threads: Threads::new(root),
            previous: None,
        }
    }

    /// Takes one sample.
    pub(crate) fn sample(&mut self, now: Instant) -> Sample {
        let process = self.process.read();
        let limits = self.cgroup.read();
        let threads = self.threads.read(now);

        // A limit above the machine's capacity cannot be reached, so the machine's capacity applies.
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
            .cores_used(now, process.cpu_seconds)
            .zip(cpu_limit)
            .and_then(|(used, limit)| (limit > 0.0).then(|| 100.0 * used / limit));
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
                cpu_throttled_seconds_total: limits.throttling.seconds,
                cpu_periods_total: limits.throttling.periods,
                cpu_throttled_periods_total: limits.throttling.throttled_periods,
                run_queue_wait_seconds_total: threads.map(|times| times.run_queue_wait),
                busiest_thread_cpu_seconds_total: threads.map(|times| times.busiest_cpu),
                memory_source,
                memory_working_set_bytes: working_set,
                memory_limit_bytes: memory_limit,
                open_fds: process.open_fds,
                max_fds: process.max_fds,
                threads: process.threads,
            },
        }
    }

    /// Returns the cores used on average since the previous sample; absent at the first.
    fn cores_used(&mut self, now: Instant, cpu_seconds: Option<f64>) -> Option<f64> {
        let used = cpu_seconds?;
        let (then, used_then) = self.previous.replace((now, used))?;
        let elapsed = now.saturating_duration_since(then).as_secs_f64();
        (elapsed > 0.0).then(|| (used - used_then).max(0.0) / elapsed)
    }
}

/// Last sample, shared between the care thread, which takes it, and the endpoints, which show it.
#[derive(Debug, Default)]
pub(crate) struct LastSample(Mutex<Option<Sample>>);

impl LastSample {
    pub(crate) fn store(&self, sample: Sample) {
        *lock(&self.0) = Some(sample);
    }

    /// Returns the last sample; `None` until the care thread has taken the first.
    pub(crate) fn load(&self) -> Option<Sample> {
        lock(&self.0).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn cpu_usage_is_absent_in_first_sample_and_positive_after_work() {
        let mut sampler = Sampler::new();
        let start = Instant::now();
        let first = sampler.sample(start);
        assert_eq!(first.cpu_usage, None, "a rate needs two samples");
        assert!(first.vitals.cpu_seconds_total.is_some());

        // Busy until the process's CPU clock advances, on a machine of any speed.
        let mut sink = 0_u64;
        let second = loop {
            for i in 0..1_000_000_u64 {
                sink = std::hint::black_box(sink.wrapping_mul(31).wrapping_add(i));
            }
            let sample = sampler.sample(Instant::now());
            if sample.vitals.cpu_seconds_total > first.vitals.cpu_seconds_total {
                break sample;
            }
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "CPU time did not advance"
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

    /// Creates a tree of files with these texts.
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
    fn usage_is_relative_to_container_limits() {
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
        let mut sampler = Sampler::with_root(tree.path());
        let start = Instant::now();
        // Half a second of CPU time in one second.
        assert_eq!(sampler.cores_used(start, Some(1.0)), None);
        let second = start + Duration::from_secs(1);
        assert_eq!(sampler.cores_used(second, Some(1.5)), Some(0.5));
        // A second of CPU time, and that of this process since, in one second at 2.5 cores.
        let used = sampler.process.read().cpu_seconds.expect("CPU time");
        sampler.previous = Some((second, used - 1.0));
        let sample = sampler.sample(second + Duration::from_secs(1));
        let since = sample.vitals.cpu_seconds_total.expect("CPU time") - used;
        let usage = sample.cpu_usage.expect("CPU usage");
        assert!((usage - 40.0 * (1.0 + since)).abs() < 1e-6, "{usage}");
        assert!(since >= 0.0, "{since}");
        assert_eq!(sample.memory_usage, Some(25.0));
        assert_eq!(sample.vitals.memory_source, Some(Source::Cgroup));
        assert_eq!(sample.vitals.cpu_limit_cores, Some(2.5));
        assert_eq!(sample.vitals.cpu_source, Some(Source::Cgroup));
        assert_eq!(
            sample.vitals.cpu_throttled_seconds_total, None,
            "absent without cpu.stat"
        );
    }

    #[test]
    fn limit_above_machine_capacity_is_ignored() {
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
        let sample = Sampler::with_root(tree.path()).sample(Instant::now());
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
            "resident memory of the process"
        );
    }

    #[test]
    fn machine_is_source_without_limits() {
        let tree = tree(&[]);
        let sample = Sampler::with_root(tree.path()).sample(Instant::now());
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
    fn threads_and_open_fds_track_process() {
        let mut sampler = Sampler::new();
        let before = sampler.sample(Instant::now()).vitals;
        let files: Vec<_> = (0..200)
            .map(|_| std::fs::File::open("/proc/self/stat").expect("procfs"))
            .collect();
        let after = sampler.sample(Instant::now()).vitals;
        drop(files);
        assert!(before.threads.is_some_and(|threads| threads >= 1));
        let (before, after) = (before.open_fds.expect("fds"), after.open_fds.expect("fds"));
        // Other tests of this process open and close files at the same time.
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

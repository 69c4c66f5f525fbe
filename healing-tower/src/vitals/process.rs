//! Resource usage of this process: CPU time, resident memory, open files, threads.
//!
//! The CPU time is that of the process's clock, which includes threads that have exited and, unlike
//! `/proc/self/stat`, has no ticks of 10 ms. sysinfo reads the memory, for this process only
//! (`refresh_all` costs 40 ms), and the CPU time where there is no such clock. Open files and threads are
//! read from procfs, if there is one.

use sysinfo::{MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, RefreshKind, System};

/// Usage of the process; a value that cannot be read is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ProcessUsage {
    pub(super) cpu_seconds: Option<f64>,
    pub(super) resident_bytes: Option<u64>,
    pub(super) machine_bytes: Option<u64>,
    pub(super) open_fds: Option<u64>,
    pub(super) max_fds: Option<u64>,
    pub(super) threads: Option<u64>,
}

/// Reader of the process's usage; it keeps its buffers and handles.
#[derive(Debug)]
pub(super) struct Process {
    system: Option<(System, Pid)>,
    machine_bytes: Option<u64>,
    procfs: procfs::Procfs,
}

impl Process {
    pub(super) fn new() -> Self {
        let memory = MemoryRefreshKind::nothing().with_ram();
        let system = System::new_with_specifics(RefreshKind::nothing().with_memory(memory)).ok();
        let machine_bytes = system
            .as_ref()
            .map(System::total_memory)
            .filter(|&bytes| bytes > 0);
        Self {
            system: system.zip(sysinfo::get_current_pid().ok()),
            machine_bytes,
            procfs: procfs::Procfs::open(),
        }
    }

    pub(super) fn read(&mut self) -> ProcessUsage {
        let (mut cpu_seconds, mut resident_bytes) = (process_cpu_seconds(), None);
        if let Some((system, pid)) = &mut self.system {
            let kind = ProcessRefreshKind::nothing().with_memory().without_tasks();
            system.refresh_processes_specifics(
                ProcessesToUpdate::Some(&[*pid]),
                false,
                if cpu_seconds.is_some() {
                    kind
                } else {
                    kind.with_cpu()
                },
            );
            if let Some(process) = system.process(*pid) {
                cpu_seconds = cpu_seconds.or(Some(process.accumulated_cpu_time() as f64 / 1e3));
                resident_bytes = Some(process.memory()).filter(|&bytes| bytes > 0);
            }
        }
        let (threads, open_fds, max_fds) = self.procfs.read();
        ProcessUsage {
            cpu_seconds,
            resident_bytes,
            machine_bytes: self.machine_bytes,
            open_fds,
            max_fds,
            threads,
        }
    }
}

/// Returns the CPU time of this process; `None` where there is no clock of it.
fn process_cpu_seconds() -> Option<f64> {
    #[cfg(unix)]
    let time = Some(cpu_time(rustix::time::ClockId::ProcessCPUTime).as_secs_f64());
    #[cfg(not(unix))]
    let time = None;
    time
}

/// Returns the time of a CPU clock.
#[cfg(unix)]
pub(super) fn cpu_time(clock: rustix::time::ClockId) -> std::time::Duration {
    let time = rustix::time::clock_gettime(clock);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    std::time::Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

#[cfg(target_os = "linux")]
mod procfs {
    use super::super::cgroup::PseudoFile;
    use std::path::Path;

    #[derive(Debug)]
    pub(super) struct Procfs {
        status: Option<PseudoFile>,
        limits: Option<PseudoFile>,
    }

    impl Procfs {
        pub(super) fn open() -> Self {
            Self {
                status: PseudoFile::open(Path::new("/proc/self/status")),
                limits: PseudoFile::open(Path::new("/proc/self/limits")),
            }
        }

        /// Returns the threads, the open files and the limit on open files.
        pub(super) fn read(&mut self) -> (Option<u64>, Option<u64>, Option<u64>) {
            let threads = self
                .status
                .as_mut()
                .and_then(|file| file.line("Threads:")?.parse().ok());
            let max_fds = self.limits.as_mut().and_then(|file| {
                file.line("Max open files")?
                    .split_whitespace()
                    .next()?
                    .parse()
                    .ok()
            });
            (threads, open_fds(), max_fds)
        }
    }

    /// Counts the open files. Since Linux 6.2 the directory's size is the count; before, the size is 0
    /// and the entries are counted.
    fn open_fds() -> Option<u64> {
        let fds = Path::new("/proc/self/fd");
        match std::fs::metadata(fds) {
            Ok(directory) if directory.len() > 0 => Some(directory.len()),
            _ => {
                let listed = std::fs::read_dir(fds).ok()?.count() as u64;
                Some(listed.saturating_sub(1)) // the descriptor of the listing itself
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod procfs {
    /// Stand-in for platforms without procfs: every value is absent.
    #[derive(Debug)]
    pub(super) struct Procfs;

    impl Procfs {
        pub(super) fn open() -> Self {
            Self
        }

        pub(super) fn read(&mut self) -> (Option<u64>, Option<u64>, Option<u64>) {
            (None, None, None)
        }
    }
}

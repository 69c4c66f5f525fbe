//! CPU time and run-queue wait of all threads of this process, from `/proc/self/task/*/schedstat`.
//!
//! The process's own `schedstat` contains the main thread alone. Reading those of all threads costs
//! microseconds per thread, so the reader measures its CPU time and pauses until that is at most a
//! thousandth of a core; in between the last values are repeated.

use std::collections::HashMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// CPU time that passes per CPU time spent on reading.
const PAUSE_PER_COST: u32 = 1000;

/// Cumulative times of the threads, in seconds; neither ever decreases.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct ThreadTimes {
    /// Time for which threads were runnable but not running, summed over the threads.
    pub(super) run_queue_wait: f64,
    /// CPU time of the thread with the most of it in each reading interval, summed over the intervals.
    pub(super) busiest_cpu: f64,
}

/// Reader of the threads' times, which keeps the last reading of each.
#[derive(Debug)]
pub(super) struct Threads {
    tasks: PathBuf,
    last: HashMap<u32, SchedStat>,
    times: Option<ThreadTimes>,
    /// Time of the next reading; absent before the first.
    due: Option<Instant>,
}

/// Times of one thread since it began, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct SchedStat {
    cpu: u64,
    wait: u64,
}

impl SchedStat {
    /// Parses `CPU-TIME WAIT TIMESLICES`.
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split_ascii_whitespace();
        let (cpu, wait) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        fields.next()?.parse::<u64>().ok()?;
        Some(Self { cpu, wait })
    }

    /// Returns the times since an earlier reading of the same id. A thread whose times are lower is
    /// another one, with the id of a thread that has exited.
    fn since(self, before: Self) -> Self {
        match (
            self.cpu.checked_sub(before.cpu),
            self.wait.checked_sub(before.wait),
        ) {
            (Some(cpu), Some(wait)) => Self { cpu, wait },
            _ => self,
        }
    }
}

impl Threads {
    /// Creates a reader of the threads below `root` (`/` except in tests).
    pub(super) fn new(root: &Path) -> Self {
        Self {
            tasks: root.join("proc/self/task"),
            last: HashMap::new(),
            times: None,
            due: None,
        }
    }

    /// Returns the times as of the last reading, and reads them if that is due. Absent if the kernel does
    /// not report them.
    pub(super) fn read(&mut self, now: Instant) -> Option<ThreadTimes> {
        if self.due.is_none_or(|due| now >= due) {
            let before = thread_cpu_time();
            self.read_all();
            let cost = thread_cpu_time().saturating_sub(before);
            self.due = Some(now + cost * PAUSE_PER_COST);
        }
        self.times
    }

    fn read_all(&mut self) {
        let Ok(tasks) = fs::read_dir(&self.tasks) else {
            return;
        };
        let mut read = HashMap::with_capacity(self.last.len());
        let (mut wait, mut busiest) = (0, 0);
        for task in tasks.flatten() {
            let id = task.file_name().to_str().and_then(|name| name.parse().ok());
            // A thread may exit between the listing and the reading.
            let Some((id, stat)) = id.zip(read_schedstat(&task.path())) else {
                continue;
            };
            let spent = stat.since(self.last.get(&id).copied().unwrap_or_default());
            wait += spent.wait;
            busiest = busiest.max(spent.cpu);
            read.insert(id, stat);
        }
        if read.is_empty() {
            return;
        }
        self.last = read;
        let times = self.times.get_or_insert_default();
        times.run_queue_wait += wait as f64 / 1e9;
        times.busiest_cpu += busiest as f64 / 1e9;
    }
}

fn read_schedstat(task: &Path) -> Option<SchedStat> {
    let mut buffer = [0; 128];
    let mut file = fs::File::open(task.join("schedstat")).ok()?;
    let length = file.read(&mut buffer).ok()?;
    SchedStat::parse(std::str::from_utf8(&buffer[..length]).ok()?)
}

/// Returns the CPU time of this thread; zero where it cannot be read.
fn thread_cpu_time() -> Duration {
    #[cfg(unix)]
    {
        super::process::cpu_time(rustix::time::ClockId::ThreadCPUTime)
    }
    #[cfg(not(unix))]
    Duration::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Directory of recorded `schedstat` files, by thread id.
    struct Tasks(tempfile::TempDir);

    impl Tasks {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("temporary directory"))
        }

        fn set(&self, id: u32, text: &str) {
            let task = self.0.path().join(format!("proc/self/task/{id}"));
            fs::create_dir_all(&task).expect("create");
            fs::write(task.join("schedstat"), text).expect("write");
        }

        fn exit(&self, id: u32) {
            let task = self.0.path().join(format!("proc/self/task/{id}"));
            fs::remove_dir_all(task).expect("remove");
        }
    }

    fn times(run_queue_wait: f64, busiest_cpu: f64) -> Option<ThreadTimes> {
        Some(ThreadTimes {
            run_queue_wait,
            busiest_cpu,
        })
    }

    #[test]
    fn times_are_summed_and_monotone_when_threads_exit_and_ids_recur() {
        let tasks = Tasks::new();
        let mut threads = Threads::new(tasks.0.path());
        let mut read = || {
            threads.read_all();
            threads.times
        };
        tasks.set(1, "4000000000 1000000000 17\n");
        tasks.set(2, "1000000000 500000000 3\n");
        assert_eq!(read(), times(1.5, 4.0));
        tasks.set(1, "4250000000 1000000000 18\n");
        tasks.set(2, "2000000000 750000000 4\n");
        assert_eq!(read(), times(1.75, 5.0), "the second was the busiest");
        tasks.exit(2);
        assert_eq!(read(), times(1.75, 5.0));
        tasks.set(2, "250000000 125000000 1\n");
        assert_eq!(read(), times(1.875, 5.25), "counted as a new thread");
        tasks.set(2, "125000000 0 1\n");
        assert_eq!(read(), times(1.875, 5.375), "another thread with its id");
    }

    #[test]
    fn times_are_absent_without_schedstat() {
        let tasks = Tasks::new();
        assert_eq!(Threads::new(tasks.0.path()).read(Instant::now()), None);
        for invalid in ["", "1 2\n", "x 2 3\n", "-1 2 3\n"] {
            tasks.set(1, invalid);
            let read = Threads::new(tasks.0.path()).read(Instant::now());
            assert_eq!(read, None, "{invalid:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn reading_pauses_for_a_thousand_times_its_cost() {
        let mut threads = Threads::new(Path::new("/"));
        let start = Instant::now();
        let first = threads.read(start);
        let due = threads.due.expect("read once");
        assert!(due > start, "reading is not free");
        // Busy, so that the next reading differs.
        let begin = thread_cpu_time();
        while thread_cpu_time() - begin < Duration::from_millis(20) {}
        let just_before = due - Duration::from_nanos(1);
        assert_eq!(threads.read(just_before), first, "repeated");
        let cpu = |times: Option<ThreadTimes>| times.map(|times| times.busiest_cpu);
        assert!(cpu(threads.read(due)) > cpu(first), "read again");
    }
}

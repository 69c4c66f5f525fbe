//! CPU use by requests, and by processes that compete for the CPU for a bounded time.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Maximum run time of a hog.
const LONGEST: Duration = Duration::from_secs(3600);

/// Burns CPU time of this thread, without the time in which the thread does not run.
pub(super) fn burn(work: Duration) {
    if work.is_zero() {
        return;
    }
    let end = thread_cpu_time() + work;
    while thread_cpu_time() < end {
        for step in 0..500_u32 {
            std::hint::black_box(step);
        }
    }
}

/// Burns CPU with several threads for this many seconds.
pub(super) fn hog(threads: usize, seconds: u64) {
    let end = Instant::now() + Duration::from_secs(seconds).min(LONGEST);
    let threads: Vec<_> = (0..threads)
        .map(|_| {
            std::thread::spawn(move || {
                while Instant::now() < end {
                    burn(Duration::from_millis(5));
                }
            })
        })
        .collect();
    for thread in threads {
        let _ = thread.join();
    }
}

fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanoseconds)
}

//! `GET /work`: a request that costs a known CPU time, for load tests.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use rustix::time::{ClockId, clock_gettime};

use crate::patient::Patient;

/// Burns the configured CPU time on the worker that serves the request.
pub(crate) async fn work(State(patient): State<Arc<Patient>>) -> &'static str {
    burn(patient.work);
    "done\n"
}

/// Burns CPU time of this thread, without the time in which the thread does not run.
///
/// # Hazards
///
/// It blocks the thread, and a worker of an async runtime serves nothing else in the meantime.
pub fn burn(work: Duration) {
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

fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burn_uses_the_cpu_time_of_its_thread() {
        for work in [Duration::ZERO, Duration::from_millis(20)] {
            let before = thread_cpu_time();
            burn(work);
            assert!(thread_cpu_time() - before >= work);
        }
    }
}

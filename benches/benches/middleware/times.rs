//! CPU time of a request, in short chunks that alternate between the variants.

use crate::variants::{PerVariant, Variant, app};
use rustix::time::{ClockId, clock_gettime};

/// Number of rounds. Each runs one chunk of every variant.
pub(crate) const ROUNDS: usize = 300;
/// Requests in a chunk, which is short enough to fit between two interruptions.
const CHUNK: u32 = 500;

/// Returns the CPU time of this thread, in nanoseconds.
pub(crate) fn cpu_nanos() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Returns the nanoseconds per request of each variant, in its best chunk.
pub(crate) fn measure() -> PerVariant {
    let mut apps = Variant::ALL.map(|variant| (variant, app(variant)));
    let mut best = PerVariant::from_fn(|_| f64::INFINITY);
    for _ in 0..ROUNDS {
        for (variant, app) in &mut apps {
            let before = cpu_nanos();
            (0..CHUNK).for_each(|_| app.call());
            best.keep_best(*variant, (cpu_nanos() - before) / f64::from(CHUNK));
        }
    }
    best
}

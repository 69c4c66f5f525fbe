//! Timing on a shared machine.

use std::hint::black_box;
use std::time::Instant;

/// CPU time of one side's round, in seconds. It is much longer than the clock's resolution and shorter than
/// most disturbances.
const ROUND_SECONDS: f64 = 0.004;

/// Returns nanoseconds of CPU time per call of each side, in the best of seven interleaved rounds of equal
/// length.
pub(crate) fn best_of_7<const N: usize>(mut sides: [&mut dyn FnMut(); N]) -> [f64; N] {
    let calls = sides.each_mut().map(|side| {
        let seconds = time(*side, 50) / 50.0; // warms up code and data, too
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative
        let calls = (ROUND_SECONDS / seconds.max(1e-9)).ceil() as u32;
        calls
    });
    let mut best = [f64::INFINITY; N];
    for _ in 0..7 {
        for ((side, best), calls) in sides.iter_mut().zip(&mut best).zip(calls) {
            *best = best.min(time(*side, calls) * 1e9 / f64::from(calls));
        }
    }
    best
}

fn time(call: &mut dyn FnMut(), calls: u32) -> f64 {
    let start = cpu_seconds();
    for _ in 0..calls {
        call();
    }
    cpu_seconds() - start
}

/// Size that exceeds the CPU's caches, in bytes.
const CACHE_BYTES: usize = 96 << 20;

/// Returns nanoseconds of a call with cold caches, as the median of 61 calls.
pub(crate) fn cold(call: impl Fn(usize)) -> f64 {
    let mut memory = vec![0_u8; CACHE_BYTES];
    let mut times: Vec<f64> = (0..61)
        .map(|round| {
            for line in memory.iter_mut().step_by(64) {
                *line = line.wrapping_add(1);
            }
            black_box(&memory);
            let start = Instant::now();
            call(round);
            start.elapsed().as_secs_f64() * 1e9
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Returns the CPU time of this thread, which excludes other processes.
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    #[allow(clippy::cast_precision_loss)] // exact for a bench of minutes
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9;
    seconds
}

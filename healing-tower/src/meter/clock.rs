//! Clock of request durations, which is read twice per request.
//!
//! `std::time::Instant` is not used, because it is twice as large as one number, and its subtraction costs
//! more than reading it.

/// Returns nanoseconds on the monotonic clock, since an arbitrary moment.
#[cfg(unix)]
#[inline]
#[allow(clippy::cast_sign_loss)] // since boot: not negative; fits 64 bits for 500 years
pub(super) fn nanos() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Returns nanoseconds since the first call.
#[cfg(not(unix))]
#[inline]
pub(super) fn nanos() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    let elapsed = ORIGIN.get_or_init(Instant::now).elapsed();
    elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos())
}

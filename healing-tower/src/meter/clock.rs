//! The time of requests: one number, read twice a request.
//!
//! Not `std::time::Instant`: it is twice as large, and its subtraction costs more than reading it.

/// Nanoseconds on the monotonic clock, since no particular moment.
#[cfg(unix)]
#[inline]
#[allow(clippy::cast_sign_loss)] // since the boot: not negative; in 64 bits for 500 years
pub(super) fn nanos() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Nanoseconds since this was first called.
#[cfg(not(unix))]
#[inline]
pub(super) fn nanos() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    let spent = ORIGIN.get_or_init(Instant::now).elapsed();
    spent.as_secs() * 1_000_000_000 + u64::from(spent.subsec_nanos())
}

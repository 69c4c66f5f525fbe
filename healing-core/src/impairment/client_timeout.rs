//! Declared time-out of the clients: an answer that took longer is of no use to them.
//!
//! A client that gives up usually closes its connection, and its request counts as cancelled. Behind a proxy that
//! does not say so, the answer looks good. Durations tell, if the operator declares the time-out.
//!
//! # Hazards
//!
//! - Durations are known by the buckets of the app's histogram. Only requests above the first bound at or above
//!   the time-out count as slow; healing-tower has bounds up to 1.5 times as far apart.
//! - The histogram does not tell slow failures from slow successes. As many slow requests as there are failures
//!   in the window are taken for those, so that no request counts twice, but some slow ones not at all.
//! - The duration of a stream is that of its body. A time-out must not be declared for an app whose clients wait
//!   longer for a body than for a response head.
//! - Durations begin when the app reads a request, later than a client's time-out.

use std::time::Duration;

use crate::health::Latency;

/// Returns the finished requests that took longer than the time-out, with any outcome.
pub(super) fn slower(latency: &Latency, timeout: Duration) -> u64 {
    let timeout = timeout.as_secs_f64();
    let bounds = &latency.bounds_seconds;
    bounds
        .iter()
        .position(|bound| *bound >= timeout)
        .map_or(0, |bucket| latency.counts.iter().skip(bucket + 1).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_above_the_first_bound_at_or_above_the_timeout_are_slower() {
        let latency = Latency {
            bounds_seconds: vec![1.0, 1.5, 2.0],
            counts: vec![1000, 100, 10, 1],
        };
        for (milliseconds, expected) in [(500, 111), (1000, 111), (1001, 11), (2000, 1), (2001, 0)]
        {
            let timeout = Duration::from_millis(milliseconds);
            assert_eq!(slower(&latency, timeout), expected, "{timeout:?}");
        }
    }
}

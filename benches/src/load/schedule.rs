//! Phases of a load, and the intended start times of open-loop requests.

use std::time::Duration;

use healing_core::rng::Rng;

/// Phase of a load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Phase {
    /// Open loop: the arrival rate, in requests per second, changes linearly.
    Open {
        /// Rate at the start.
        from: f64,
        /// Rate at the end.
        to: f64,
    },
    /// Open loop: a Poisson process.
    Poisson {
        /// Mean arrival rate, in requests per second.
        rate: f64,
        /// Seed of the arrivals.
        seed: u64,
    },
    /// Clients that send a request when the previous one has finished.
    Closed {
        /// Number of clients.
        clients: usize,
    },
}

/// Phase with its duration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// Kind of load.
    pub phase: Phase,
    /// Length of the phase.
    pub duration: Duration,
}

impl Segment {
    /// Returns open-loop arrivals at a constant rate.
    #[must_use]
    pub fn open(rate: f64, duration: Duration) -> Self {
        Self::ramp(rate, rate, duration)
    }

    /// Returns open-loop arrivals at a rate that changes linearly.
    #[must_use]
    pub fn ramp(from: f64, to: f64, duration: Duration) -> Self {
        Self {
            phase: Phase::Open { from, to },
            duration,
        }
    }

    /// Returns open-loop arrivals of a Poisson process.
    #[must_use]
    pub fn poisson(rate: f64, seed: u64, duration: Duration) -> Self {
        Self {
            phase: Phase::Poisson { rate, seed },
            duration,
        }
    }

    /// Returns a closed loop.
    #[must_use]
    pub fn closed(clients: usize, duration: Duration) -> Self {
        Self {
            phase: Phase::Closed { clients },
            duration,
        }
    }
}

/// Returns the arrivals of a Poisson process, relative to its start.
pub(super) fn poisson_starts(
    rate: f64,
    seed: u64,
    duration: Duration,
) -> impl Iterator<Item = Duration> {
    let length = duration.as_secs_f64();
    let mut rng = Rng::new(seed);
    let mut at = 0.0;
    std::iter::repeat_with(move || {
        at -= (1.0 - rng.unit()).ln() / rate;
        at
    })
    .take_while(move |start| *start < length)
    .map(Duration::from_secs_f64)
}

/// Returns the intended start times of an open-loop phase, relative to its start. They are the moments at
/// which the integral of the rate reaches 0, 1, 2, ….
pub(super) fn intended_starts(
    from: f64,
    to: f64,
    duration: Duration,
) -> impl Iterator<Item = Duration> {
    let length = duration.as_secs_f64();
    let slope = (to - from) / length;
    let start = move |number: u32| {
        if number == 0 {
            return 0.0;
        }
        let number = f64::from(number);
        // If a falling rate reaches zero before this request, the root is NaN and `take_while` stops.
        let root = (from * from + 2.0 * slope * number).sqrt();
        2.0 * number / (from + root)
    };
    (0..)
        .map(start)
        .take_while(move |start| from + to > 0.0 && *start < length)
        .map(Duration::from_secs_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    #[test]
    fn constant_rate_spaces_starts_evenly() {
        let starts: Vec<_> = intended_starts(4.0, 4.0, TEN).collect();
        assert_eq!(starts.len(), 40);
        assert_eq!(starts[1] - starts[0], Duration::from_millis(250));
        assert_eq!(starts[39], Duration::from_millis(9750));
    }

    #[test]
    fn ramp_sends_mean_of_its_rates() {
        let starts: Vec<_> = intended_starts(10.0, 30.0, TEN).collect();
        assert_eq!(starts.len(), 200);
        let first_half = starts.iter().filter(|start| **start < TEN / 2).count();
        assert_eq!(first_half, 75);
    }

    #[test]
    fn poisson_starts_have_their_rate_and_irregular_gaps() {
        let starts: Vec<_> = poisson_starts(100.0, 1, 100 * TEN).collect();
        assert!(
            (99_000..101_000).contains(&starts.len()),
            "{}",
            starts.len()
        );
        assert!(starts.is_sorted());
        let gaps = starts.windows(2).map(|pair| pair[1] - pair[0]);
        let longer = gaps.filter(|gap| *gap > Duration::from_millis(10)).count();
        // The share of exponential gaps above their mean is 1/e.
        assert!((35_000..39_000).contains(&longer), "{longer}");
        assert_eq!(poisson_starts(0.0, 1, TEN).count(), 0);
    }

    #[test]
    fn ramp_from_zero_is_finite_and_zero_rate_sends_nothing() {
        assert_eq!(intended_starts(0.0, 20.0, TEN).count(), 100);
        assert_eq!(intended_starts(20.0, 0.0, TEN).count(), 100);
        assert_eq!(intended_starts(0.0, 0.0, TEN).count(), 0);
    }
}

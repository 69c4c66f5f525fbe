//! Results of the clients' calls over time.

use std::time::Duration;

/// Length of an interval of the results in seconds.
const INTERVAL: f64 = 10.0;
/// Share of failed calls above the usual one from which clients are not served as before.
const HARMED: f64 = 0.05;
/// Failed calls in an interval, if it has as many calls, below which clients count as served.
const FEW: f64 = 2.0;
/// Time at the end of the episode in which calls must succeed for a recovery, in seconds.
const QUIET: f64 = 30.0;

/// Results of all calls.
#[derive(Debug, Default)]
pub(crate) struct Results {
    calls: f64,
    failed: f64,
    /// Calls and failed calls by the interval in which they were sent.
    intervals: Vec<(f64, f64)>,
}

// === impl Results ===

impl Results {
    /// Adds calls that were sent at a time, and those of them that failed.
    pub(crate) fn add(&mut self, sent: f64, calls: f64, failed: f64) {
        self.calls += calls;
        self.failed += failed;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
        let index = (sent / INTERVAL) as usize;
        if index >= self.intervals.len() {
            self.intervals.resize(index + 1, (0.0, 0.0));
        }
        if let Some(interval) = self.intervals.get_mut(index) {
            interval.0 += calls;
            interval.1 += failed;
        }
    }

    /// Returns the number of calls.
    pub(crate) fn calls(&self) -> u64 {
        round(self.calls)
    }

    /// Returns the number of failed calls.
    pub(crate) fn failed(&self) -> u64 {
        round(self.failed)
    }

    /// Returns the time from `onset` until clients are served as before it for the rest of the
    /// episode of `seconds`; absent if they are not, zero if they were never harmed.
    pub(crate) fn recovery(&self, onset: f64, seconds: f64) -> Option<Duration> {
        let starts = || (0_u32..).map(|index| f64::from(index) * INTERVAL);
        let before = self
            .intervals
            .iter()
            .zip(starts())
            .filter(|(_, start)| start + INTERVAL <= onset)
            .fold((0.0, 0.0), |sum, ((calls, failed), _)| {
                (sum.0 + calls, sum.1 + failed)
            });
        let usual = before.1 / before.0.max(1.0);
        let last = self
            .intervals
            .iter()
            .zip(starts())
            .filter(|((calls, failed), start)| {
                let share = failed / calls.max(1.0);
                start + INTERVAL > onset
                    && *failed >= FEW.min(*calls).max(1.0)
                    && share > usual + HARMED
            })
            .map(|(_, start)| start + INTERVAL)
            .last();
        match last {
            None => Some(Duration::ZERO),
            Some(end) if end > seconds - QUIET => None,
            Some(end) => Some(Duration::from_secs_f64((end - onset).max(0.0))),
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative
fn round(count: f64) -> u64 {
    count.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_is_the_end_of_the_last_harmed_interval() {
        let mut results = Results::default();
        for second in 0..1000_u32 {
            let failed = if (300..420).contains(&second) {
                10.0
            } else {
                0.0
            };
            results.add(f64::from(second), 10.0, failed);
        }
        assert_eq!(
            results.recovery(300.0, 1000.0),
            Some(Duration::from_secs(120))
        );
        assert_eq!(results.recovery(300.0, 440.0), None, "not over at the end");
        assert_eq!(results.recovery(500.0, 1000.0), Some(Duration::ZERO));
    }
}

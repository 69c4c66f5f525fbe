//! Back-off between the restarts of a container, by the kubelet's rule.
//!
//! The first restart is immediate. The following restarts wait 10 s, doubling up to 300 s. Ten
//! minutes of running reset the back-off. Exit 0 counts like a crash.

use std::time::Duration;

/// Delay of the second restart.
const INITIAL: Duration = Duration::from_secs(10);
/// Maximum delay.
const MAX: Duration = Duration::from_secs(300);
/// Time of running that resets the back-off.
const RESET_AFTER: Duration = Duration::from_secs(600);

/// Back-off of one container.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    /// Delay of the next restart, unscaled.
    next: Duration,
    scale: f64,
}

impl Backoff {
    /// Creates a back-off without restarts. `scale` is a factor on all times, for demonstrations. The
    /// kubelet's factor is 1, which also replaces invalid values.
    pub(super) fn new(scale: f64) -> Self {
        let scale = if scale.is_finite() && scale > 0.0 {
            scale.min(1.0)
        } else {
            1.0
        };
        Self {
            next: Duration::ZERO,
            scale,
        }
    }

    /// Returns the delay before the restart of a container that exited after running for `ran`.
    pub(super) fn after_exit(&mut self, ran: Duration) -> Duration {
        if ran >= RESET_AFTER.mul_f64(self.scale) {
            self.next = Duration::ZERO;
        }
        let delay = self.next;
        self.next = (delay * 2).clamp(INITIAL, MAX);
        delay.mul_f64(self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(backoff: &mut Backoff, times: usize) -> Vec<u64> {
        (0..times)
            .map(|_| backoff.after_exit(Duration::ZERO).as_secs())
            .collect()
    }

    #[test]
    fn backoff_is_0_then_doubles_from_10_to_300_seconds() {
        let mut backoff = Backoff::new(1.0);
        assert_eq!(
            seconds(&mut backoff, 9),
            [0, 10, 20, 40, 80, 160, 300, 300, 300]
        );
    }

    #[test]
    fn backoff_resets_after_ten_minutes_of_running() {
        let mut backoff = Backoff::new(1.0);
        seconds(&mut backoff, 5);
        let nearly = RESET_AFTER - Duration::from_millis(1);
        assert_eq!(backoff.after_exit(nearly), Duration::from_secs(160));
        assert_eq!(backoff.after_exit(RESET_AFTER), Duration::ZERO);
        assert_eq!(seconds(&mut backoff, 2), [10, 20]);
    }

    #[test]
    fn scale_shortens_delay_and_reset_time() {
        let mut backoff = Backoff::new(0.01);
        backoff.after_exit(Duration::ZERO);
        assert_eq!(
            backoff.after_exit(Duration::ZERO),
            Duration::from_millis(100)
        );
        assert_eq!(backoff.after_exit(Duration::from_secs(6)), Duration::ZERO);
    }

    #[test]
    fn invalid_scale_counts_as_1() {
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY, 7.0] {
            let mut backoff = Backoff::new(scale);
            backoff.after_exit(Duration::ZERO);
            assert_eq!(backoff.after_exit(Duration::ZERO), INITIAL, "{scale}");
        }
    }
}

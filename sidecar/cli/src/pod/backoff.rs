//! When a container that ended is started again: the kubelet's rule, as a pure function.
//!
//! The first restart is immediate, the next ones wait 10 s, doubling up to 300 s, and ten minutes
//! of good running start the count anew. Exit 0 gets no better treatment than a crash.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(300);
const FORGIVEN_AFTER: Duration = Duration::from_secs(600);

/// The restarts of one container.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    /// What the next restart waits, unscaled.
    next: Duration,
    scale: f64,
}

impl Backoff {
    /// `scale` shortens all times for demonstrations; 1 is the kubelet's own pace.
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

    /// The container ended after running for `ran`: how long to wait before it starts again.
    pub(super) fn after_exit(&mut self, ran: Duration) -> Duration {
        if ran >= FORGIVEN_AFTER.mul_f64(self.scale) {
            self.next = Duration::ZERO;
        }
        let delay = self.next;
        self.next = (delay * 2).clamp(FIRST, LONGEST);
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
    fn first_at_once_then_doubling_to_five_minutes() {
        let mut backoff = Backoff::new(1.0);
        assert_eq!(
            seconds(&mut backoff, 9),
            [0, 10, 20, 40, 80, 160, 300, 300, 300]
        );
    }

    #[test]
    fn ten_good_minutes_forgive() {
        let mut backoff = Backoff::new(1.0);
        seconds(&mut backoff, 5);
        let nearly = FORGIVEN_AFTER - Duration::from_millis(1);
        assert_eq!(backoff.after_exit(nearly), Duration::from_secs(160));
        assert_eq!(backoff.after_exit(FORGIVEN_AFTER), Duration::ZERO);
        assert_eq!(seconds(&mut backoff, 2), [10, 20]);
    }

    #[test]
    fn the_scale_shortens_delay_and_forgiveness_alike() {
        let mut backoff = Backoff::new(0.01);
        backoff.after_exit(Duration::ZERO);
        assert_eq!(
            backoff.after_exit(Duration::ZERO),
            Duration::from_millis(100)
        );
        assert_eq!(backoff.after_exit(Duration::from_secs(6)), Duration::ZERO);
    }

    #[test]
    fn a_senseless_scale_means_the_kubelets_pace() {
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY, 7.0] {
            let mut backoff = Backoff::new(scale);
            backoff.after_exit(Duration::ZERO);
            assert_eq!(backoff.after_exit(Duration::ZERO), FIRST, "{scale}");
        }
    }
}

//! Proven capacity: the highest sustained goodput of the app so far.
//!
//! It is a windowed maximum filter, like the bottleneck bandwidth of BBR (draft-ietf-ccwg-bbr): a time with
//! few requests may raise the estimate, but never lowers it. It is forgotten over days, because hardware,
//! limits and data change.
//!
//! # Hazards
//!
//! It is the capacity of what the app was asked for: a client's own connection pool, or dearer requests,
//! hide a part of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::counts::{MIN_REQUESTS, Window};
use crate::time::Time;

/// Highest sustained goodput, and when it was reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ProvenCapacity {
    /// Good responses per second. `None` before the first window with enough of them.
    rate: Option<(f64, Time)>,
}

// === impl ProvenCapacity ===

impl ProvenCapacity {
    /// Raises the estimate if the window exceeds it. One standard deviation of its count is subtracted,
    /// because a maximum over many windows is too high by chance.
    pub(super) fn learn(&mut self, now: Time, window: &Window, half_life: Duration) {
        if window.good < MIN_REQUESTS {
            return;
        }
        let rate = (window.good - window.good.sqrt()) / window.seconds;
        if self.rate(now, half_life).is_none_or(|known| rate > known) {
            self.rate = Some((rate, now));
        }
    }

    /// Returns the good responses per second that the app has proved it can give.
    pub(super) fn rate(&self, now: Time, half_life: Duration) -> Option<f64> {
        let (rate, at) = self.rate?;
        let half_lives = now.seconds_since(at) / half_life.as_secs_f64().max(1.0);
        Some(rate * (-half_lives).exp2())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn window(good: f64) -> Window {
        Window {
            seconds: 30.0,
            begun: good,
            good,
            bad: 0.0,
            sparse: false,
        }
    }

    #[test]
    fn estimate_is_the_highest_goodput_less_its_noise() {
        let now = Time::default();
        let mut capacity = ProvenCapacity::default();
        capacity.learn(now, &window(19.0), DAY);
        assert_eq!(capacity.rate(now, DAY), None, "too few");
        for good in [900.0, 30.0] {
            capacity.learn(now, &window(good), DAY);
        }
        assert_eq!(capacity.rate(now, DAY), Some((900.0 - 30.0) / 30.0));
    }

    #[test]
    fn estimate_is_forgotten_over_days() {
        let mut capacity = ProvenCapacity::default();
        capacity.learn(Time::default(), &window(900.0), DAY);
        let rate = |days| capacity.rate(Time::default() + DAY * days, DAY).unwrap();
        assert!((rate(1) - 14.5).abs() < 1e-9 && (rate(2) - 7.25).abs() < 1e-9);
    }
}

//! Saturation: more requests arrive than the app has proved it can serve, after it served more than usual.
//!
//! A first-in-first-out queue whose clients give up collapses under such load, with an idle CPU and no
//! goodput. In a retry storm the arrivals are the same, but the app never served more than usual: a *surge*
//! of goodput tells the two apart.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::counts::{CountHistory, Window};
use crate::health::Health;
use crate::time::Time;

/// Arrivals, in multiples of the proven capacity, from which the app may be saturated: less is within what
/// a maximum over earlier windows misses.
const OVER_CAPACITY: f64 = 1.1;

/// Standard deviations by which arrivals over a short time must exceed the proven capacity.
const OVER_DEVIATIONS: f64 = 3.0;

/// Goodput, in multiples of the usual arrivals, from which it is a surge.
const SURGE: f64 = 1.15;

/// Standard deviations by which a surge must exceed the usual count: among the 60 windows of the time in
/// which it is looked for, chance reaches 3 about once in 12 times, but 4 once in 500.
const SURGE_DEVIATIONS: f64 = 4.0;

/// Time for which a surge explains the arrivals after it.
const SURGE_MEMORY: Duration = Duration::from_secs(120);

/// Time after the arrivals fell for which the app counts as saturated: its queue is emptied.
const HOLD: Duration = Duration::from_secs(60);

/// Duration of the windows of `Health::peak_goodput`, in seconds.
const PEAK_SECONDS: f64 = 2.0;

/// Shortest window of the policy's own in which a surge is looked for: one or two polls.
const SURGE_WINDOW: Duration = Duration::from_secs(5);

/// Window in which a sudden rise of the arrivals is noticed.
const FAST_WINDOW: Duration = Duration::from_secs(10);

/// Figures of one poll.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// Proven capacity, in requests per second.
    pub(super) capacity: f64,
    /// Usual arrivals, per second.
    pub(super) usual: Option<f64>,
    /// Counts over the window of the goodput.
    pub(super) window: Option<Window>,
    /// Counts over [`FAST_WINDOW`].
    pub(super) fast: Option<Window>,
    /// Counts over [`SURGE_WINDOW`].
    pub(super) latest: Option<Window>,
    /// Highest goodput of any 2 s within the last 30 s, as the app reports it.
    pub(super) peak: Option<f64>,
}

/// State of the load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Saturation {
    surge: Option<Time>,
    /// Time of the latest poll with arrivals above the capacity. `None` while not saturated.
    saturated: Option<Time>,
}

// === impl Saturation ===

impl Saturation {
    /// Adds a poll.
    pub(super) fn observe(&mut self, now: Time, load: &Load) {
        if load.is_surge() {
            self.surge = Some(now);
        }
        let recent_surge = self
            .surge
            .is_some_and(|surge| now.since(surge) <= SURGE_MEMORY);
        if load.capacity > 0.0 && load.is_over(OVER_CAPACITY) && recent_surge {
            self.saturated = Some(now);
        }
        if let Some(since) = &mut self.saturated {
            if load.is_over(1.0) {
                *since = now;
            } else if now.since(*since) >= HOLD {
                self.saturated = None;
            }
        }
    }

    /// Returns `true` if the app is saturated.
    pub(super) fn holds(&self) -> bool {
        self.saturated.is_some()
    }

    /// Starts with another instance, whose goodput after its start is no surge.
    pub(super) fn on_app_start(&mut self) {
        self.surge = None;
    }
}

// === impl Load ===

impl Load {
    /// Returns the load at the newest report. `window` is that of the goodput; where requests are few, it is
    /// too long to show a load.
    pub(super) fn new(
        health: &Health,
        counts: &CountHistory,
        window: Option<Window>,
        usual: Option<f64>,
        capacity: Option<f64>,
    ) -> Self {
        Self {
            capacity: capacity.unwrap_or(0.0),
            usual,
            window: window.filter(|window| !window.sparse),
            fast: counts.last(FAST_WINDOW),
            latest: counts.last(SURGE_WINDOW),
            peak: health.peak_goodput,
        }
    }

    /// Returns `true` if arrivals exceed the capacity by this factor, or clearly over a short time.
    fn is_over(&self, factor: f64) -> bool {
        let sustained = self
            .window
            .is_some_and(|window| window.arrivals() > factor * self.capacity);
        let sudden = self.fast.is_some_and(|fast| {
            let expected = self.capacity * fast.seconds;
            fast.begun > expected + OVER_DEVIATIONS * expected.sqrt()
        });
        sustained || sudden
    }

    /// Returns `true` if the app served clearly more than usual.
    fn is_surge(&self) -> bool {
        let Some(usual) = self.usual.filter(|usual| *usual > 0.0) else {
            return false;
        };
        let exceeds = |good: f64, seconds: f64| {
            let expected = usual * seconds;
            good >= SURGE * expected && good >= expected + SURGE_DEVIATIONS * expected.sqrt()
        };
        match self.peak {
            Some(peak) => exceeds(peak * PEAK_SECONDS, PEAK_SECONDS),
            None => self
                .latest
                .is_some_and(|latest| exceeds(latest.good, latest.seconds)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(seconds: f64, arrivals: f64, goodput: f64) -> Window {
        Window {
            seconds,
            begun: arrivals * seconds,
            good: goodput * seconds,
            bad: 0.0,
            sparse: false,
        }
    }

    /// Returns the load of an app with a capacity of 100 and usually 80 requests per second.
    fn load(arrivals: f64, peak: Option<f64>) -> Load {
        Load {
            capacity: 100.0,
            usual: Some(80.0),
            window: Some(window(30.0, arrivals, 50.0)),
            fast: Some(window(10.0, arrivals, 50.0)),
            latest: Some(window(5.0, arrivals, 50.0)),
            peak,
        }
    }

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn surge_before_more_arrivals_than_the_capacity_is_saturation() {
        for (surge, arrivals, after, expected) in [
            (Some(120.0), 150.0, 10, true),
            (Some(120.0), 150.0, 130, false),
            (Some(90.0), 150.0, 10, false),
            (Some(120.0), 99.0, 10, false),
        ] {
            let mut saturation = Saturation::default();
            saturation.observe(at(0), &load(80.0, surge));
            saturation.observe(at(after), &load(arrivals, Some(50.0)));
            assert_eq!(saturation.holds(), expected, "{surge:?} {arrivals} {after}");
        }
    }

    #[test]
    fn saturation_holds_until_a_minute_after_the_arrivals_fell() {
        let mut saturation = Saturation::default();
        saturation.observe(at(0), &load(150.0, Some(120.0)));
        saturation.observe(at(500), &load(105.0, Some(50.0)));
        saturation.observe(at(559), &load(90.0, Some(50.0)));
        assert!(saturation.holds());
        saturation.observe(at(560), &load(90.0, Some(50.0)));
        assert!(!saturation.holds());
    }

    #[test]
    fn surge_is_looked_for_in_the_own_windows_without_a_reported_peak() {
        let mut busy = load(150.0, None);
        assert!(!busy.is_surge());
        busy.latest = Some(window(5.0, 150.0, 100.0));
        assert!(busy.is_surge());
        busy.latest = Some(window(5.0, 150.0, 92.0));
        assert!(!busy.is_surge(), "less than 4 standard deviations");
    }
}

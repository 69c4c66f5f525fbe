//! Availability of an instance: it has served requests well for some time since it started, like a
//! pod that is *Available* by `minReadySeconds`. A version that never worked (a bad rollout) will not
//! work after a restart. Roll it back.

use serde::{Deserialize, Serialize};

use super::ErrorSignal;
use crate::config::OutcomeConfig;
use crate::health::Health;
use crate::number::as_f64;
use crate::time::Time;
use crate::window::Delta;

/// Availability of one instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Availability {
    available: bool,
    serving_since: Option<Time>,
}

impl Availability {
    /// Records the first poll of an instance by this process. Saved availability is kept.
    pub(crate) fn on_first_poll(&mut self) {
        self.serving_since = None;
    }

    /// Adds a poll. An instance becomes available when it has served well for `outcome.probation`. A poll
    /// without requests (`None`) neither prolongs that time nor ends it.
    pub(crate) fn observe(&mut self, now: Time, serves: Option<bool>, config: &OutcomeConfig) {
        match serves {
            Some(true) => {
                let since = *self.serving_since.get_or_insert(now);
                self.available |= now.since(since) >= config.probation;
            }
            Some(false) => self.serving_since = None,
            None => {}
        }
    }

    /// Adds a report. An instance as old as `outcome.reset_after` counts as available if few of its requests
    /// since its start failed, so that the judgement does not depend on the time for which it was watched.
    pub(crate) fn observe_age(&mut self, health: &Health, max_share: f64, config: &OutcomeConfig) {
        let old = health.uptime >= config.reset_after.as_secs_f64();
        let totals = &health.totals;
        let few_failed = match (totals.requests_total, totals.errors_total) {
            (Some(requests), Some(errors)) => as_f64(errors) <= max_share * as_f64(requests),
            _ => true,
        };
        self.available |= old && few_failed;
    }

    /// Returns `true` if the instance has been available at some point since it started.
    pub(crate) fn is_available(&self) -> bool {
        self.available
    }
}

/// Returns `true` if the app served requests, and few failed or no more than usual. If requests are not
/// counted, none may have failed. `None` if there were no requests.
pub(crate) fn serves(slow: Option<&Delta>, errors: ErrorSignal, max_share: f64) -> Option<bool> {
    if errors.is_present() {
        return Some(false);
    }
    let delta = slow?;
    match delta.requests {
        Some(0) => None,
        Some(_) => {
            let share = delta.ratio(delta.errors);
            Some(errors.usual || share.is_some_and(|share| share < max_share))
        }
        None => Some(delta.errors == Some(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Totals;

    fn at(seconds: u64) -> Time {
        Time::default() + std::time::Duration::from_secs(seconds)
    }

    fn available_at(serves: impl Fn(u64) -> Option<bool>) -> Option<u64> {
        let config = OutcomeConfig::default();
        let mut availability = Availability::default();
        (0..600).step_by(5).find(|&seconds| {
            availability.observe(at(seconds), serves(seconds), &config);
            availability.is_available()
        })
    }

    #[test]
    fn instance_becomes_available_after_serving_well_for_30_seconds() {
        assert_eq!(available_at(|_| Some(true)), Some(30));
        let interrupted = |seconds| Some(seconds % 20 != 0);
        assert_eq!(available_at(interrupted), None);
        assert_eq!(available_at(|_| Some(false)), None);
        assert_eq!(available_at(|_| None), None);
    }

    #[test]
    fn minutes_without_requests_do_not_interrupt_the_time_of_serving() {
        let sparse = |seconds| (seconds % 120 < 10).then_some(true);
        assert_eq!(available_at(sparse), Some(120));
    }

    #[test]
    fn old_instance_counts_as_available_if_few_of_its_requests_failed() {
        let available = |uptime: f64, requests_total, errors_total| {
            let health = Health {
                uptime,
                totals: Totals {
                    requests_total,
                    errors_total,
                    ..Totals::default()
                },
                ..Health::default()
            };
            let mut availability = Availability::default();
            availability.observe_age(&health, 0.05, &OutcomeConfig::default());
            availability.is_available()
        };
        assert!(available(600.0, Some(100), Some(5)));
        assert!(!available(599.0, Some(100), Some(0)));
        assert!(!available(600.0, Some(100), Some(50)), "a bad rollout");
        assert!(available(600.0, None, None), "unknown");
    }
}

//! Unresponsive app: the time for which it has been unresponsive, and the reason for a restart.
//!
//! - *Stalled*: a restart is justified after
//!   [`hang_timeout`](crate::config::EvidenceConfig::hang_timeout).
//! - *Refused*: the app is starting, or it is dead and restarted by the kubelet. If the process is known
//!   to be running, has been ready and is not draining, a restart is justified after
//!   [`refused_timeout`](crate::config::EvidenceConfig::refused_timeout).
//! - *Invalid*: such a poll is counted, but it neither justifies a restart nor resets the time.
//!
//! # Hazards
//!
//! A single health report resets the time. An app that responds to every third probe is unhealthy, but
//! not unresponsive.

use std::time::Duration;

use crate::config::EvidenceConfig;
use crate::decision::{Lane, Reason};
use crate::health::Runtime;
use crate::lane::Classified;
use crate::time::Time;

/// Polls in which the app has been unresponsive, since its last health report.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unresponsive {
    since: Option<(Lane, Time)>,
    /// Consecutive polls in this lane.
    polls: u32,
    duration: Duration,
}

/// Minimum number of polls in one lane. A single poll never justifies a restart.
const MIN_POLLS: u32 = 2;

/// Returns the age of the runtime's last tick, if the app reports a stalled runtime.
pub(crate) fn tick_age(runtime: &Runtime) -> Option<Duration> {
    runtime
        .stalled
        .then(|| Duration::try_from_secs_f64(runtime.tick_age_seconds).ok())
        .flatten()
}

// === impl Unresponsive ===

impl Unresponsive {
    /// Adds a poll. `tick_age` is the age of the runtime's last tick, as the app reports it.
    pub(crate) fn observe(
        &mut self,
        now: Time,
        classified: Classified,
        tick_age: Option<Duration>,
    ) {
        match classified.lane {
            Lane::Reported => *self = Self::default(),
            Lane::Invalid => {}
            lane => {
                if self.since.is_none_or(|(before, _)| before != lane) {
                    *self = Self {
                        since: Some((lane, now)),
                        ..Self::default()
                    };
                }
                self.polls = self.polls.saturating_add(1);
                let observed = self
                    .since
                    .map_or(Duration::ZERO, |(_, since)| now.since(since));
                self.duration = observed.max(tick_age.unwrap_or_default());
            }
        }
    }

    /// Discards all polls.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Returns `true` if the app has been unresponsive since the last health report or reset.
    #[cfg(test)]
    pub(crate) fn is_active(&self) -> bool {
        self.polls > 0
    }

    /// Returns the evidence for a restart. `restart_if_refused` is set if refused connections can justify
    /// one, as described in the [module](self).
    pub(crate) fn hard_evidence(
        &self,
        classified: Classified,
        restart_if_refused: bool,
        config: &EvidenceConfig,
    ) -> Option<Reason> {
        let justified = self.polls >= MIN_POLLS
            && match classified.lane {
                Lane::Stalled => self.duration >= config.hang_timeout,
                Lane::Refused => restart_if_refused && self.duration >= config.refused_timeout,
                Lane::Reported | Lane::Invalid => false,
            };
        justified.then_some(classified.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALLED: Classified = Classified {
        lane: Lane::Stalled,
        reason: Reason::Unresponsive,
    };
    const REFUSED: Classified = Classified {
        lane: Lane::Refused,
        reason: Reason::AppDown,
    };
    const INVALID: Classified = Classified {
        lane: Lane::Invalid,
        reason: Reason::InvalidAnswer,
    };
    const REPORTED: Classified = Classified {
        lane: Lane::Reported,
        reason: Reason::Healthy,
    };

    /// Returns the time at which a restart is justified, with polls every 5 s.
    fn justified_at(polls: &[Classified], restart_if_refused: bool) -> Option<u64> {
        let mut unresponsive = Unresponsive::default();
        (0..)
            .step_by(5)
            .zip(polls)
            .find_map(|(seconds, &classified)| {
                unresponsive.observe(
                    Time::default() + Duration::from_secs(seconds),
                    classified,
                    None,
                );
                unresponsive
                    .hard_evidence(classified, restart_if_refused, &EvidenceConfig::default())
                    .map(|_| seconds)
            })
    }

    #[test]
    fn stall_justifies_a_restart_after_its_timeout() {
        assert_eq!(justified_at(&[STALLED; 10], false), Some(10));
        assert_eq!(
            justified_at(&[STALLED, STALLED, REPORTED, STALLED, STALLED], false),
            None
        );
    }

    #[test]
    fn refusal_justifies_a_restart_only_of_a_running_process() {
        assert_eq!(justified_at(&[REFUSED; 100], false), None);
        assert_eq!(justified_at(&[REFUSED; 100], true), Some(30));
    }

    #[test]
    fn invalid_response_neither_justifies_a_restart_nor_resets_the_time() {
        assert_eq!(justified_at(&[INVALID; 100], true), None);
        assert_eq!(justified_at(&[STALLED, INVALID, STALLED], true), Some(10));
    }

    #[test]
    fn reported_tick_age_counts_from_the_second_poll() {
        let mut unresponsive = Unresponsive::default();
        let config = EvidenceConfig::default();
        let age = Some(Duration::from_secs(25));
        unresponsive.observe(Time::default(), STALLED, age);
        assert_eq!(unresponsive.hard_evidence(STALLED, true, &config), None);
        unresponsive.observe(Time::default() + Duration::from_secs(1), STALLED, age);
        assert_eq!(
            unresponsive.hard_evidence(STALLED, true, &config),
            Some(Reason::Unresponsive)
        );
    }
}

//! Unresponsive app: the time for which it has been unresponsive, and the reason for a restart.
//!
//! - *Stalled*: the runtime does not tick, or no port responds. A restart is justified after
//!   [`hang_timeout`](crate::config::EvidenceConfig::hang_timeout), or as soon as a
//!   [stall](super::stall) is proven.
//! - *Refused*: the app is starting, or it is dead and restarted by its supervisor. If the process that
//!   sent the latest report is known to run, a restart is justified after
//!   [`refused_timeout`](crate::config::EvidenceConfig::refused_timeout).
//! - *Invalid*: such a poll is counted, but it neither justifies a restart nor prolongs a silence. An
//!   answer of the front door ends it.
//!
//! # Hazards
//!
//! A single answer ends a silence. An app that responds to every third probe is unhealthy, but not
//! unresponsive.

use std::time::Duration;

use super::sustained::Sustained;
use crate::config::EvidenceConfig;
use crate::decision::Lane;
use crate::lane::Classified;
use crate::reason::Reason;
use crate::time::Time;

/// Polls in which the app has been unresponsive, since its last answer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Unresponsive {
    lane: Option<Lane>,
    silence: Sustained,
}

// === impl Unresponsive ===

impl Unresponsive {
    /// Adds a poll. `answers` is set if the front door answered.
    pub(crate) fn observe(
        &mut self,
        now: Time,
        classified: Classified,
        answers: bool,
        config: &EvidenceConfig,
    ) {
        match classified.lane {
            Lane::Reported => self.reset(),
            Lane::Invalid if answers => self.reset(),
            Lane::Invalid | Lane::Late => self.silence.skip(now),
            lane => {
                if self.lane != Some(lane) {
                    self.reset();
                    self.lane = Some(lane);
                }
                self.silence.observe(now, true, timeout(lane, config));
            }
        }
    }

    /// Discards all polls.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Returns `true` if the app has been unresponsive since its last answer or reset.
    #[cfg(test)]
    pub(crate) fn is_active(&self) -> bool {
        self.silence.is_active()
    }

    /// Returns the evidence for a restart. `stall_proven` is set if the latest report proves a stall,
    /// `same_process` if the process that sent the latest report is known to run.
    pub(crate) fn hard_evidence(
        &self,
        classified: Classified,
        stall_proven: bool,
        same_process: bool,
        config: &EvidenceConfig,
    ) -> Option<Reason> {
        let lane = classified.lane;
        let persists = self.lane == Some(lane) && self.silence.is_firing(timeout(lane, config));
        let justified = match lane {
            Lane::Stalled => persists || stall_proven,
            Lane::Refused => persists && same_process,
            Lane::Reported | Lane::Invalid | Lane::Late => false,
        };
        justified.then_some(classified.reason)
    }
}

/// Returns the time for which an app may be in a lane.
fn timeout(lane: Lane, config: &EvidenceConfig) -> Duration {
    if lane == Lane::Refused {
        config.refused_timeout
    } else {
        config.hang_timeout
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
    fn justified_at(polls: &[(Classified, bool)], same_process: bool) -> Option<u64> {
        let config = EvidenceConfig::default();
        let mut unresponsive = Unresponsive::default();
        (0..)
            .step_by(5)
            .zip(polls)
            .find_map(|(seconds, &(poll, answers))| {
                let now = Time::default() + Duration::from_secs(seconds);
                unresponsive.observe(now, poll, answers, &config);
                unresponsive
                    .hard_evidence(poll, false, same_process, &config)
                    .map(|_| seconds)
            })
    }

    fn silent(polls: &[Classified]) -> Vec<(Classified, bool)> {
        polls.iter().map(|&poll| (poll, false)).collect()
    }

    #[test]
    fn stall_justifies_a_restart_after_its_timeout() {
        assert_eq!(justified_at(&silent(&[STALLED; 10]), false), Some(10));
        let interrupted = silent(&[STALLED, STALLED, REPORTED, STALLED, STALLED]);
        assert_eq!(justified_at(&interrupted, false), None);
    }

    #[test]
    fn refusal_justifies_a_restart_only_of_the_process_that_sent_the_report() {
        assert_eq!(justified_at(&silent(&[REFUSED; 100]), false), None);
        assert_eq!(justified_at(&silent(&[REFUSED; 100]), true), Some(10));
    }

    #[test]
    fn invalid_response_neither_ends_nor_prolongs_a_silence() {
        assert_eq!(justified_at(&silent(&[INVALID; 100]), true), None);
        let bridged = silent(&[STALLED, INVALID, INVALID, STALLED, STALLED, STALLED]);
        assert_eq!(justified_at(&bridged, true), Some(20));
    }

    #[test]
    fn answer_of_the_front_door_ends_a_silence() {
        let mut polls = silent(&[STALLED, STALLED, INVALID, STALLED, STALLED]);
        polls[2].1 = true;
        assert_eq!(justified_at(&polls, true), None);
    }

    #[test]
    fn proven_stall_justifies_a_restart_at_once() {
        let config = EvidenceConfig::default();
        let mut unresponsive = Unresponsive::default();
        unresponsive.observe(Time::default(), STALLED, false, &config);
        let reason = unresponsive.hard_evidence(STALLED, true, false, &config);
        assert_eq!(reason, Some(Reason::Unresponsive));
    }
}

//! The silent lane's evidence: how long does the silence last, and may it be a reason to restart?
//!
//! - *Stalled*: a wedge. After [`hang`](crate::config::EvidenceConfig::hang_timeout) a restart is justified.
//! - *Refused*: starting or dead, the supervisor's business; unless the process is known to live, was
//!   ready once and does not drain: then after [`refused`](crate::config::EvidenceConfig::refused_timeout).
//! - *Invalid*: observed and counted; it neither proves nor disproves a wedge.
//!
//! Hazard: one answer ends a silence. An app that answers every third probe is ill, but not silent.

use std::time::Duration;

use crate::config::EvidenceConfig;
use crate::decision::{Lane, Reason};
use crate::lane::Classified;
use crate::time::Time;

#[derive(Debug, Clone, Default)]
pub(crate) struct Silence {
    since: Option<(Lane, Time)>,
    /// Polls in this silence: a single one is never a reason.
    polls: u32,
    lasted: Duration,
}

// === impl Silence ===

impl Silence {
    /// Takes in a poll. `tick_age` is the app's own word for how long its runtime has not ticked.
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
                let seen = self
                    .since
                    .map_or(Duration::ZERO, |(_, since)| now.since(since));
                self.lasted = seen.max(tick_age.unwrap_or_default());
            }
        }
    }

    pub(crate) fn cut(&mut self) {
        *self = Self::default();
    }

    /// The reason for a restart, once the silence has lasted. `alive`: the process lives, was ready
    /// once, and does not drain.
    pub(crate) fn hard(
        &self,
        classified: Classified,
        alive: bool,
        config: &EvidenceConfig,
    ) -> Option<Reason> {
        let justified = self.polls >= 2
            && match classified.lane {
                Lane::Stalled => self.lasted >= config.hang_timeout,
                Lane::Refused => alive && self.lasted >= config.refused_timeout,
                Lane::Reported | Lane::Invalid => false,
            };
        justified.then_some(classified.silence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALLED: Classified = Classified {
        lane: Lane::Stalled,
        silence: Reason::Unresponsive,
    };
    const REFUSED: Classified = Classified {
        lane: Lane::Refused,
        silence: Reason::AppDown,
    };
    const INVALID: Classified = Classified {
        lane: Lane::Invalid,
        silence: Reason::InvalidAnswer,
    };
    const ANSWERS: Classified = Classified {
        lane: Lane::Reported,
        silence: Reason::Healthy,
    };

    /// Polls every 5 s; when is a restart justified?
    fn justified(polls: &[Classified], alive: bool) -> Option<u64> {
        let mut silence = Silence::default();
        (0..)
            .step_by(5)
            .zip(polls)
            .find_map(|(seconds, &classified)| {
                silence.observe(
                    Time::default() + Duration::from_secs(seconds),
                    classified,
                    None,
                );
                silence
                    .hard(classified, alive, &EvidenceConfig::default())
                    .map(|_| seconds)
            })
    }

    #[test]
    fn a_hang_must_last() {
        assert_eq!(justified(&[STALLED; 10], false), Some(10));
        assert_eq!(
            justified(&[STALLED, STALLED, ANSWERS, STALLED, STALLED], false),
            None
        );
    }

    #[test]
    fn refusals_are_the_supervisors_unless_the_process_lives() {
        assert_eq!(justified(&[REFUSED; 100], false), None);
        assert_eq!(justified(&[REFUSED; 100], true), Some(30));
    }

    #[test]
    fn nonsense_never_restarts() {
        assert_eq!(justified(&[INVALID; 100], true), None);
        assert_eq!(
            justified(&[STALLED, INVALID, STALLED], true),
            Some(10),
            "nor does it absolve"
        );
    }

    #[test]
    fn the_apps_own_word_counts_but_not_alone() {
        let mut silence = Silence::default();
        let config = EvidenceConfig::default();
        let age = Some(Duration::from_secs(25));
        silence.observe(Time::default(), STALLED, age);
        assert_eq!(silence.hard(STALLED, true, &config), None);
        silence.observe(Time::default() + Duration::from_secs(1), STALLED, age);
        assert_eq!(
            silence.hard(STALLED, true, &config),
            Some(Reason::Unresponsive)
        );
    }
}

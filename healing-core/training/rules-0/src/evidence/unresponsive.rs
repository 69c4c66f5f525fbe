//! Unresponsive app: the duration for which it has not answered, and the reason for a restart.
//!
//! - *Stalled*: a wedge. A restart is justified after
//!   [`hang_timeout`](crate::config::EvidenceConfig::hang_timeout).
//! - *Refused*: starting or dead, the supervisor's business; unless the process is known to live, has
//!   been ready and does not drain: then after
//!   [`refused_timeout`](crate::config::EvidenceConfig::refused_timeout).
//! - *Invalid*: observed and counted; it neither proves nor disproves a wedge.
//!
//! # Hazards
//!
//! A single answer resets the duration. An app that answers every third probe is ill, but not
//! unresponsive.

use std::time::Duration;

use crate::config::EvidenceConfig;
use crate::decision::{Lane, Reason};
use crate::health::Runtime;
use crate::lane::Classified;
use crate::time::Time;

/// Polls in which the app has been unresponsive, since its last answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unresponsive {
    since: Option<(Lane, Time)>,
    /// Polls in this lane: a single one is never a reason.
    polls: u32,
    duration: Duration,
}

/// Returns the age of the runtime's last tick, if the app says that the runtime stalls.
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

    /// Forgets all polls.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Reports if the app has been unresponsive since the last answer or reset.
    /// Returns the sustained reason for a restart. `alive`: the process lives, has been ready and does
    /// not drain.
    pub(crate) fn hard_symptom(
        &self,
        classified: Classified,
        alive: bool,
        config: &EvidenceConfig,
    ) -> Option<Reason> {
        let justified = self.polls >= 2
            && match classified.lane {
                Lane::Stalled => self.duration >= config.hang_timeout,
                Lane::Refused => alive && self.duration >= config.refused_timeout,
                Lane::Reported | Lane::Invalid => false,
            };
        justified.then_some(classified.reason)
    }
}

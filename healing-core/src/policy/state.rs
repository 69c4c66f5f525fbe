//! Persistent state: the guards and the known app, but not the windows. A restored policy starts with
//! empty windows, and knows the earlier treatments.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::instance::{Instance, InstanceMatch};
use crate::baseline::Baseline;
use crate::decision::Action;
use crate::evidence::availability::Availability;
use crate::evidence::usual_errors::UsualErrors;
use crate::guards::Guards;
use crate::impairment::Learned;
use crate::time::{ClockReading, Time};

/// Persistent state of a policy: budget, cooldowns, escalation, jitter, the current treatment, and the
/// known app. Save it before a treatment starts and after each step that changed it, and pass it to
/// [`Policy::restore`](super::Policy::restore).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyState {
    #[serde(flatten)]
    pub(super) clock: ClockReading,
    #[serde(flatten)]
    pub(super) guards: Guards,
    #[serde(flatten)]
    pub(super) app: KnownApp,
}

/// Knowledge about the app that survives a sidecar restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct KnownApp {
    pub(super) instance: Instance,
    /// Times of the first polls of new instances, oldest first.
    starts: Vec<Time>,
    /// Start of the last treatment.
    pub(super) last_treatment: Option<Time>,
    pub(super) baseline: Baseline,
    #[serde(default)]
    pub(super) learned: Learned,
    #[serde(default)]
    pub(super) usual_errors: UsualErrors,
}

/// Age at which a start stops counting as recent.
const RECENT: Duration = Duration::from_secs(1800);
/// Maximum number of starts that are kept.
const MAX_STARTS: usize = 100;

// === impl PolicyState ===

impl PolicyState {
    /// Returns the treatment that is in progress or on probation.
    #[must_use]
    pub fn current_treatment(&self) -> Option<Action> {
        self.guards.current_treatment()
    }

    /// Returns the id of the latest app instance.
    #[must_use]
    pub fn instance_id(&self) -> Option<&str> {
        self.app.instance.id.as_deref()
    }
}

// === impl KnownApp ===

impl KnownApp {
    /// Returns the state for an app about which nothing is known.
    pub(super) fn new() -> Self {
        Self {
            instance: Instance::default(),
            starts: Vec::with_capacity(MAX_STARTS),
            last_treatment: None,
            baseline: Baseline::default(),
            learned: Learned::default(),
            usual_errors: UsualErrors::default(),
        }
    }

    /// Records another instance, or the first one since the sidecar started. Returns `true` if the app has
    /// restarted. `id` and `start_time` are those of its first report.
    pub(super) fn start_instance(
        &mut self,
        now: Time,
        id: Option<&str>,
        start_time: Time,
        matched: InstanceMatch,
    ) -> bool {
        let treated_before = self.last_treatment.is_some_and(|at| start_time > at);
        // Without an id, the age shows whether it is the saved instance.
        let restarted = matched != InstanceMatch::First || (id.is_none() && treated_before);
        if restarted {
            self.record_start(now);
        }
        let instance = &mut self.instance;
        // Without ids, a saved instance cannot be told from its successor.
        instance.has_answered &= instance.id.is_some() && id.is_some();
        instance.set_id(id);
        instance.availability.on_first_poll();
        self.usual_errors.on_app_start();
        restarted
    }

    /// Records the start of a new instance, of which nothing is known.
    fn record_start(&mut self, now: Time) {
        if self.starts.len() >= MAX_STARTS {
            self.starts.remove(0);
        }
        self.starts.push(now);
        self.instance.availability = Availability::default();
        self.instance.has_answered = false;
    }

    /// Returns the number of starts in the last 30 minutes.
    pub(super) fn recent_starts(&self, now: Time) -> u32 {
        let recent = self
            .starts
            .iter()
            .filter(|&&start| now.since(start) < RECENT)
            .count();
        u32::try_from(recent).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_starts_are_those_of_the_last_30_minutes() {
        let at = |seconds| Time::default() + Duration::from_secs(seconds);
        let mut app = KnownApp::new();
        for seconds in 0..200 {
            app.record_start(at(seconds));
        }
        assert_eq!(app.starts.len(), MAX_STARTS);
        assert_eq!(app.recent_starts(at(199)), 100);
        assert_eq!(app.recent_starts(at(1900)), 99);
        assert_eq!(app.recent_starts(at(9999)), 0);
    }
}

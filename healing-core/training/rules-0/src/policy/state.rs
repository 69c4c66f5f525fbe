//! Persistent state: the guards' memory and the known app, never the windows. A restored policy
//! observes the app from the beginning, but remembers its treatments.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::instance::Instance;
use crate::baseline::Baseline;
use crate::decision::Action;
use crate::evidence::availability::Availability;
use crate::guards::Guards;
use crate::time::{ClockReading, Time};

/// Saved policy: budget, cooldowns, escalation, jitter, the treatment on probation, and the known app.
/// It is to be written before a treatment begins and after each step that changed it, and read back by
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

/// Knowledge of the app that survives the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct KnownApp {
    pub(super) instance: Instance,
    /// First polls of new instances, oldest first.
    starts: Vec<Time>,
    /// Begin of the last treatment.
    #[serde(rename = "last_treated")]
    pub(super) last_treatment: Option<Time>,
    pub(super) baseline: Baseline,
}

/// Age from which a start is not recent.
const RECENT: Duration = Duration::from_secs(1800);
/// Starts that are kept.
const MAX_STARTS: usize = 100;

// === impl PolicyState ===

impl PolicyState {
    /// Returns the treatment that is being carried out or verified.
    #[must_use]
    pub fn awaiting(&self) -> Option<Action> {
        self.guards.awaiting()
    }

    /// Returns the id of the latest app instance.
    #[must_use]
    pub fn instance_id(&self) -> Option<&str> {
        self.app.instance.id.as_deref()
    }
}

// === impl KnownApp ===

impl KnownApp {
    /// Returns an app about which nothing is known.
    pub(super) fn new() -> Self {
        Self {
            instance: Instance::default(),
            starts: Vec::with_capacity(MAX_STARTS),
            last_treatment: None,
            baseline: Baseline::default(),
        }
    }

    /// Records the start of a new instance: its availability is unknown.
    pub(super) fn record_start(&mut self, now: Time) {
        if self.starts.len() >= MAX_STARTS {
            self.starts.remove(0);
        }
        self.starts.push(now);
        self.instance.availability = Availability::default();
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

//! What outlives the process: the guards' memory, never the windows. A policy that was restored sees
//! the app with fresh eyes, but knows what it has done.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::baseline::Baseline;
use crate::decision::Action;
use crate::evidence::availability::Availability;
use crate::outcome::Probation;
use crate::permission::budget::Budget;
use crate::permission::cooldown::Cooldown;
use crate::permission::escalation::Escalation;
use crate::permission::splay::RestartSplay;
use crate::rng::Rng;
use crate::time::{Reading, Time};

/// A saved policy: budget, cooldowns, escalation, jitter, and what awaits verification. Write it
/// before a treatment begins and after each step that changed it; read it back by
/// [`Policy::restore`](super::Policy::restore).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyState {
    #[serde(flatten)]
    pub(super) reading: Reading,
    #[serde(flatten)]
    pub(super) durable: Durable,
}

/// The lasting part of a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Durable {
    pub(super) rng: Rng,
    pub(super) budget: Budget,
    pub(super) cooldown: Cooldown,
    pub(super) escalation: Escalation,
    pub(super) splay: RestartSplay,
    pub(super) probation: Probation,
    pub(super) instance: Instance,
    /// When new instances were seen, oldest first.
    starts: Vec<Time>,
    pub(super) last_treated: Option<Time>,
    pub(super) baseline: Baseline,
}

/// Which process of the app is known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Instance {
    pub(super) id: Option<String>,
    /// The one before: its late answers are no restart.
    pub(super) previous: Option<String>,
    /// Whether it has worked since its start.
    #[serde(default)]
    pub(super) availability: Availability,
}

const RECENT: Duration = Duration::from_secs(1800);
const MOST_STARTS: usize = 100;

// === impl PolicyState ===

impl PolicyState {
    /// The treatment that is being carried out or verified.
    #[must_use]
    pub fn awaiting(&self) -> Option<Action> {
        self.durable.probation.action()
    }

    /// The app instance that was seen last.
    #[must_use]
    pub fn instance_id(&self) -> Option<&str> {
        self.durable.instance.id.as_deref()
    }
}

// === impl Durable ===

impl Durable {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            budget: Budget::new(),
            cooldown: Cooldown::default(),
            escalation: Escalation::default(),
            splay: RestartSplay::default(),
            probation: Probation::default(),
            instance: Instance::default(),
            starts: Vec::with_capacity(MOST_STARTS),
            last_treated: None,
            baseline: Baseline::default(),
        }
    }

    pub(super) fn note_start(&mut self, now: Time) {
        if self.starts.len() >= MOST_STARTS {
            self.starts.remove(0);
        }
        self.starts.push(now);
    }

    pub(super) fn recent_starts(&self, now: Time) -> u32 {
        let recent = self
            .starts
            .iter()
            .filter(|&&start| now.since(start) < RECENT)
            .count();
        u32::try_from(recent).unwrap_or(u32::MAX)
    }
}

// === impl Instance ===

impl Instance {
    pub(super) fn become_(&mut self, id: Option<&str>) {
        if self.id.as_deref() == id {
            return;
        }
        if self.id.is_some() {
            self.previous = self.id.take();
        }
        self.id = id.map(str::to_owned);
    }
}

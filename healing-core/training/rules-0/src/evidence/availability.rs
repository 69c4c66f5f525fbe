//! Availability of an instance: it has served well for a time since its start, like a pod that is
//! *Available* by `minReadySeconds`. A version that fails from its first second fails after another
//! start too: that is a bad rollout, whose remedy is a rollback.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ErrorSignal;
use crate::config::OutcomeConfig;
use crate::time::Time;
use crate::window::Delta;

/// Availability of one instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Availability {
    #[serde(rename = "has")]
    available: bool,
    #[serde(rename = "well_since")]
    serving_since: Option<Time>,
}

impl Availability {
    /// Records the first poll of an instance by this process. An instance as old as `reset_after`
    /// counts as available; saved availability is kept.
    pub(crate) fn first_seen(&mut self, uptime: Duration, config: &OutcomeConfig) {
        self.available |= uptime >= config.reset_after;
        self.serving_since = None;
    }

    /// Adds a poll. An instance becomes available when it has served well for the time of a probation.
    pub(crate) fn observe(&mut self, now: Time, serves_well: bool, config: &OutcomeConfig) {
        if self.available {
            return;
        }
        if !serves_well {
            self.serving_since = None;
            return;
        }
        let since = *self.serving_since.get_or_insert(now);
        self.available = now.since(since) >= config.probation;
    }

    /// Reports if the instance has been available since its start.
    pub(crate) fn is_available(&self) -> bool {
        self.available
    }
}

/// Reports if the app served requests and few failed; where requests are not counted, if none failed.
pub(crate) fn serves_well(slow: Option<&Delta>, errors: ErrorSignal, max_share: f64) -> bool {
    !errors.is_present()
        && slow.is_some_and(|delta| match delta.requests {
            Some(0) => false,
            Some(_) => delta
                .ratio(delta.errors)
                .is_some_and(|share| share < max_share),
            None => delta.errors == Some(0),
        })
}

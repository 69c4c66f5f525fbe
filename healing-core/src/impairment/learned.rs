//! Knowledge about an app that outlives the sidecar: proven capacity, usual arrivals, what persists, and the
//! treatments that were tried.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::capacity::ProvenCapacity;
use super::conditions::Conditions;
use super::counts::{CountHistory, Window};
use super::restart_effect::RestartEffect;
use super::saturation::Saturation;
use super::unseen::UsualSockets;
use super::usual::Usual;
use crate::config::ImpairmentConfig;
use crate::health::Health;
use crate::time::Time;

/// Shortest window in which arrivals are learned: as long as that between two values of their median.
const ARRIVALS_WINDOW: Duration = Duration::from_secs(10);

/// Knowledge about one version of an app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Learned {
    app: Option<String>,
    version: Option<String>,
    pub(super) capacity: ProvenCapacity,
    /// Requests begun per second.
    pub(super) arrivals: Usual,
    pub(super) sockets: UsualSockets,
    /// Set once a request has succeeded.
    pub(super) has_succeeded: bool,
    pub(super) conditions: Conditions,
    pub(super) saturation: Saturation,
    pub(super) restart_effect: RestartEffect,
    /// Set once the app was restarted although it had never succeeded.
    pub(super) restarted_without_baseline: bool,
    /// Set once the app was restarted although load was the cause.
    pub(super) last_resort_used: bool,
}

// === impl Learned ===

impl Default for Learned {
    fn default() -> Self {
        Self {
            app: None,
            version: None,
            capacity: ProvenCapacity::default(),
            arrivals: Usual::new(),
            sockets: UsualSockets::new(),
            has_succeeded: false,
            conditions: Conditions::default(),
            saturation: Saturation::default(),
            restart_effect: RestartEffect::default(),
            restarted_without_baseline: false,
            last_resort_used: false,
        }
    }
}

impl Learned {
    /// Returns `true` if the capacity is known to be that of this version.
    pub(crate) fn is_version_known(&self) -> bool {
        self.version.is_some()
    }

    /// Returns the onset of the impairment that persists.
    pub(crate) fn impaired_since(&self) -> Option<Time> {
        self.conditions.onset()
    }

    /// Learns capacity and usual arrivals, from a poll in which no request waits unseen.
    pub(super) fn learn(
        &mut self,
        now: Time,
        counts: &CountHistory,
        window: Option<Window>,
        config: &ImpairmentConfig,
    ) {
        if let Some(window) = window {
            self.capacity.learn(now, &window, config.capacity_half_life);
        }
        if self.arrivals.is_due(now)
            && let Some(latest) = counts.last(ARRIVALS_WINDOW)
        {
            self.arrivals.push(now, latest.arrivals());
        }
    }

    /// Adds the impairment of a poll to what is known of the restarts.
    pub(super) fn judge_restarts(
        &mut self,
        now: Time,
        ratio: Option<f64>,
        config: &ImpairmentConfig,
    ) {
        let recovered = self.conditions.has_recovered();
        self.restart_effect
            .observe(now, ratio, config.window, recovered);
        if recovered {
            self.last_resort_used = false;
        }
    }

    /// Discards what is known of another app or version. A name that is absent is no difference.
    pub(super) fn bind(&mut self, health: &Health) {
        let differs = |known: &Option<String>, new: &Option<String>| {
            known.is_some() && new.is_some() && known != new
        };
        if differs(&self.app, &health.app) || differs(&self.version, &health.version) {
            *self = Self::default();
        }
        for (known, new) in [
            (&mut self.app, &health.app),
            (&mut self.version, &health.version),
        ] {
            if known.is_none() {
                known.clone_from(new);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(version: Option<&str>) -> Health {
        Health {
            app: Some("shop".into()),
            version: version.map(Into::into),
            ..Health::default()
        }
    }

    #[test]
    fn knowledge_is_bound_to_the_version() {
        let mut learned = Learned::default();
        for (version, kept) in [
            (None, true),
            (Some("1"), true),
            (None, true),
            (Some("2"), false),
        ] {
            learned.has_succeeded = true;
            learned.bind(&report(version));
            assert_eq!(learned.has_succeeded, kept, "{version:?}");
        }
        learned.has_succeeded = true;
        learned.bind(&Health {
            app: Some("bank".into()),
            ..report(Some("2"))
        });
        assert!(!learned.has_succeeded);
    }
}

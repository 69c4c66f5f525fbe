//! Detectors of the symptoms beside errors; each is sustained on its own.

use super::sustained::Sustained;
use crate::config::EvidenceConfig;
use crate::decision::Reason;
use crate::time::Time;

/// Signals of one poll.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Signals {
    pub(crate) panics: bool,
    pub(crate) runtime_lag: bool,
    pub(crate) cpu_saturated: bool,
}

/// Signals of the polls since the last reset.
#[derive(Debug, Clone, Default)]
pub(crate) struct Detectors {
    panics: Sustained,
    runtime_lag: Sustained,
    cpu_saturated: Sustained,
}

impl Detectors {
    /// Adds a poll.
    pub(crate) fn observe(&mut self, now: Time, signals: Signals) {
        self.panics.observe(now, signals.panics);
        self.runtime_lag.observe(now, signals.runtime_lag);
        self.cpu_saturated.observe(now, signals.cpu_saturated);
    }

    /// Forgets all polls.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Reports if the latest poll shows a symptom.
    pub(crate) fn is_symptomatic(&self) -> bool {
        self.all().iter().any(|sustained| sustained.is_pending())
    }

    /// Returns the onset of the symptom that has lasted longest.
    pub(crate) fn onset(&self) -> Option<Time> {
        self.all()
            .iter()
            .filter_map(|sustained| sustained.onset())
            .min()
    }

    /// Returns the sustained reason for a hard heal; the most certain one if there are several.
    pub(crate) fn hard_symptom(&self, config: &EvidenceConfig) -> Option<Reason> {
        [
            (&self.runtime_lag, Reason::RuntimeLag),
            (&self.panics, Reason::RepeatedPanics),
            (&self.cpu_saturated, Reason::CpuSaturated),
        ]
        .into_iter()
        .find_map(|(sustained, reason)| sustained.is_firing(config).then_some(reason))
    }

    fn all(&self) -> [&Sustained; 3] {
        [&self.panics, &self.runtime_lag, &self.cpu_saturated]
    }
}

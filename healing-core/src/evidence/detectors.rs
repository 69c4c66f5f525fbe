//! Detectors of the symptoms other than errors. Each is evaluated independently.

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

    /// Discards all polls.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Returns `true` if the latest poll shows a symptom.
    pub(crate) fn is_symptomatic(&self) -> bool {
        self.all().iter().any(|sustained| sustained.is_active())
    }

    /// Returns the earliest onset of an active symptom.
    pub(crate) fn onset(&self) -> Option<Time> {
        self.all()
            .iter()
            .filter_map(|sustained| sustained.onset())
            .min()
    }

    /// Returns the evidence for a hard heal: the most certain sustained symptom.
    pub(crate) fn hard_evidence(&self, config: &EvidenceConfig) -> Option<Reason> {
        [
            (&self.runtime_lag, Reason::RuntimeLag),
            (&self.panics, Reason::RepeatedPanics),
            (&self.cpu_saturated, Reason::CpuSaturated),
        ]
        .into_iter()
        .find_map(|(sustained, reason)| sustained.is_firing(config).then_some(reason))
    }

    /// Returns all conditions.
    fn all(&self) -> [&Sustained; 3] {
        [&self.panics, &self.runtime_lag, &self.cpu_saturated]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn detectors_are_sustained_independently() {
        let config = EvidenceConfig::default();
        let mut detectors = Detectors::default();
        for seconds in (0..=20).step_by(5) {
            assert_eq!(detectors.hard_evidence(&config), None);
            let signals = Signals {
                panics: true,
                runtime_lag: seconds % 10 == 0,
                cpu_saturated: seconds >= 10,
            };
            detectors.observe(at(seconds), signals);
        }
        assert_eq!(
            detectors.hard_evidence(&config),
            Some(Reason::RepeatedPanics)
        );
        assert_eq!(detectors.onset(), Some(at(0)));
        for seconds in [25, 30] {
            let signals = Signals {
                cpu_saturated: true,
                ..Signals::default()
            };
            detectors.observe(at(seconds), signals);
        }
        assert_eq!(
            detectors.hard_evidence(&config),
            Some(Reason::CpuSaturated),
            "the others cleared"
        );
        assert_eq!(detectors.onset(), Some(at(10)));
        detectors.reset();
        assert!(!detectors.is_symptomatic());
    }
}

//! Symptoms beside errors, each lasting on its own.

use super::sustained::Sustained;
use crate::config::EvidenceConfig;
use crate::decision::Reason;
use crate::time::Time;

/// What one poll shows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shown {
    pub(crate) panics: bool,
    pub(crate) runtime_lag: bool,
    pub(crate) cpu_saturated: bool,
}

/// What the polls since the last cut showed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble {
    panics: Sustained,
    runtime_lag: Sustained,
    cpu_saturated: Sustained,
}

impl Trouble {
    /// Takes in a poll.
    pub(crate) fn observe(&mut self, now: Time, shown: Shown) {
        self.panics.observe(now, shown.panics);
        self.runtime_lag.observe(now, shown.runtime_lag);
        self.cpu_saturated.observe(now, shown.cpu_saturated);
    }

    /// At a treatment, a restart or a gap: only what comes after counts.
    pub(crate) fn cut(&mut self) {
        *self = Self::default();
    }

    /// The latest poll shows a symptom.
    pub(crate) fn is_symptomatic(&self) -> bool {
        self.each().iter().any(|sustained| sustained.is_pending())
    }

    /// When the first of those that show began.
    pub(crate) fn onset(&self) -> Option<Time> {
        self.each()
            .iter()
            .filter_map(|sustained| sustained.onset())
            .min()
    }

    /// The reason for a hard heal, once it has lasted; the most certain first.
    pub(crate) fn hard(&self, config: &EvidenceConfig) -> Option<Reason> {
        [
            (&self.runtime_lag, Reason::RuntimeLag),
            (&self.panics, Reason::RepeatedPanics),
            (&self.cpu_saturated, Reason::CpuSaturated),
        ]
        .into_iter()
        .find_map(|(sustained, reason)| sustained.is_firing(config).then_some(reason))
    }

    fn each(&self) -> [&Sustained; 3] {
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
    fn each_lasts_on_its_own() {
        let config = EvidenceConfig::default();
        let mut trouble = Trouble::default();
        for seconds in (0..=20).step_by(5) {
            assert_eq!(trouble.hard(&config), None);
            let shown = Shown {
                panics: true,
                runtime_lag: seconds % 10 == 0,
                cpu_saturated: seconds >= 10,
            };
            trouble.observe(at(seconds), shown);
        }
        assert_eq!(trouble.hard(&config), Some(Reason::RepeatedPanics));
        assert_eq!(trouble.onset(), Some(at(0)));
        for seconds in [25, 30] {
            let shown = Shown {
                cpu_saturated: true,
                ..Shown::default()
            };
            trouble.observe(at(seconds), shown);
        }
        assert_eq!(
            trouble.hard(&config),
            Some(Reason::CpuSaturated),
            "the others ended"
        );
        assert_eq!(trouble.onset(), Some(at(10)));
        trouble.cut();
        assert!(!trouble.is_symptomatic());
    }
}

//! Symptoms beside errors, each lasting on its own.

use super::lasting::Lasting;
use crate::config::EvidenceConfig;
use crate::decision::Reason;
use crate::time::Time;

/// What one poll shows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shown {
    pub(crate) panics: bool,
    pub(crate) late_runtime: bool,
    pub(crate) cpu_used_up: bool,
}

/// What the polls since the last cut showed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble {
    panics: Lasting,
    late_runtime: Lasting,
    cpu_used_up: Lasting,
}

impl Trouble {
    /// Takes in a poll.
    pub(crate) fn observe(&mut self, now: Time, shown: Shown) {
        self.panics.observe(now, shown.panics);
        self.late_runtime.observe(now, shown.late_runtime);
        self.cpu_used_up.observe(now, shown.cpu_used_up);
    }

    /// At a treatment, a restart or a gap: only what comes after counts.
    pub(crate) fn cut(&mut self) {
        *self = Self::default();
    }

    /// The latest poll shows a symptom.
    pub(crate) fn is_symptomatic(&self) -> bool {
        self.each().iter().any(|lasting| lasting.shows())
    }

    /// When the first of those that show began.
    pub(crate) fn onset(&self) -> Option<Time> {
        self.each()
            .iter()
            .filter_map(|lasting| lasting.onset())
            .min()
    }

    /// The reason for a hard heal, once it has lasted; the most certain first.
    pub(crate) fn hard(&self, config: &EvidenceConfig) -> Option<Reason> {
        [
            (&self.late_runtime, Reason::RuntimeLate),
            (&self.panics, Reason::PanicsGoOn),
            (&self.cpu_used_up, Reason::CpuUsedUp),
        ]
        .into_iter()
        .find_map(|(lasting, reason)| lasting.holds(config).then_some(reason))
    }

    fn each(&self) -> [&Lasting; 3] {
        [&self.panics, &self.late_runtime, &self.cpu_used_up]
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
                late_runtime: seconds % 10 == 0,
                cpu_used_up: seconds >= 10,
            };
            trouble.observe(at(seconds), shown);
        }
        assert_eq!(trouble.hard(&config), Some(Reason::PanicsGoOn));
        assert_eq!(trouble.onset(), Some(at(0)));
        for seconds in [25, 30] {
            let shown = Shown {
                cpu_used_up: true,
                ..Shown::default()
            };
            trouble.observe(at(seconds), shown);
        }
        assert_eq!(
            trouble.hard(&config),
            Some(Reason::CpuUsedUp),
            "the others ended"
        );
        assert_eq!(trouble.onset(), Some(at(10)));
        trouble.cut();
        assert!(!trouble.is_symptomatic());
    }
}

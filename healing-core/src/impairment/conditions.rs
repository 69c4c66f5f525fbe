//! Conditions: impairments that must persist before they are evidence.
//!
//! They are saved, so that a restart of the sidecar does not delay a treatment.
//!
//! The last resort is one restart in spite of load, when goodput has been almost gone for minutes. A
//! *metastable failure* (Bronson et al., HotOS 2021) outlives the surge that caused it: retries and queues of
//! dead requests keep it going. Much less load or a restart ends it, and there is nothing left to lose.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use crate::config::ImpairmentConfig;
use crate::evidence::sustained::Sustained;
use crate::reason::Reason;
use crate::time::Time;

/// Impairment from which goodput is almost gone.
const ALMOST_GONE: f64 = 0.9;

/// Time without impairment after which a new fault is another one.
const RECOVERY: Duration = Duration::from_secs(600);

/// Part of the window after a soft heal that shows its effect, as a divisor.
const SOFT_HEAL_WINDOW: u32 = 2;

/// Impairments of an instance, and its latest soft heal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Conditions {
    /// Impairment that justifies a soft heal.
    mild: Sustained,
    /// Time since which it has justified one.
    soft_since: Option<Time>,
    /// Impairment that justifies a restart.
    severe: Sustained,
    /// No goodput at all, where there is no ratio.
    no_goodput: Sustained,
    almost_gone: Sustained,
    unimpaired: Sustained,
    soft_heal: Option<SoftHeal>,
}

/// Soft heal, with the counts at its time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct SoftHeal {
    at: Time,
    counts: Option<Counts>,
    /// Set once a window after it was judged.
    judged: bool,
}

// === impl Conditions ===

impl Conditions {
    /// Adds the impairment of a poll, if it can be judged.
    pub(super) fn observe(
        &mut self,
        now: Time,
        ratio: Option<f64>,
        no_goodput: bool,
        config: &ImpairmentConfig,
    ) {
        if let Some(healed) = self.soft_heal.as_mut().filter(|healed| !healed.judged) {
            // The first window after a soft heal is not older than it, so its impairment has lasted since.
            healed.judged = true;
            let at = healed.at;
            for at in [at, at + now.since(at) / 2] {
                self.add(at, ratio, no_goodput, config);
            }
        }
        self.add(now, ratio, no_goodput, config);
    }

    fn add(&mut self, now: Time, ratio: Option<f64>, no_goodput: bool, config: &ImpairmentConfig) {
        let at_least = |least: f64| ratio.is_some_and(|ratio| ratio >= least);
        let is_mild = at_least(config.soft_ratio);
        let sustain_for = config.sustain_for;
        self.mild.observe(now, is_mild, sustain_for);
        if !self.mild.is_firing(sustain_for) {
            self.soft_since = None;
        } else if self.soft_since.is_none() {
            self.soft_since = Some(now);
        }
        self.severe
            .observe(now, at_least(config.hard_ratio), sustain_for);
        self.no_goodput.observe(now, no_goodput, sustain_for);
        self.almost_gone
            .observe(now, at_least(ALMOST_GONE), config.last_resort_after);
        self.unimpaired
            .observe(now, ratio.is_some() && !is_mild, RECOVERY);
    }

    /// Records a soft heal. `counts` are those of the latest report, if there is one since the last record:
    /// a soft heal is reported when it starts, and again when it is done.
    pub(super) fn on_soft_heal(&mut self, now: Time, counts: Option<Counts>) {
        let recorded = self.soft_heal.and_then(|healed| healed.counts);
        self.soft_heal = Some(SoftHeal {
            at: now,
            counts: counts.or(recorded),
            judged: false,
        });
    }

    /// Returns the counts at the latest soft heal, with its time.
    pub(super) fn counts_at_soft_heal(&self) -> Option<(Time, Counts)> {
        let healed = self.soft_heal?;
        Some((healed.at, healed.counts?))
    }

    /// Returns the shortest window that is judged: only requests after a soft heal show its effect.
    pub(super) fn shortest_window(&self, now: Time, config: &ImpairmentConfig) -> Duration {
        match self.soft_heal {
            Some(healed) if now.since(healed.at) < config.window => {
                config.window / SOFT_HEAL_WINDOW
            }
            _ => config.window,
        }
    }

    /// Returns the evidence for a soft heal.
    pub(super) fn soft_evidence(&self, config: &ImpairmentConfig) -> Option<Reason> {
        self.mild
            .is_firing(config.sustain_for)
            .then(|| self.reason(config))
    }

    /// Returns the evidence for a restart. Where hooks exist, a soft heal comes first.
    pub(super) fn hard_evidence(
        &self,
        now: Time,
        has_hooks: bool,
        config: &ImpairmentConfig,
    ) -> Option<Reason> {
        let severe = self.severe.is_firing(config.sustain_for);
        let lasting = self
            .soft_since
            .is_some_and(|since| now.since(since) >= config.soft_heal_wait);
        let waits = has_hooks && self.awaits_soft_heal(now, config);
        ((severe || lasting) && !waits).then(|| self.reason(config))
    }

    /// Returns `true` if goodput has been almost gone for long enough for the last resort.
    pub(super) fn is_last_resort_due(&self, config: &ImpairmentConfig) -> bool {
        self.almost_gone.is_firing(config.last_resort_after)
    }

    /// Returns the onset of the impairment that persists.
    pub(super) fn onset(&self) -> Option<Time> {
        self.mild.onset()
    }

    /// Returns `true` if the app has not been impaired for long.
    pub(super) fn has_recovered(&self) -> bool {
        self.unimpaired.is_firing(RECOVERY)
    }

    fn reason(&self, config: &ImpairmentConfig) -> Reason {
        if self.no_goodput.is_firing(config.sustain_for) {
            Reason::NoGoodput
        } else {
            Reason::Impaired
        }
    }

    /// Returns `true` if a soft heal has not had its time in this impairment. It gets it only for so long,
    /// because it may be vetoed.
    fn awaits_soft_heal(&self, now: Time, config: &ImpairmentConfig) -> bool {
        let Some(onset) = self.mild.onset() else {
            return false;
        };
        match self.soft_heal.filter(|healed| healed.at >= onset) {
            Some(healed) => now.since(healed.at) < config.window / SOFT_HEAL_WINDOW,
            None => now.since(onset) < config.sustain_for + config.window,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the second at which a condition holds at this impairment, with a poll every 5 s.
    fn holds_at(
        ratio: f64,
        condition: impl Fn(&Conditions, Time, &ImpairmentConfig) -> bool,
    ) -> Option<u64> {
        let config = ImpairmentConfig::default();
        let mut conditions = Conditions::default();
        (0..1200).step_by(5).find(|&seconds| {
            let now = Time::default() + Duration::from_secs(seconds);
            conditions.observe(now, Some(ratio), false, &config);
            condition(&conditions, now, &config)
        })
    }

    #[test]
    fn last_resort_is_due_after_minutes_almost_without_goodput() {
        let due = |c: &Conditions, _, config: &_| c.is_last_resort_due(config);
        assert_eq!(holds_at(0.9, due), Some(285));
        assert_eq!(holds_at(0.89, due), None);
    }

    #[test]
    fn thresholds_separate_soft_heal_restart_and_recovery() {
        let soft = |c: &Conditions, _, config: &_| c.soft_evidence(config).is_some();
        let hard = |c: &Conditions, now, config: &_| c.hard_evidence(now, false, config).is_some();
        let recovered = |c: &Conditions, _, _: &_| c.has_recovered();
        for (ratio, expected) in [
            (0.6, (Some(10), Some(10), None)),
            (0.3, (Some(10), Some(70), None)),
            (0.1, (None, None, Some(570))),
        ] {
            let found = (
                holds_at(ratio, soft),
                holds_at(ratio, hard),
                holds_at(ratio, recovered),
            );
            assert_eq!(found, expected, "{ratio}");
        }
    }
}

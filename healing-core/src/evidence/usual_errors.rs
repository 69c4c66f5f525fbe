//! Usual errors of an app: a share of errors that treatments do not change.
//!
//! Some apps answer a steady share of their requests with errors that their clients expect. Such a share is
//! evidence until treatments have shown that they do not change it. From then on it is usual, for this
//! version of the app, and errors are evidence only if they are significantly more. If they become
//! significantly fewer, the usual share is forgotten.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::counts::{CHANGE, Counts, RESTART};
use crate::decision::Action;
use crate::time::Time;

/// Knowledge about the share of errors of one version of an app. It is persisted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct UsualErrors {
    version: Option<String>,
    /// Counts with the usual share. Without requests, none is known.
    usual: Counts,
    /// Latest treatment, until it is known if it changed the share.
    trial: Option<Trial>,
    /// Number of treatments in a row that did not change the share.
    unchanged: u32,
    /// Counts after these treatments.
    persistent: Counts,
}

/// Treatment of errors, with the counts before and after it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Trial {
    action: Action,
    since: Time,
    before: Counts,
    after: Counts,
}

/// Conditions under which a share becomes usual.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Acceptance {
    /// Number of treatments that must not have changed the share.
    pub(crate) attempts: u32,
    /// Time after a treatment from which its effect is visible.
    pub(crate) effect_after: Duration,
    /// Share of errors above which a restart must have been tried too.
    pub(crate) restart_above: f64,
    /// Set if restarts have failed as often as they may.
    pub(crate) restarts_failed: bool,
}

/// Significance with which a treatment must have reduced the errors, and of more errors after it. It is judged
/// once per treatment, not once per poll.
const EFFECT: f64 = 1e-2;
/// Errors to expect after a treatment without effect. If there are none, it had one, with [`EFFECT`].
const MIN_EXPECTED: f64 = 5.0;
/// Time after which a treatment's effect cannot be told from other changes.
const TRIAL_LIMIT: Duration = Duration::from_secs(3600);

// === impl UsualErrors ===

impl UsualErrors {
    /// Forgets everything if the app's version differs from the known one.
    pub(crate) fn bind(&mut self, version: Option<&str>) {
        if self.version.as_deref() != version {
            *self = Self {
                version: version.map(str::to_owned),
                ..Self::default()
            };
        }
    }

    /// Returns the usual share of errors; 0 if none is known.
    pub(crate) fn share(&self) -> f64 {
        self.usual.share()
    }

    /// Records a treatment. `before` are the counts while the errors lasted; without errors, the treatment
    /// shows nothing about them.
    pub(crate) fn on_treatment(&mut self, now: Time, action: Action, before: Counts) {
        if before.errors > 0.0 {
            self.trial = Some(Trial {
                action,
                since: now,
                before,
                after: Counts::default(),
            });
        }
    }

    /// Records a new instance. It makes the effect of a soft heal unknown.
    pub(crate) fn on_app_start(&mut self) {
        self.trial = self
            .trial
            .filter(|trial| trial.action == Action::RestartService);
    }

    /// Adds the counts since the poll before. `recent` are those of a window that holds enough requests.
    pub(crate) fn observe(
        &mut self,
        now: Time,
        latest: Counts,
        recent: Counts,
        acceptance: Acceptance,
    ) {
        if self.usual.requests > 0.0 {
            if recent.fall_below(self.usual.share(), CHANGE) {
                self.usual = Counts::default();
            } else if self.explain(recent) {
                self.usual.add(latest);
            }
        }
        self.judge_trial(now, latest, acceptance.effect_after);
        if self.unchanged >= acceptance.attempts.max(1) {
            self.persistent.add(latest);
            let is_mild = !self.persistent.exceed(acceptance.restart_above, RESTART);
            if is_mild || acceptance.restarts_failed {
                self.usual = std::mem::take(&mut self.persistent);
                self.unchanged = 0;
            }
        }
    }

    fn judge_trial(&mut self, now: Time, latest: Counts, effect_after: Duration) {
        let Some(trial) = &mut self.trial else {
            return;
        };
        trial.after.add(latest);
        let age = now.since(trial.since);
        let (before, after) = (trial.before.lower_share(), trial.after);
        if age >= TRIAL_LIMIT {
            self.trial = None;
        } else if age >= effect_after && trial.has_enough() {
            self.trial = None;
            if after.fall_below(before, EFFECT) {
                self.unchanged = 0;
                self.persistent = Counts::default();
            } else {
                self.unchanged = self.unchanged.saturating_add(1);
                self.persistent.add(after);
            }
        }
    }

    /// Returns `true` if a usual share is known, and there are not significantly more errors.
    pub(crate) fn explain(&self, counts: Counts) -> bool {
        self.usual.requests > 0.0 && !counts.exceed(self.usual.upper_share(), CHANGE)
    }

    /// Returns `true` if the latest treatment has had too few requests to show an effect, and there are
    /// not significantly more errors than before it. Another one would show no more.
    pub(crate) fn await_effect(&self, counts: Counts) -> bool {
        self.trial.is_some_and(|trial| {
            !trial.has_enough() && !counts.exceed(trial.before.upper_share(), EFFECT)
        })
    }
}

// === impl Trial ===

impl Trial {
    /// Returns `true` if there are enough requests for the treatment to show an effect.
    fn has_enough(&self) -> bool {
        self.after.requests * self.before.lower_share() >= MIN_EXPECTED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(requests: u64, errors: u64) -> Counts {
        Counts::new(requests, errors)
    }

    fn acceptance(restarts_failed: bool) -> Acceptance {
        Acceptance {
            attempts: 2,
            effect_after: Duration::from_secs(30),
            restart_above: 0.1,
            restarts_failed,
        }
    }

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    /// Returns the knowledge after treatments of a share of 6 %, each followed by `after`.
    fn after_treatments(treatments: u64, after: Counts, restarts_failed: bool) -> UsualErrors {
        let mut usual = UsualErrors::default();
        for treatment in 0..treatments {
            let since = at(100 * treatment);
            usual.on_treatment(since, Action::ResetErrors, counts(1000, 60));
            for seconds in [30, 60] {
                let now = since + Duration::from_secs(seconds);
                usual.observe(now, after, after, acceptance(restarts_failed));
            }
        }
        usual
    }

    #[test]
    fn share_that_two_treatments_do_not_change_becomes_usual() {
        let steady = counts(1000, 60);
        assert!(!after_treatments(1, steady, false).explain(steady));
        let usual = after_treatments(2, steady, false);
        assert!(usual.explain(steady) && usual.explain(counts(60, 9)));
        assert!(!usual.explain(counts(60, 30)), "significantly more");
    }

    #[test]
    fn share_that_a_treatment_reduces_does_not_become_usual() {
        let cured = after_treatments(5, counts(1000, 0), false);
        assert!(!cured.explain(counts(1000, 60)));
        assert_eq!(cured.unchanged, 0);
    }

    #[test]
    fn share_that_may_justify_a_restart_becomes_usual_only_after_one() {
        let high = counts(1000, 300);
        assert!(!after_treatments(4, high, false).explain(high));
        assert!(after_treatments(4, high, true).explain(high));
    }

    #[test]
    fn usual_share_is_forgotten_when_the_errors_end_or_the_version_changes() {
        let steady = counts(1000, 60);
        let mut usual = after_treatments(2, steady, false);
        usual.bind(None);
        assert!(usual.explain(steady));
        let mut other = usual.clone();
        other.bind(Some("2.0.0"));
        assert!(!other.explain(steady));
        let ended = counts(1000, 0);
        usual.observe(at(1000), ended, ended, acceptance(false));
        assert!(!usual.explain(steady));
    }

    #[test]
    fn effect_is_awaited_while_there_are_too_few_requests() {
        let mut usual = UsualErrors::default();
        usual.on_treatment(at(0), Action::ResetErrors, counts(100, 6));
        assert!(usual.await_effect(counts(20, 2)));
        assert!(!usual.await_effect(counts(20, 12)), "clearly worse");
        usual.observe(at(40), counts(150, 8), counts(150, 8), acceptance(false));
        assert!(!usual.await_effect(counts(20, 2)), "known to be none");
        usual.on_treatment(at(100), Action::ResetErrors, counts(100, 6));
        usual.observe(at(3700), counts(1, 0), counts(1, 0), acceptance(false));
        assert!(!usual.await_effect(counts(20, 2)), "too long ago");
    }
}

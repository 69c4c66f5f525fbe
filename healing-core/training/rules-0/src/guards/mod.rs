//! Guards: everything that can forbid a treatment and must survive the doctor's process. Permission
//! always wins: over rules, over models.
//!
//! | file | guard |
//! |---|---|
//! | `veto` | the vetoes of one proposal, each a line; the gravest is the headline |
//! | `budget` | restarts in a time |
//! | `cooldown` | pauses after treatments |
//! | `escalation` | order of treatments, and attempts |
//! | `splay` | random delay of a first restart |
//! | `probation` | outcome of the last treatment |

mod budget;
mod cooldown;
mod escalation;
mod probation;
mod splay;
mod veto;

use serde::{Deserialize, Serialize};

use self::budget::Budget;
use self::cooldown::Cooldown;
use self::escalation::Escalation;
use self::probation::{Probation, ProbationInput};
use self::splay::RestartSplay;
use self::veto::{VetoInput, vetoes};
use crate::config::{PermissionConfig, PolicyConfig};
use crate::decision::{
    Action, Conclusion, Lane, Outcome, Reason, Treatment, TreatmentResult, Vetoes,
};
use crate::observation::Circumstances;
use crate::policy::proposer::Proposal;
use crate::policy::reading::Reading;
use crate::rng::Rng;
use crate::time::Time;

/// Memory of the guards. All of it is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Guards {
    rng: Rng,
    budget: Budget,
    cooldown: Cooldown,
    escalation: Escalation,
    splay: RestartSplay,
    probation: Probation,
}

/// Permission for a proposal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permission {
    pub(crate) vetoes: Vetoes,
    pub(crate) budget_remaining: u32,
}

// === impl Guards ===

impl Guards {
    /// Returns guards without any treatment to remember; the seed gives the jitter.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            budget: Budget::new(),
            cooldown: Cooldown::default(),
            escalation: Escalation::default(),
            splay: RestartSplay::default(),
            probation: Probation::default(),
        }
    }

    /// Concludes the treatment on probation, if this poll decides its outcome.
    pub(crate) fn conclude(
        &mut self,
        now: Time,
        reading: &Reading,
        config: &PolicyConfig,
    ) -> Option<Conclusion> {
        if reading.restarted {
            self.on_app_start(now);
        }
        let reported = reading.lane == Lane::Reported;
        let input = ProbationInput {
            healthy: reading.healthy,
            ready: reported && reading.ready,
            symptomatic: reading.soft_symptom.is_some() || reading.hard_symptom.is_some(),
            unresponsive: reading.unresponsive.is_some(),
            error_ratio: reading.error_ratio,
        };
        let concluded = self.probation.judge(now, input, &config.outcome);
        if let Some(Conclusion {
            action, outcome, ..
        }) = concluded
        {
            self.escalation.judge(action, outcome, &config.permission);
            if outcome == Outcome::Recovered {
                self.cooldown.recovered(action);
            }
        }
        if reading.long_healthy {
            self.escalation.reset();
            self.cooldown.reset();
        }
        concluded
    }

    /// Evaluates every veto of a proposal.
    pub(crate) fn permit(
        &mut self,
        now: Time,
        proposal: &Proposal,
        reading: &Reading,
        circumstances: Circumstances,
        config: &PermissionConfig,
    ) -> Permission {
        let action = proposal.action;
        let budget_remaining = self.budget.remaining(now, config);
        let mut vetoes = vetoes(&VetoInput {
            action,
            circumstances,
            app_draining: reading.draining,
            mature: reading.mature,
            dependency_down: reading.dependency_down,
            overloaded: reading.overloaded,
            attempts_spent: action == Action::ResetErrors && !self.escalation.allows_soft(config),
            cooling_down: self.cooldown.holds(action, proposal.hang, now),
            budget_remaining,
        });
        let is_splayed = action == Action::RestartService
            && !proposal.hang
            && !proposal.urgent
            && vetoes.is_empty()
            && self.escalation.is_first_restart();
        if !is_splayed {
            self.splay.reset();
        } else if self.splay.holds(now, config.splay, &mut self.rng) {
            vetoes.insert(Reason::Splay);
        }
        Permission {
            vetoes,
            budget_remaining,
        }
    }

    /// Records the caller's report of a treatment. `error_ratio` is that of the latest poll.
    pub(crate) fn report_treatment(
        &mut self,
        now: Time,
        report: Treatment,
        error_ratio: Option<f64>,
        config: &PermissionConfig,
    ) {
        let Treatment { action, result } = report;
        let continues = result != TreatmentResult::Started
            && self.probation.is_in_progress()
            && self.probation.action() == Some(action);
        let began = result != TreatmentResult::Aborted;
        // A soft heal that could not even begin is not tried again at every poll.
        if !continues && (began || action == Action::ResetErrors) {
            self.cooldown.start(action, now, config, &mut self.rng);
            if action == Action::RestartService {
                self.budget.spend(now);
            }
        }
        self.probation.report(now, report, error_ratio);
        self.splay.reset();
    }

    /// Returns the treatment that is carried out or verified.
    pub(crate) fn awaiting(&self) -> Option<Action> {
        self.probation.action()
    }

    /// Reports if a treatment is being carried out: the app cannot be judged yet.
    pub(crate) fn is_treating(&self) -> bool {
        self.probation.is_in_progress()
    }

    /// Reports if soft heals have failed often enough for a hard heal.
    pub(crate) fn allows_restart(&self, by_model: bool, config: &PermissionConfig) -> bool {
        self.escalation.allows_restart(by_model, config)
    }

    /// Reports if hard heals have failed as often as they may.
    pub(crate) fn restarts_failed(&self, config: &PermissionConfig) -> bool {
        self.escalation.restarts_failed(config)
    }

    /// Reports if every treatment has failed as often as it may.
    pub(crate) fn attempts_exhausted(&self, config: &PermissionConfig) -> bool {
        self.escalation.attempts_exhausted(config)
    }

    /// Another process of the app answers. Unless the restart was a treatment, escalation starts over.
    fn on_app_start(&mut self, now: Time) {
        let is_treatment = self.probation.is_in_progress();
        self.probation.app_started(now);
        if !is_treatment {
            self.escalation.reset();
        }
    }
}

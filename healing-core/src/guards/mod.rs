//! Guards: persistent state that can veto a treatment. Guards override both rules and models.
//!
//! | file | guard |
//! |---|---|
//! | `veto` | vetoes of one proposal, one per line; the most severe is reported as the reason |
//! | `budget` | restarts per time window |
//! | `cooldown` | pauses after treatments |
//! | `escalation` | order of treatments and number of attempts |
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
    Action, Conclusion, Lane, Outcome, Reason, TreatmentReport, TreatmentResult, Vetoes,
};
use crate::observation::Circumstances;
use crate::proposal::Proposal;
use crate::reading::Reading;
use crate::rng::Rng;
use crate::time::Time;

/// State of all guards. All of it is persisted.
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
    /// Returns guards with no history. `seed` seeds the jitter.
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
        // Only a restart is expected to end the instance; after a soft heal, the app died.
        let restarted_by_others = reading.restarted && !self.probation.is_awaiting_start();
        if reading.restarted {
            self.probation.app_started(now);
        }
        let reported = reading.lane == Lane::Reported;
        let input = ProbationInput {
            healthy: reading.healthy,
            effect_pending: reading.impairment.pending,
            ready: reported && reading.has_been_ready && !reading.front_door_fails,
            treatment_justified: reading.soft_evidence.is_some() || reading.hard_evidence.is_some(),
            unresponsive: reading.unresponsive.is_some(),
            error_ratio: reading.error_ratio,
        };
        let concluded = self.probation.evaluate(now, input, &config.outcome);
        if let Some(Conclusion {
            action, outcome, ..
        }) = concluded
        {
            self.escalation.record(action, outcome, &config.permission);
            if outcome == Outcome::Recovered {
                self.cooldown.record_recovery(action);
            }
        }
        if restarted_by_others {
            // The treatments, including the one that was just concluded, were those of another instance.
            self.escalation.reset();
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
        let budget_remaining = self.budget_remaining(now, config);
        // A soft heal cannot help an unresponsive app, and the evidence of an impairment waits for its effect.
        let independent = proposal.unresponsive || proposal.reason.is_impairment();
        let mut vetoes = vetoes(&VetoInput {
            action,
            circumstances,
            app_draining: reading.draining,
            mature: reading.mature,
            dependency_down: reading.dependency_down,
            load: load_vetoes(proposal, reading),
            wedged: reading.lane == Lane::Stalled,
            attempts_exhausted: action == Action::ResetErrors
                && !self.escalation.allows_soft(config),
            cooling_down: self.cooldown.is_active(action, independent, now),
            budget_remaining,
        });
        let is_splayed = action == Action::RestartService
            && !proposal.unresponsive
            && !proposal.urgent
            && vetoes.is_empty()
            && self.escalation.is_first_restart();
        if !is_splayed {
            self.splay.reset();
        } else if self.splay.is_active(now, config.splay, &mut self.rng) {
            vetoes.insert(Reason::Splay);
        }
        Permission {
            vetoes,
            budget_remaining,
        }
    }

    /// Returns the number of restarts that the budget still allows.
    pub(crate) fn budget_remaining(&self, now: Time, config: &PermissionConfig) -> u32 {
        self.budget.remaining(now, config)
    }

    /// Records the caller's report of a treatment. `error_ratio` is taken from the latest
    /// poll.
    pub(crate) fn report_treatment(
        &mut self,
        now: Time,
        report: TreatmentReport,
        error_ratio: Option<f64>,
        config: &PermissionConfig,
    ) {
        let TreatmentReport { action, result } = report;
        let continues = result != TreatmentResult::Started
            && self.probation.is_in_progress()
            && self.probation.action() == Some(action);
        let started = result != TreatmentResult::Aborted;
        // A soft heal that was aborted before it started is not retried at every poll.
        if !continues && (started || action == Action::ResetErrors) {
            self.cooldown.start(action, now, config, &mut self.rng);
            if action == Action::RestartService {
                self.budget.spend(now);
            }
        }
        self.probation.report(now, report, error_ratio);
        self.splay.reset();
    }

    /// Returns the treatment that is in progress or on probation.
    pub(crate) fn current_treatment(&self) -> Option<Action> {
        self.probation.action()
    }

    /// Returns `true` if a treatment is in progress, so that the app cannot be evaluated yet.
    pub(crate) fn is_treating(&self) -> bool {
        self.probation.is_in_progress()
    }

    /// Returns `true` if soft heals have failed often enough for a hard heal.
    pub(crate) fn allows_restart(&self, by_model: bool, config: &PermissionConfig) -> bool {
        self.escalation.allows_restart(by_model, config)
    }

    /// Returns `true` if hard heals have reached the allowed number of failures.
    pub(crate) fn restarts_failed(&self, config: &PermissionConfig) -> bool {
        self.escalation.restarts_failed(config)
    }

    /// Returns `true` if every kind of treatment has reached the allowed number of failures.
    pub(crate) fn attempts_exhausted(&self, config: &PermissionConfig) -> bool {
        self.escalation.attempts_exhausted(config)
    }
}

/// Returns the vetoes of the load that concern the proposal. Panics are not explained by load.
fn load_vetoes(proposal: &Proposal, reading: &Reading) -> Vetoes {
    let vetoes = reading.impairment.vetoes;
    let of_load = vetoes.without(&[Reason::RestartDoesNotHelp]);
    match proposal.reason {
        reason if reason.is_loss_of_goodput() && proposal.action == Action::RestartService => {
            vetoes
        }
        reason if reason.is_loss_of_goodput() => of_load,
        // Requests that queue take memory and descriptors. If they are not the cause, the kernel's kill costs
        // a loaded app little more than a restart.
        Reason::LimitForecast => of_load,
        // A runtime whose threads wait for a CPU ticks late. Threads that are blocked do not wait for one.
        Reason::RuntimeStalled => {
            let mut vetoes = Vetoes::NONE;
            vetoes.insert_if(reading.starving, Reason::Starved);
            vetoes
        }
        _ => Vetoes::NONE,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::impairment::Assessment;
    use crate::observation::Mode;

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    fn report(guards: &mut Guards, now: Time, action: Action, result: TreatmentResult) {
        let config = PermissionConfig::default();
        guards.report_treatment(now, TreatmentReport { action, result }, None, &config);
    }

    fn permit(guards: &mut Guards, now: Time, proposal: &Proposal) -> Permission {
        let circumstances = Circumstances {
            mode: Mode::Enforce,
            ..Circumstances::default()
        };
        let reading = Reading {
            mature: true,
            ..Reading::unknown(Lane::Reported)
        };
        let config = PermissionConfig::default();
        guards.permit(now, proposal, &reading, circumstances, &config)
    }

    fn restart() -> Proposal {
        Proposal {
            action: Action::RestartService,
            ..Proposal::none(Reason::SoftHealFailed)
        }
    }

    #[test]
    fn first_restart_is_splayed_and_then_permitted() {
        let mut guards = Guards::new(7);
        let first = permit(&mut guards, at(0), &restart());
        assert_eq!(first.vetoes.headline(), Some(Reason::Splay));
        let later = permit(&mut guards, at(20), &restart());
        assert!(later.vetoes.is_empty());
    }

    #[test]
    fn restarts_of_unresponsive_apps_and_urgent_restarts_are_not_splayed() {
        for (unresponsive, urgent) in [(true, false), (false, true)] {
            let proposal = Proposal {
                unresponsive,
                urgent,
                ..restart()
            };
            let permission = permit(&mut Guards::new(7), at(0), &proposal);
            assert!(permission.vetoes.is_empty());
        }
    }

    #[test]
    fn load_vetoes_what_it_explains() {
        let mut load = Vetoes::NONE;
        load.insert(Reason::Saturated);
        load.insert(Reason::RestartDoesNotHelp);
        let reading = Reading {
            impairment: Assessment {
                vetoes: load,
                ..Assessment::default()
            },
            ..Reading::unknown(Lane::Reported)
        };
        let vetoes = |action, reason, starving| {
            let proposal = Proposal {
                action,
                ..Proposal::none(reason)
            };
            let reading = Reading {
                starving,
                ..reading.clone()
            };
            load_vetoes(&proposal, &reading).iter().collect::<Vec<_>>()
        };
        let restart = Action::RestartService;
        let (saturated, no_help) = (Reason::Saturated, Reason::RestartDoesNotHelp);
        let all = vetoes(restart, Reason::Impaired, false);
        assert_eq!(all, load.iter().collect::<Vec<_>>());
        let soft = vetoes(Action::ResetErrors, Reason::Impaired, false);
        assert!(soft.contains(&saturated) && !soft.contains(&no_help));
        let forecast = vetoes(restart, Reason::LimitForecast, false);
        assert_eq!(forecast, [saturated], "queued requests take memory");
        let stall = |starving| vetoes(restart, Reason::RuntimeStalled, starving);
        assert_eq!(
            stall(true),
            [Reason::Starved],
            "the runtime waits for a CPU"
        );
        assert_eq!(stall(false), []);
        assert_eq!(vetoes(restart, Reason::RepeatedPanics, true), []);
    }

    #[test]
    fn budget_is_spent_when_a_restart_starts() {
        let mut guards = Guards::new(7);
        let restart_service = Action::RestartService;
        report(
            &mut guards,
            at(0),
            restart_service,
            TreatmentResult::Started,
        );
        report(
            &mut guards,
            at(1),
            restart_service,
            TreatmentResult::Aborted,
        );
        let permission = permit(&mut guards, at(1), &restart());
        assert_eq!(permission.budget_remaining, 2, "attempts count");
        assert!(permission.vetoes.contains(Reason::Cooldown));
    }

    #[test]
    fn aborted_soft_heal_starts_the_cooldown_but_aborted_restart_does_not() {
        for (action, cools_down) in [(Action::ResetErrors, true), (Action::RestartService, false)] {
            let mut guards = Guards::new(7);
            report(&mut guards, at(0), action, TreatmentResult::Aborted);
            let proposal = Proposal {
                action: Action::ResetErrors,
                ..Proposal::none(Reason::ErrorRatio)
            };
            let vetoes = permit(&mut guards, at(1), &proposal).vetoes;
            assert_eq!(vetoes.contains(Reason::Cooldown), cools_down);
        }
    }

    #[test]
    fn app_start_resets_escalation_unless_caused_by_treatment() {
        let config = PolicyConfig::default();
        for (action, is_reset) in [(None, true), (Some(Action::RestartService), false)] {
            let mut guards = Guards::new(7);
            for _ in 0..2 {
                let outcome = Outcome::Ineffective;
                guards
                    .escalation
                    .record(Action::ResetErrors, outcome, &config.permission);
            }
            if let Some(action) = action {
                report(&mut guards, at(0), action, TreatmentResult::Started);
            }
            let reading = Reading {
                restarted: true,
                ..Reading::unknown(Lane::Reported)
            };
            guards.conclude(at(1), &reading, &config);
            let allows_restart = guards.allows_restart(false, &config.permission);
            assert_eq!(allows_restart, !is_reset);
        }
    }

    #[test]
    fn instance_started_by_others_has_no_failed_soft_heals() {
        let config = PolicyConfig::default();
        for result in [TreatmentResult::Started, TreatmentResult::Done] {
            let mut guards = Guards::new(7);
            report(&mut guards, at(0), Action::ResetErrors, result);
            let reading = Reading {
                restarted: true,
                ..Reading::unknown(Lane::Reported)
            };
            let concluded = guards.conclude(at(20), &reading, &config).unwrap();
            assert_eq!(concluded.outcome, Outcome::Worse);
            assert!(!guards.allows_restart(false, &config.permission));
        }
    }

    #[test]
    fn long_healthy_time_resets_escalation() {
        let config = PolicyConfig::default();
        let mut guards = Guards::new(7);
        guards
            .escalation
            .record(Action::ResetErrors, Outcome::Worse, &config.permission);
        let reading = Reading {
            long_healthy: true,
            ..Reading::unknown(Lane::Reported)
        };
        guards.conclude(at(1), &reading, &config);
        assert!(!guards.allows_restart(false, &config.permission));
    }
}

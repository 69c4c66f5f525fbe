//! The policy: one observation in, one decision out.
//!
//! ```text
//! observation ─► Tracker::observe ─► Reading ─► Proposer::propose ─► Proposal ─► Guards::permit ─► Decision
//!                (instance, windows,  (lane,      (rules, model)                 (vetoes, budget,
//!                 trends, detectors)   features,                                  cooldown, escalation,
//!                                      evidence)                                  splay)
//!                                        └► Guards::conclude: outcome of an earlier treatment
//! ```
//!
//! The policy is a pure function of its state, the time and the observation. The caller polls, carries out
//! [allowed](Verdict::Allowed) treatments, reports them with [`Policy::report_treatment`], and saves
//! [`Policy::state`] for the next process.
//!
//! | file | part |
//! |---|---|
//! | `tracker` | a poll from observation to reading; the health of the app over time |
//! | `state` | what is saved, with the known app |
//! | `reports` | the known instance by its reports: `instance` and `uptime`, `lifecycle`, `series`, `trends` |
//! | `windows`, `extraction` | windows and features of one poll |
//! | `detectors` | the detectors: `symptoms`, `limit`, and the impairment |
//! | `reset` | what a gap, a restart or a treatment clears |
//! | `proposer` | proposals, by the `justification` for a reported app, and by `rules` |
//!
//! | condition | soft heal | restart |
//! |---|---|---|
//! | more than 5 errors, ≥ 5 % of the requests, for 10 s | yes | no |
//! | the same, but no significantly larger share than treatments have left unchanged before | no | no |
//! | a route with ≥ 0.5 % of the requests fails entirely, although it has worked, for 10 s | twice | no, unless the other routes suffer too |
//! | ≥ 50 requests and > 10 % errors | for 10 s | significantly, for 20 s, after two soft heals (one, if a model votes for a restart) did not help |
//! | > 5 panics, ≥ 5 % of the requests, for 20 s | – | yes, after a soft heal for the errors |
//! | either of the last two, or soft heals that failed, in an instance that was never available | as above | no, because a restart does not repair a bad rollout |
//! | the front door refuses connections for 10 s, although it has answered and the care port responds | no | yes |
//! | the front door times out for 10 s, and demand behind it is not met | no | yes |
//! | the front door of an app that counts no requests times out for 30 s, and its CPU is not used up | no | yes |
//! | goodput far below the demand that the app has proved it can serve, for 10 s ([impairment](crate::impairment)) | yes | yes, or 60 s later if the loss is small |
//! | the same, although load is the cause: CPU or quota used up, or more requests than the app can serve after a surge | no | once, if goodput is almost gone for 300 s |
//! | memory or descriptors will reach their limit, and load is not the cause | no | at low load, or when the limit is imminent |
//! | the care thread proves that the runtime is stalled, no request begins or ends, and its threads do not wait for a CPU | no | yes, without a drain |
//! | no port responds for 10 s | no | yes, without a drain |
//! | connections are refused for 10 s although the same process is known to run | no | yes |
//! | an instance that declares that it is starting, or whose front door has not answered since it started | no | never for silence or for its front door |
//! | invalid responses, or high CPU or memory usage, latency or runtime lag alone | no | no |
//! | a poll in which the doctor was late | no | no |
//!
//! A doctor that starts while the app is silent does not know the instance, and restarts it only after a
//! report. Until then, the liveness probe of the care port is the safety net.
//!
//! These are the defaults of [`EvidenceConfig`](crate::config::EvidenceConfig) and
//! [`ImpairmentConfig`](crate::config::ImpairmentConfig). Both are subject to
//! the vetoes in [`Reason`], whose settings are in
//! [`PermissionConfig`](crate::config::PermissionConfig).
//!
//! # Hazards
//!
//! A restart must be reported as [`Started`](crate::decision::TreatmentResult::Started) and the state
//! saved *before* it is carried out, or the budget does not count it. A policy observes one app instance.
//! Each replica needs its own.

mod detectors;
mod extraction;
mod instance;
mod justification;
mod lifecycle;
mod limit;
pub(crate) mod proposer;
mod reports;
mod reset;
mod rules;
mod series;
mod state;
mod symptoms;
mod tracker;
mod trends;
mod uptime;
mod windows;

pub use self::proposer::{Proposer, min_expected_cost};
pub use self::state::PolicyState;

use self::tracker::Tracker;
use crate::config::PolicyConfig;
use crate::decision::{
    Action, Conclusion, Decision, Lane, Reason, TreatmentReport, TreatmentResult, Verdict, Vetoes,
};
use crate::explanation::Explanation;
use crate::features::Features;
use crate::forecast::{Forecast, Resource};
use crate::guards::{Guards, Permission};
use crate::impairment::Assessment;
use crate::observation::{Now, Observation};
use crate::proposal::Proposal;
use crate::reading::Reading;
use crate::time::{Clock, Time};

/// State machine of the [module](self).
#[derive(Debug)]
pub struct Policy {
    config: PolicyConfig,
    proposer: Proposer,
    clock: Clock,
    tracker: Tracker,
    guards: Guards,
}

// === impl Policy ===

impl Policy {
    /// Returns a policy without saved state. `seed` seeds its jitter; each replica needs a different one.
    #[must_use]
    pub fn new(config: PolicyConfig, proposer: Proposer, seed: u64) -> Self {
        Self {
            tracker: Tracker::new(state::KnownApp::new(), config.slow_window),
            guards: Guards::new(seed),
            clock: Clock::new(),
            config,
            proposer,
        }
    }

    /// Returns a policy that continues from a saved state.
    #[must_use]
    pub fn restore(config: PolicyConfig, proposer: Proposer, state: PolicyState, now: Now) -> Self {
        Self {
            tracker: Tracker::new(state.app, config.slow_window),
            guards: state.guards,
            clock: Clock::restore(state.clock, now),
            config,
            proposer,
        }
    }

    /// Evaluates a poll and decides.
    pub fn step(&mut self, now: Now, observation: &Observation) -> Decision {
        let time = self.clock.at(now);
        let config = &self.config;
        if observation.circumstances.late {
            return self.void(time);
        }
        let restarts_failed = self.guards.restarts_failed(&config.permission);
        let reading = self
            .tracker
            .observe(time, now.wall, observation, restarts_failed, config);
        let concluded = self.guards.conclude(time, &reading, config);
        let proposal = self.proposer.propose(&reading, &self.guards, config);
        let circumstances = observation.circumstances;
        let permission =
            self.guards
                .permit(time, &proposal, &reading, circumstances, &config.permission);
        let Reading {
            lane,
            features,
            impairment,
            worst_route,
            ..
        } = reading;
        let measured = Measured {
            lane,
            features,
            impairment,
            worst_route,
        };
        decision(measured, &proposal, permission, concluded)
    }

    /// Returns the decision of a poll in which the doctor was late. It changes no state.
    fn void(&self, time: Time) -> Decision {
        let permission = Permission {
            vetoes: Vetoes::NONE,
            budget_remaining: self.guards.budget_remaining(time, &self.config.permission),
        };
        let proposal = Proposal::none(Reason::DoctorLate);
        let measured = Measured {
            lane: Lane::Late,
            features: Features::EMPTY,
            impairment: Assessment::default(),
            worst_route: None,
        };
        decision(measured, &proposal, permission, None)
    }

    /// Records the caller's report of a treatment. An action that is not reported counts as not
    /// started.
    pub fn report_treatment(&mut self, now: Now, report: TreatmentReport) {
        let time = self.clock.at(now);
        if report.action == Action::NoAction {
            return;
        }
        let error_ratio = self.tracker.error_ratio();
        self.guards
            .report_treatment(time, report, error_ratio, &self.config.permission);
        if report.result != TreatmentResult::Aborted {
            self.tracker
                .on_treatment(time, report.action, self.config.slow_window);
        }
    }

    /// Returns the state to save for the next process.
    #[must_use]
    pub fn state(&self) -> PolicyState {
        PolicyState {
            clock: self.clock.last(),
            guards: self.guards.clone(),
            app: self.tracker.known_app().clone(),
        }
    }

    /// Returns the explanation of a decision, as data and as a sentence.
    #[must_use]
    pub fn explain(&self, decision: &Decision) -> Explanation {
        Explanation::of(decision, self.proposer.contributions(decision))
    }

    /// Returns the settings.
    #[must_use]
    pub fn config(&self) -> &PolicyConfig {
        &self.config
    }

    /// Returns the proposer.
    #[must_use]
    pub fn proposer(&self) -> &Proposer {
        &self.proposer
    }

    /// Returns the forecast of a resource. `None` if its usage does not rise.
    #[must_use]
    pub fn forecast(&self, resource: Resource) -> Option<&Forecast> {
        self.tracker.forecast(resource)
    }
}

/// Figures of a poll, as they are recorded.
#[derive(Clone, Copy)]
struct Measured {
    lane: Lane,
    features: Features,
    impairment: Assessment,
    worst_route: Option<u8>,
}

/// Combines the results of a step.
fn decision(
    measured: Measured,
    proposal: &Proposal,
    permission: Permission,
    concluded: Option<Conclusion>,
) -> Decision {
    let Measured {
        lane,
        features,
        impairment,
        worst_route,
    } = measured;
    let Permission {
        vetoes,
        budget_remaining,
    } = permission;
    let verdict = match (proposal.action, vetoes.headline()) {
        (Action::NoAction, _) => Verdict::NoProposal,
        (_, None) => Verdict::Allowed,
        (_, Some(_)) => Verdict::Vetoed,
    };
    Decision {
        lane,
        proposed: proposal.action,
        action: if verdict == Verdict::Allowed {
            proposal.action
        } else {
            Action::NoAction
        },
        verdict,
        reason: vetoes.headline().unwrap_or(proposal.reason),
        evidence: proposal.reason,
        vetoes,
        decided_by: proposal.decided_by,
        probabilities: proposal.probabilities,
        model: proposal.model,
        features,
        impairment,
        worst_route,
        wedged: lane == Lane::Stalled && proposal.action == Action::RestartService,
        budget_remaining,
        concluded,
    }
}

//! The policy: one observation in, one decision out.
//!
//! ```text
//! observation ─► Tracker::observe ─► Reading ─► Proposer::propose ─► Proposal ─► Guards::permit ─► Decision
//!                (instance, windows,  (lane,      (rules, model)                 (vetoes, budget,
//!                 trends, detectors)   features,                                  cooldown, escalation,
//!                                      evidence)                                  splay)
//!                                        └► Guards::conclude: outcome of an earlier treatment
//! ```
//! It is a pure function of its state, the time and the observation. The caller polls, carries out
//! [allowed](Verdict::Allowed) treatments, reports them with [`Policy::report_treatment`], and saves
//! [`Policy::state`] for the next process.
//!
//! | condition | soft heal | restart |
//! |---|---|---|
//! | more than 5 errors, ≥ 5 % of the requests, in 3 of 5 polls | yes | no |
//! | ≥ 50 requests and > 10 % errors | in 3 of 5 polls | in 5 consecutive polls, after two soft heals (one, if a model votes for a restart) did not help |
//! | > 5 panics, ≥ 5 % of the requests, for 5 polls and 20 s | – | yes, after a soft heal for the errors |
//! | the runtime ticks ≥ 0.3 s late, and clients are harmed, for 5 polls and 20 s | no | yes |
//! | ≥ 85 % CPU at ≤ 1.8 times the usual load, not in the batch hours, and clients are harmed, for 5 polls and 20 s | no | yes |
//! | any of these three, or soft heals that failed, in an instance that was never available | as above | no, because a restart does not repair a bad rollout |
//! | memory or descriptors will reach their limit | no | at low load, or when the limit is imminent |
//! | the runtime is stalled, the front door times out, or the app is unresponsive, for 10 s | no | yes, without a drain |
//! | connections are refused for 30 s although the process is known to run | no | yes |
//! | invalid responses, or high CPU or memory usage alone | no | no |
//!
//! These are the defaults of [`EvidenceConfig`](crate::config::EvidenceConfig). Both are subject to
//! the vetoes in [`Reason`](crate::decision::Reason), whose settings are in
//! [`PermissionConfig`](crate::config::PermissionConfig).
//!
//! # Hazards
//!
//! A restart must be reported as [`Started`](crate::decision::TreatmentResult::Started) and the state
//! saved *before* it is carried out, or the budget does not count it. A policy observes one app instance.
//! Each replica needs its own.

mod extraction;
mod instance;
pub(crate) mod proposer;
mod reset;
mod rules;
mod state;
mod symptoms;
mod tracker;
mod trends;
mod windows;

pub use self::proposer::{Proposer, min_expected_cost};
pub use self::state::PolicyState;

use self::tracker::Tracker;
use crate::config::PolicyConfig;
use crate::decision::{
    Action, Conclusion, Decision, Lane, TreatmentReport, TreatmentResult, Verdict,
};
use crate::explanation::Explanation;
use crate::forecast::{Forecast, Resource};
use crate::guards::{Guards, Permission};
use crate::observation::{Now, Observation};
use crate::proposal::Proposal;
use crate::reading::Reading;
use crate::time::Clock;

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
        let reading = self.tracker.observe(time, now.wall, observation, config);
        let concluded = self.guards.conclude(time, &reading, config);
        let proposal = self.proposer.propose(&reading, &self.guards, config);
        let circumstances = observation.circumstances;
        let permission =
            self.guards
                .permit(time, &proposal, &reading, circumstances, &config.permission);
        decision(&reading, &proposal, permission, concluded)
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
            self.tracker.on_treatment(time);
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

/// Combines the results of a step.
fn decision(
    reading: &Reading,
    proposal: &Proposal,
    permission: Permission,
    concluded: Option<Conclusion>,
) -> Decision {
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
        lane: reading.lane,
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
        features: reading.features,
        wedged: reading.lane == Lane::Stalled && proposal.action == Action::RestartService,
        budget_remaining,
        concluded,
    }
}

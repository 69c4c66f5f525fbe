//! The policy: one observation in, one decision out.
//!
//! ```text
//! observation ─► lane ─► window ─► features ─► evidence ─► brain ─► permission ─► decision
//!                                      outcome of an earlier treatment ┘
//! ```
//! It is a pure function of its state, the time it is told and what it is shown; the caller polls,
//! carries out what is [allowed](Verdict::Allowed), reports it by [`Policy::report_treatment`], and keeps
//! [`Policy::state`] where the next process finds it.
//!
//! | when | soft heal | restart |
//! |---|---|---|
//! | more than 5 errors, ≥ 5 % of the requests, in 3 of 5 polls | yes | no |
//! | ≥ 50 requests and > 10 % errors | in 3 of 5 polls | in 5 polls in a row, after two soft heals (one, if a model asks for it) did not help |
//! | > 5 panics, ≥ 5 % of the requests, going on for 5 polls and 20 s | – | yes, after a soft heal for the errors |
//! | the runtime ticks ≥ 0.3 s late, and clients suffer, for 5 polls and 20 s | no | yes |
//! | ≥ 85 % CPU at ≤ 1.8 times the usual load, not at night, and clients suffer, for 5 polls and 20 s | no | yes |
//! | any of these three, or soft heals that failed, in an instance that never worked | as above | no: a bad rollout |
//! | memory or descriptors will hit their limit | no | at a quiet moment, or when time runs out |
//! | the runtime stalls, the front door hangs, or all is silent for 10 s | no | yes, without a drain |
//! | connections are refused for 30 s by a process known to live | no | yes |
//! | nonsense, or high CPU or memory alone | no | no |
//!
//! These are the defaults of [`EvidenceConfig`](crate::config::EvidenceConfig). What may forbid either
//! is the list of vetoes in [`Reason`], limited by
//! [`PermissionConfig`](crate::config::PermissionConfig).
//!
//! Hazards: a restart must be reported as [`Started`](TreatmentResult::Started) and the state saved
//! *before* it is carried out, else the budget forgets it. A policy watches one app instance at a
//! time: give each replica its own.

mod answer;
mod figures;
mod propose;
mod seen;
mod state;

use propose::Proposal;
use seen::Seen;
use state::Durable;
pub use state::PolicyState;

use crate::brain::Proposer;
use crate::config::PolicyConfig;
use crate::decision::{
    Action, Conclusion, Decision, Lane, Outcome, Reason, Treatment, TreatmentResult, Verdict,
    Vetoes,
};
use crate::evidence::Symptoms;
use crate::explanation::Explanation;
use crate::features::Features;
use crate::forecast::{Forecast, Resource};
use crate::lane::{Classified, classify};
use crate::observation::{Circumstances, Now, Observation, ProbeResult};
use crate::outcome::Poll;
use crate::permission::veto::{Case, vetoes};
use crate::time::{Clock, Time};

/// The state machine: see the [module](self).
#[derive(Debug)]
pub struct Policy {
    config: PolicyConfig,
    brain: Proposer,
    clock: Clock,
    /// What outlives the process.
    durable: Durable,
    /// What this process has seen of the app.
    seen: Seen,
}

// === impl Policy ===

impl Policy {
    /// A policy that knows nothing yet. The seed gives its jitter: another one for each replica.
    #[must_use]
    pub fn new(config: PolicyConfig, brain: Proposer, seed: u64) -> Self {
        Self::with(config, brain, Clock::new(), Durable::new(seed))
    }

    /// A policy that goes on from a saved state.
    #[must_use]
    pub fn restore(config: PolicyConfig, brain: Proposer, state: PolicyState, now: Now) -> Self {
        let clock = Clock::restore(state.reading, now);
        Self::with(config, brain, clock, state.durable)
    }

    fn with(config: PolicyConfig, brain: Proposer, clock: Clock, durable: Durable) -> Self {
        let seen = Seen::new(config.slow_window);
        Self {
            config,
            brain,
            clock,
            durable,
            seen,
        }
    }

    /// Looks at a poll and decides.
    pub fn step(&mut self, now: Now, observation: &Observation) -> Decision {
        let wall = now.wall;
        let now = self.clock.at(now);
        let classified = classify(observation);
        let is_new = self.seen.last_poll.is_none_or(|last| now > last);
        if is_new {
            self.begin_poll(now);
        }
        let is_news = self.take_answer(now, &observation.care, is_new);
        let features = self.figures(now, wall, observation);
        if is_new && is_news {
            self.observe(now, classified, observation, &features);
        }
        let symptoms = self.symptoms(classified, observation.circumstances, false);
        let concluded = self.conclude(now, classified, symptoms);
        let proposal = match classified.lane {
            _ if !is_news => Proposal::none(Reason::StaleAnswer),
            Lane::Reported => self.propose_reported(now, &features, observation.circumstances),
            _ => self.propose_silent(classified, symptoms),
        };
        self.remember_health(now, classified);
        self.decide(
            now,
            classified.lane,
            proposal,
            observation.circumstances,
            features,
            concluded,
        )
    }

    /// Takes the caller's report of a treatment. Without it the policy takes the action as not begun.
    pub fn report_treatment(&mut self, now: Now, report: Treatment) {
        let now = self.clock.at(now);
        let Treatment { action, result } = report;
        if action == Action::NoAction {
            return;
        }
        let durable = &mut self.durable;
        let goes_on = result != TreatmentResult::Started
            && durable.probation.is_carried()
            && durable.probation.action() == Some(action);
        let began = result != TreatmentResult::Aborted;
        // A soft heal that could not even begin is not tried again at every poll.
        if !goes_on && (began || action == Action::ResetErrors) {
            durable
                .cooldown
                .start(action, now, &self.config.permission, &mut durable.rng);
            if action == Action::RestartService {
                durable.budget.spend(now);
            }
        }
        durable
            .probation
            .report(now, report, self.seen.errors.error_ratio());
        durable.splay.forget();
        if began {
            durable.last_treated = Some(now);
            self.seen.cut();
        }
    }

    /// What must be kept for the next process.
    #[must_use]
    pub fn state(&self) -> PolicyState {
        PolicyState {
            reading: self.clock.last(),
            durable: self.durable.clone(),
        }
    }

    /// Says in data and in a sentence why a decision came out as it did.
    #[must_use]
    pub fn explain(&self, decision: &Decision) -> Explanation {
        Explanation::of(decision, &self.brain)
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &PolicyConfig {
        &self.config
    }

    /// Who proposes.
    #[must_use]
    pub fn brain(&self) -> &Proposer {
        &self.brain
    }

    /// The growth of a resource and when it hits its limit, where it grows steadily.
    #[must_use]
    pub fn forecast(&self, resource: Resource) -> Option<&Forecast> {
        match resource {
            Resource::Memory => self.seen.memory.forecast(),
            Resource::FileDescriptors => self.seen.file_descriptors.forecast(),
        }
    }

    /// A gap in which nothing was seen is no time in which anything lasted.
    fn begin_poll(&mut self, now: Time) {
        let gap = self.config.slow_window.saturating_mul(2);
        if self
            .seen
            .last_poll
            .is_some_and(|last| now.since(last) > gap)
        {
            self.seen.cut_evidence();
            self.seen.silence.cut();
            self.seen.alarms = 0;
            self.seen.healthy_since = None;
        }
    }

    fn is_healthy(&self, classified: Classified) -> bool {
        classified.lane == Lane::Reported && self.seen.ready && !self.seen.is_symptomatic()
    }

    /// Judges an earlier treatment.
    fn conclude(
        &mut self,
        now: Time,
        classified: Classified,
        symptoms: Symptoms,
    ) -> Option<Conclusion> {
        let silent = classified.lane != Lane::Reported && symptoms.hard.is_some();
        let poll = Poll {
            healthy: self.is_healthy(classified),
            ready: classified.lane == Lane::Reported && self.seen.ready,
            ill: symptoms.soft.is_some() || self.troubled(classified.lane).is_some(),
            silent,
            error_ratio: self.seen.errors.error_ratio(),
        };
        let concluded = self
            .durable
            .probation
            .judge(now, poll, &self.config.outcome)?;
        self.durable
            .escalation
            .judge(concluded.action, concluded.outcome, &self.config.permission);
        if concluded.outcome == Outcome::Recovered {
            self.durable.cooldown.recovered(concluded.action);
        }
        Some(concluded)
    }

    /// Long health ends surrender and doubled pauses; healthy times are what is usual.
    fn remember_health(&mut self, now: Time, classified: Classified) {
        if !self.is_healthy(classified) {
            self.seen.healthy_since = None;
        } else if self.seen.last_poll.is_none_or(|last| now > last) {
            let since = *self.seen.healthy_since.get_or_insert(now);
            if now.since(since) >= self.config.outcome.reset_after {
                self.durable.escalation.forget();
                self.durable.cooldown.forget();
            }
            self.learn_usual(now);
        }
        self.seen.last_poll = self.seen.last_poll.max(Some(now));
    }

    /// Permission has the last word.
    fn decide(
        &mut self,
        now: Time,
        lane: Lane,
        proposal: Proposal,
        circumstances: Circumstances,
        features: Features,
        concluded: Option<Conclusion>,
    ) -> Decision {
        let budget_remaining = self.durable.budget.remaining(now, &self.config.permission);
        let vetoes = self.permit(now, &proposal, circumstances, budget_remaining);
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
            reason: vetoes.headline().unwrap_or(proposal.evidence),
            evidence: proposal.evidence,
            vetoes,
            decided_by: proposal.decided_by,
            probabilities: proposal.probabilities,
            features,
            wedged: lane == Lane::Stalled && proposal.action == Action::RestartService,
            budget_remaining,
            concluded,
        }
    }

    fn permit(
        &mut self,
        now: Time,
        proposal: &Proposal,
        circumstances: Circumstances,
        budget_remaining: u32,
    ) -> Vetoes {
        let Self {
            config,
            durable,
            seen,
            ..
        } = self;
        let case = Case {
            action: proposal.action,
            circumstances,
            app_draining: seen.draining,
            grown_up: seen.is_grown_up(now, config.permission.startup_grace),
            dependency_down: seen.dependencies.is_down(now),
            overloaded: seen.overloaded,
            repeated: proposal.action == Action::ResetErrors
                && !durable.escalation.allows_soft(&config.permission),
            cooling_down: durable.cooldown.holds(proposal.action, proposal.hang, now),
            budget_remaining,
        };
        let mut vetoes = vetoes(&case);
        let looks_again = proposal.action == Action::RestartService
            && !proposal.hang
            && !proposal.urgent
            && vetoes.is_empty()
            && durable.escalation.is_first_restart();
        if !looks_again {
            durable.splay.forget();
        } else if durable
            .splay
            .holds(now, config.permission.splay, &mut durable.rng)
        {
            vetoes.insert(Reason::Splay);
        }
        vetoes
    }
}

/// Whether the care port's answer carries a figure at all.
fn health_of(answer: &ProbeResult<crate::health::Health>) -> Option<&crate::health::Health> {
    match answer {
        ProbeResult::Valid(health, _) => Some(health),
        _ => None,
    }
}

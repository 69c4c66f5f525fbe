//! The policy: one observation in, one decision out.
//!
//! ```text
//! observation ─► lane ─► window ─► features ─► evidence ─► brain ─► permission ─► decision
//!                                      outcome of an earlier treatment ┘
//! ```
//! It is a pure function of its state, the time it is told and what it is shown; the caller polls,
//! carries out what is [allowed](Verdict::Allowed), reports it by [`Policy::treated`], and keeps
//! [`Policy::state`] where the next process finds it.
//!
//! Hazards: a restart must be reported as [`Started`](TreatmentResult::Started) and the state saved
//! *before* it is carried out, else the budget forgets it. A policy watches one app instance at a
//! time: give each replica its own.

mod answer;
mod figures;
mod state;

use std::time::Duration;

use state::Durable;
pub use state::PolicyState;

use crate::brain::{Brain, cheapest, rules};
use crate::config::{ModelRole, PolicyConfig};
use crate::decision::{
    Action, Conclusion, DecidedBy, Decision, Lane, Reason, Treatment, TreatmentResult, Verdict,
    Vetoes,
};
use crate::evidence::{Errors, Symptoms};
use crate::explanation::Explanation;
use crate::features::{Feature, Features};
use crate::forecast::{Forecast, Resource, Trend};
use crate::lane::{Classified, classify};
use crate::observation::{Answer, Circumstances, Now, Observation};
use crate::outcome::Poll;
use crate::permission::dependency::Dependencies;
use crate::permission::veto::{Case, vetoes};
use crate::silence::Silence;
use crate::time::{Clock, Time};
use crate::window::History;

/// The state machine: see the [module](self).
#[derive(Debug)]
pub struct Policy {
    config: PolicyConfig,
    brain: Brain,
    clock: Clock,
    /// What outlives the process.
    durable: Durable,
    /// What this process has seen of the app.
    seen: Seen,
}

/// Knowledge that is gained anew by each process: none of it can make a guard weaker by its absence.
#[derive(Debug)]
struct Seen {
    history: History,
    memory: Trend,
    file_descriptors: Trend,
    errors: Errors,
    silence: Silence,
    alarms: u32,
    dependencies: Dependencies,
    /// This instance has been ready.
    ready: bool,
    /// When this instance started.
    started: Option<Time>,
    draining: bool,
    uptime: f64,
    /// Answers out of order, in a row.
    late: u32,
    healthy_since: Option<Time>,
    last_poll: Option<Time>,
    overloaded: bool,
    quiet: bool,
}

/// What is proposed, and why.
#[derive(Debug, Clone, Copy)]
struct Proposal {
    action: Action,
    evidence: Reason,
    decided_by: DecidedBy,
    probabilities: Option<[f64; 3]>,
    hang: bool,
    urgent: bool,
}

// === impl Policy ===

impl Policy {
    /// A policy that knows nothing yet. The seed gives its jitter: another one for each replica.
    #[must_use]
    pub fn new(config: PolicyConfig, brain: Brain, seed: u64) -> Self {
        Self::with(config, brain, Clock::new(), Durable::new(seed))
    }

    /// A policy that goes on from a saved state.
    #[must_use]
    pub fn restore(config: PolicyConfig, brain: Brain, state: PolicyState, now: Now) -> Self {
        let clock = Clock::restore(state.reading, now);
        Self::with(config, brain, clock, state.durable)
    }

    fn with(config: PolicyConfig, brain: Brain, clock: Clock, durable: Durable) -> Self {
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
            _ if !is_news => Proposal::none(Reason::LateAnswer),
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
    pub fn treated(&mut self, now: Now, report: Treatment) {
        let now = self.clock.at(now);
        let Treatment { action, result } = report;
        if action == Action::NoAction {
            return;
        }
        let durable = &mut self.durable;
        let goes_on = result != TreatmentResult::Started
            && durable.probation.is_carried()
            && durable.probation.action() == Some(action);
        if !goes_on && result != TreatmentResult::Aborted {
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
        durable.look_again.forget();
        if result != TreatmentResult::Aborted {
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
    pub fn brain(&self) -> &Brain {
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
        let gap = self.config.slow_window * 2;
        if self
            .seen
            .last_poll
            .is_some_and(|last| now.since(last) > gap)
        {
            self.seen.errors.cut();
            self.seen.silence.cut();
            self.seen.alarms = 0;
            self.seen.healthy_since = None;
        }
    }

    /// The symptoms that have lasted long enough.
    fn symptoms(
        &self,
        classified: Classified,
        circumstances: Circumstances,
        asked_by_model: bool,
    ) -> Symptoms {
        let seen = &self.seen;
        let evidence = &self.config.evidence;
        if classified.lane != Lane::Reported {
            let alive = self.is_alive(circumstances);
            return Symptoms {
                soft: None,
                hard: seen.silence.hard(classified, alive, evidence),
            };
        }
        let soft = seen.errors.soft(evidence);
        let escalated = self
            .durable
            .ladder
            .allows_restart(asked_by_model, &self.config.permission);
        let hard = if self.foresees_limit() && (seen.quiet || self.is_urgent()) {
            Some(Reason::LimitForecast)
        } else {
            (soft.is_some() && escalated && seen.errors.ratio_lasts(evidence))
                .then_some(Reason::SoftHealFailed)
        };
        Symptoms { soft, hard }
    }

    fn is_alive(&self, circumstances: Circumstances) -> bool {
        circumstances.process_alive == Some(true) && self.seen.ready && !self.seen.draining
    }

    /// A limit has been foreseen for as many polls in a row as a hard heal needs.
    fn foresees_limit(&self) -> bool {
        self.seen.alarms >= self.config.evidence.hard_polls.max(1)
    }

    fn is_urgent(&self) -> bool {
        self.alarming()
            .any(|forecast| forecast.time_to_limit <= self.config.forecast.urgent)
    }

    fn alarming(&self) -> impl Iterator<Item = &Forecast> {
        [&self.seen.memory, &self.seen.file_descriptors]
            .into_iter()
            .filter_map(|trend| trend.forecast())
            .filter(|forecast| forecast.alarming)
    }

    fn is_healthy(&self, classified: Classified) -> bool {
        classified.lane == Lane::Reported && self.seen.ready && !self.seen.errors.is_symptomatic()
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
            ill: symptoms.soft.is_some(),
            silent,
            error_ratio: self.seen.errors.error_ratio(),
        };
        let concluded = self
            .durable
            .probation
            .judge(now, poll, &self.config.outcome)?;
        self.durable
            .ladder
            .judge(concluded.action, concluded.outcome, &self.config.permission);
        Some(concluded)
    }

    /// The silent lanes: the rules propose.
    fn propose_silent(&self, classified: Classified, symptoms: Symptoms) -> Proposal {
        let evidence = symptoms.hard.unwrap_or(match classified.lane {
            Lane::Refused if self.seen.ready => Reason::AppDown,
            Lane::Refused => Reason::Starting,
            Lane::Invalid => Reason::InvalidAnswer,
            _ => Reason::InsufficientEvidence,
        });
        Proposal {
            action: rules::propose(&symptoms),
            evidence,
            decided_by: DecidedBy::Rules,
            probabilities: None,
            hang: true,
            urgent: false,
        }
    }

    /// The reported lane: the brain proposes within what the evidence allows.
    fn propose_reported(
        &self,
        now: Time,
        features: &Features,
        circumstances: Circumstances,
    ) -> Proposal {
        let (wanted, decided_by, probabilities) = self.ask_brain(features);
        let mut proposal = Proposal {
            action: Action::NoAction,
            evidence: Reason::Healthy,
            decided_by,
            probabilities,
            hang: false,
            urgent: self.is_urgent(),
        };
        if decided_by == DecidedBy::OriginalRules {
            // Literally the original: no evidence, only permission.
            proposal.action = wanted.unwrap_or_default();
            if proposal.action != Action::NoAction {
                proposal.evidence = Reason::ErrorCount;
            }
            return proposal;
        }
        let reported = Classified {
            lane: Lane::Reported,
            silence: Reason::Healthy,
        };
        let asks_for_restart =
            decided_by == DecidedBy::Model && wanted == Some(Action::RestartService);
        let symptoms = self.symptoms(reported, circumstances, asks_for_restart);
        proposal.evidence = self.quiet_reason(now, &symptoms, wanted, features);
        if symptoms.hard == Some(Reason::LimitForecast) && !self.durable.probation.is_carried() {
            // A forecast is arithmetic: the model's votes are recorded, not asked.
            return Proposal {
                action: Action::RestartService,
                evidence: Reason::LimitForecast,
                decided_by: DecidedBy::Rules,
                ..proposal
            };
        }
        if proposal.evidence.kind() == crate::decision::ReasonKind::For {
            // Whether to act is the brain's to say, how strongly the ladder's.
            proposal.action = rules::propose(&symptoms);
        }
        proposal
    }

    /// What the brain would do (`None`: whatever the evidence allows), and who said so.
    fn ask_brain(&self, features: &Features) -> (Option<Action>, DecidedBy, Option<[f64; 3]>) {
        match &self.brain {
            Brain::Rules => (None, DecidedBy::Rules, None),
            Brain::Original => (
                Some(rules::original(features)),
                DecidedBy::OriginalRules,
                None,
            ),
            Brain::Model(model) => match model.votes(features) {
                Err(_) => (None, DecidedBy::Rules, None),
                Ok(votes) => {
                    let probabilities = votes.probabilities();
                    match self.config.model {
                        ModelRole::Advises => (None, DecidedBy::Rules, Some(probabilities)),
                        ModelRole::Decides => {
                            let action = cheapest(probabilities, &self.config.costs);
                            (Some(action), DecidedBy::Model, Some(probabilities))
                        }
                    }
                }
            },
        }
    }

    /// The evidence for an action, or the reason why there is none.
    fn quiet_reason(
        &self,
        now: Time,
        symptoms: &Symptoms,
        wanted: Option<Action>,
        features: &Features,
    ) -> Reason {
        let seen = &self.seen;
        let onset = seen.errors.onset().unwrap_or(now);
        let waits_for_checks = now.since(onset) < self.config.evidence.check_expiry
            && seen.dependencies.must_be_checked(onset);
        if !seen.ready {
            Reason::Starting
        } else if self.durable.probation.is_carried() {
            Reason::Probation
        } else if let Some(soft) = symptoms.soft {
            if self.durable.ladder.gave_up(&self.config.permission) {
                Reason::GaveUp
            } else if waits_for_checks {
                Reason::AwaitingChecks
            } else if wanted == Some(Action::NoAction) {
                Reason::ModelDeclined
            } else {
                symptoms.hard.unwrap_or(soft)
            }
        } else if self.alarming().next().is_some() {
            Reason::AwaitingQuiet
        } else if seen.errors.is_symptomatic() {
            Reason::InsufficientEvidence
        } else if self.durable.probation.is_open() {
            Reason::Probation
        } else if is_high(features) {
            Reason::ResourceUseOnly
        } else {
            Reason::Healthy
        }
    }

    /// Long health ends surrender and doubled pauses; healthy times are what is usual.
    fn remember_health(&mut self, now: Time, classified: Classified) {
        if !self.is_healthy(classified) {
            self.seen.healthy_since = None;
        } else if self.seen.last_poll.is_none_or(|last| now > last) {
            let since = *self.seen.healthy_since.get_or_insert(now);
            if now.since(since) >= self.config.outcome.forget {
                self.durable.ladder.forget();
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
            (Action::NoAction, _) => Verdict::Quiet,
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
                && !durable.ladder.allows_soft(&config.permission),
            cooling_down: durable.cooldown.holds(proposal.action, proposal.hang, now),
            budget_remaining,
        };
        let mut vetoes = vetoes(&case);
        let looks_again = proposal.action == Action::RestartService
            && !proposal.hang
            && !proposal.urgent
            && vetoes.is_empty()
            && durable.ladder.is_first_restart();
        if !looks_again {
            durable.look_again.forget();
        } else if durable
            .look_again
            .holds(now, config.permission.look_again, &mut durable.rng)
        {
            vetoes.insert(Reason::LookAgain);
        }
        vetoes
    }
}

/// CPU or memory so high that someone will ask why nothing is done.
fn is_high(features: &Features) -> bool {
    [Feature::CpuUsage, Feature::MemoryUsage]
        .into_iter()
        .any(|feature| features.get(feature).is_some_and(|percent| percent > 80.0))
}

// === impl Proposal ===

impl Proposal {
    fn none(evidence: Reason) -> Self {
        Self {
            action: Action::NoAction,
            evidence,
            decided_by: DecidedBy::Rules,
            probabilities: None,
            hang: false,
            urgent: false,
        }
    }
}

// === impl Seen ===

impl Seen {
    fn new(slow_window: Duration) -> Self {
        Self {
            history: History::new(slow_window),
            memory: Trend::new(Resource::Memory),
            file_descriptors: Trend::new(Resource::FileDescriptors),
            errors: Errors::default(),
            silence: Silence::default(),
            alarms: 0,
            dependencies: Dependencies::default(),
            ready: false,
            started: None,
            draining: false,
            uptime: 0.0,
            late: 0,
            healthy_since: None,
            last_poll: None,
            overloaded: false,
            quiet: false,
        }
    }

    /// At a treatment: only what comes after it is judged.
    fn cut(&mut self) {
        self.history.cut();
        self.errors.cut();
        self.silence.cut();
        self.alarms = 0;
        self.healthy_since = None;
        self.memory.cut();
        self.file_descriptors.cut();
    }

    fn is_grown_up(&self, now: Time, grace: Duration) -> bool {
        self.ready
            && self
                .started
                .is_some_and(|started| now.since(started) >= grace)
    }
}

/// Whether the care port's answer carries a figure at all.
fn health_of(answer: &Answer<crate::health::Health>) -> Option<&crate::health::Health> {
    match answer {
        Answer::Valid(health, _) => Some(health),
        _ => None,
    }
}

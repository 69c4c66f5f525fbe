//! Simulation of an app with faults, and of a caller that polls it and carries out the decisions.
#![allow(dead_code)] // each test binary uses a part

use std::time::Duration;

use healing_core::config::PolicyConfig;
use healing_core::decision::{
    Abstention, Action, Decision, TreatmentReport, TreatmentResult, Verdict,
};
use healing_core::features::Features;
use healing_core::health::{
    CheckKind, CheckReport, CheckState, Health, Latency, Runtime, Totals, Vitals,
};
use healing_core::model::{Classification, Classifier, Votes};
use healing_core::observation::{Circumstances, Mode, Now, Observation, ProbeResult};
use healing_core::policy::{Policy, Proposer};

/// Simulated app: its counters, and its faults.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) instance: u32,
    pub(crate) uptime: f64,
    pub(crate) started: bool,
    pub(crate) draining: bool,
    pub(crate) requests: f64,
    pub(crate) errors: f64,
    pub(crate) errors_at_heal: f64,
    pub(crate) in_flight: u64,
    /// Requests per second.
    pub(crate) rate: f64,
    /// Share of the requests that fail.
    pub(crate) failing: f64,
    /// Duration of a request, in seconds.
    pub(crate) seconds: f64,
    pub(crate) latency: [f64; 5],
    /// Share of the requests that panic; they fail too.
    pub(crate) panicking: f64,
    pub(crate) panics: f64,
    /// Lag of the runtime's ticks, in seconds.
    pub(crate) lag: f64,
    /// Latency of the care port, in seconds.
    pub(crate) care_seconds: f64,
    pub(crate) memory: f64,
    pub(crate) memory_per_second: f64,
    pub(crate) cpu: f64,
    pub(crate) dependency: Option<CheckState>,
    /// Age of the dependency's check, in seconds.
    pub(crate) check_age: f64,
    /// Set if the check has stopped running, so that its age grows.
    pub(crate) checks_stopped: bool,
    pub(crate) stalled: bool,
    pub(crate) front_door: ProbeResult<()>,
    /// Result of the care probe. `None` for the health report of the app.
    pub(crate) care: Option<ProbeResult<Health>>,
    /// Set if a soft heal stops the errors.
    pub(crate) soft_helps: bool,
    /// Set if a restart clears all faults.
    pub(crate) restart_helps: bool,
    /// Set if the app reports only the original system's five fields.
    pub(crate) five_fields: bool,
}

const BOUNDS: [f64; 4] = [0.005, 0.05, 0.5, 5.0];

impl App {
    pub(crate) fn healthy(rate: f64) -> Self {
        Self {
            instance: 1,
            uptime: 3600.0,
            started: true,
            draining: false,
            requests: 50_000.0,
            errors: 0.0,
            errors_at_heal: 0.0,
            in_flight: 1,
            rate,
            failing: 0.0,
            seconds: 0.003,
            latency: [0.0; 5],
            panicking: 0.0,
            panics: 0.0,
            lag: 0.001,
            care_seconds: 0.001,
            memory: 30.0,
            memory_per_second: 0.0,
            cpu: 20.0,
            dependency: None,
            check_age: 0.1,
            checks_stopped: false,
            stalled: false,
            front_door: ProbeResult::Valid((), Duration::from_millis(1)),
            care: None,
            soft_helps: false,
            restart_helps: true,
            five_fields: false,
        }
    }

    /// Advances the counters by some time.
    pub(crate) fn advance(&mut self, seconds: f64) {
        self.uptime += seconds;
        let rate = if self.stalled { 0.0 } else { self.rate };
        self.requests += rate * seconds;
        self.errors += rate * seconds * self.failing.max(self.panicking);
        self.panics += rate * seconds * self.panicking;
        let bucket = BOUNDS
            .iter()
            .position(|&bound| self.seconds <= bound)
            .unwrap_or(4);
        self.latency[bucket] += rate * seconds;
        self.memory = (self.memory + self.memory_per_second * seconds).min(100.0);
        if self.checks_stopped {
            self.check_age += seconds;
        }
    }

    /// Adds failed requests.
    pub(crate) fn simulate_errors(&mut self, count: f64) {
        self.requests += count;
        self.errors += count;
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn health(&self) -> Health {
        let error_count = (self.errors - self.errors_at_heal) as u64;
        if self.five_fields {
            return Health {
                cpu_usage: Some(self.cpu),
                memory_usage: Some(self.memory),
                error_count,
                uptime: self.uptime,
                ..Health::default()
            };
        }
        Health {
            cpu_usage: Some(self.cpu),
            memory_usage: Some(self.memory),
            error_count,
            uptime: self.uptime,
            instance_id: Some(format!("instance-{}", self.instance)),
            started: Some(self.started),
            draining: self.draining,
            totals: Totals {
                requests_total: Some(self.requests as u64),
                errors_total: Some(self.errors as u64),
                panics_total: Some(self.panics as u64),
                ..Totals::default()
            },
            in_flight: Some(self.in_flight),
            latency: Some(Latency {
                bounds_seconds: BOUNDS.to_vec(),
                counts: self.latency.iter().map(|&count| count as u64).collect(),
            }),
            vitals: Some(Vitals {
                open_fds: Some(40),
                max_fds: Some(1024),
                ..Vitals::default()
            }),
            runtime: Some(Runtime {
                stalled: self.stalled,
                workers: None,
                tick_age_seconds: if self.stalled { 1.0 } else { 0.01 },
                lag_seconds: self.lag,
            }),
            checks: self
                .dependency
                .iter()
                .map(|&state| dependency(state, self.check_age))
                .collect(),
            ..Health::default()
        }
    }

    /// Returns the result of a care probe with the health report of the app.
    pub(crate) fn care_result(&self) -> ProbeResult<Health> {
        ProbeResult::Valid(self.health(), Duration::from_secs_f64(self.care_seconds))
    }

    pub(crate) fn soft_heal(&mut self) {
        self.errors_at_heal = self.errors;
        if self.soft_helps {
            self.failing = 0.0;
        }
    }

    pub(crate) fn restart(&mut self) {
        let healthy = Self::healthy(self.rate);
        let fresh = Self {
            instance: self.instance + 1,
            uptime: 0.5,
            requests: 0.0,
            dependency: self.dependency,
            five_fields: self.five_fields,
            ..healthy
        };
        *self = if self.restart_helps {
            fresh
        } else {
            Self {
                failing: self.failing,
                panicking: self.panicking,
                seconds: self.seconds,
                lag: self.lag,
                cpu: self.cpu,
                restart_helps: false,
                ..fresh
            }
        };
    }
}

fn dependency(state: CheckState, age_seconds: f64) -> CheckReport {
    CheckReport {
        name: "db".into(),
        kind: CheckKind::Dependency,
        optional: false,
        state,
        age_seconds: Some(age_seconds),
        error: None,
    }
}

/// Classifier that always votes for one action, or abstains.
#[derive(Debug)]
pub(crate) struct FixedVotes(pub(crate) Option<Action>);

impl Classifier for FixedVotes {
    fn classify(&self, _: &Features) -> Classification {
        let votes = |action: Action| {
            let mut votes = [0; 3];
            votes[action as usize] = 100;
            Votes(votes)
        };
        self.0.map(votes).ok_or(Abstention::ModelError).into()
    }
}

/// App, policy and clock.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) policy: Policy,
    pub(crate) circumstances: Circumstances,
    pub(crate) now: Now,
    pub(crate) interval: Duration,
    /// Set if a soft heal cannot start: it is reported as aborted and does nothing.
    pub(crate) soft_heal_aborts: bool,
    /// Health report that may be replayed.
    pub(crate) captured: Option<Health>,
    /// Set if the next poll gets the captured report.
    pub(crate) replays: bool,
    /// Simulated time since the start.
    pub(crate) elapsed: Duration,
    /// All decisions, with their time in seconds since the start.
    pub(crate) decisions: Vec<(f64, Decision)>,
}

impl World {
    pub(crate) fn new(app: App) -> Self {
        Self::with(app, PolicyConfig::default(), Duration::from_secs(5))
    }

    pub(crate) fn demo(app: App) -> Self {
        Self::with(app, PolicyConfig::demo(), Duration::from_millis(250))
    }

    pub(crate) fn with(app: App, config: PolicyConfig, interval: Duration) -> Self {
        Self::of(app, Policy::new(config, Proposer::Rules, 7), interval)
    }

    pub(crate) fn of(app: App, policy: Policy, interval: Duration) -> Self {
        Self {
            app,
            policy,
            circumstances: Circumstances {
                mode: Mode::Enforce,
                ..Circumstances::default()
            },
            now: Now {
                monotonic: Duration::from_secs(1000),
                wall: Duration::from_secs(1_790_000_000),
            },
            interval,
            soft_heal_aborts: false,
            captured: None,
            replays: false,
            elapsed: Duration::ZERO,
            decisions: Vec::new(),
        }
    }

    pub(crate) fn observation(&self) -> Observation {
        let replayed = self.captured.clone().filter(|_| self.replays);
        let care = match replayed {
            Some(health) => Some(ProbeResult::Valid(health, Duration::from_millis(1))),
            None => self.app.care.clone(),
        };
        Observation {
            sockets: None,
            care: care.unwrap_or_else(|| self.app.care_result()),
            front_door: self.app.front_door.clone(),
            circumstances: self.circumstances,
        }
    }

    /// Advances the time without a poll.
    pub(crate) fn advance(&mut self, time: Duration) {
        self.elapsed += time;
        self.now.monotonic += time;
        self.now.wall += time;
        self.app.advance(time.as_secs_f64());
    }

    /// Polls once after an interval.
    pub(crate) fn poll(&mut self) -> Decision {
        self.advance(self.interval);
        self.observe()
    }

    /// Polls once and carries out the decision.
    pub(crate) fn observe(&mut self) -> Decision {
        let decision = self.policy.step(self.now, &self.observation());
        self.replays = false;
        self.carry_out(decision.action);
        let seconds = self.elapsed.as_secs_f64();
        self.decisions.push((seconds, decision.clone()));
        decision
    }

    fn carry_out(&mut self, action: Action) {
        let report = |result| TreatmentReport { action, result };
        match action {
            Action::NoAction => {}
            Action::ResetErrors if self.soft_heal_aborts => self
                .policy
                .report_treatment(self.now, report(TreatmentResult::Aborted)),
            Action::ResetErrors => {
                self.policy
                    .report_treatment(self.now, report(TreatmentResult::Started));
                self.app.soft_heal();
                self.policy
                    .report_treatment(self.now, report(TreatmentResult::Done));
            }
            Action::RestartService => {
                self.policy
                    .report_treatment(self.now, report(TreatmentResult::Started));
                self.app.restart();
            }
        }
    }

    /// Polls for a time and returns the decisions.
    pub(crate) fn run(&mut self, seconds: f64) -> Vec<Decision> {
        let from = self.decisions.len();
        let until = self.now.monotonic + Duration::from_secs_f64(seconds);
        while self.now.monotonic < until {
            self.poll();
        }
        self.decisions[from..]
            .iter()
            .map(|(_, decision)| decision.clone())
            .collect()
    }

    /// Replaces the policy with a new one that starts with the saved state.
    pub(crate) fn restart_doctor(&mut self) {
        let saved = serde_json::to_string(&self.policy.state()).unwrap();
        let state = serde_json::from_str(&saved).unwrap();
        self.now.monotonic = Duration::from_secs(3);
        let config = self.policy.config().clone();
        self.policy = Policy::restore(config, Proposer::Rules, state, self.now);
    }

    /// Returns the treatments that were carried out, in order, with their times.
    pub(crate) fn actions(&self) -> Vec<(f64, Action)> {
        self.decisions
            .iter()
            .filter(|(_, decision)| decision.action != Action::NoAction)
            .map(|(seconds, decision)| (*seconds, decision.action))
            .collect()
    }
}

/// Returns the actions of the allowed decisions.
pub(crate) fn actions(decisions: &[Decision]) -> Vec<Action> {
    decisions
        .iter()
        .filter(|decision| decision.verdict == Verdict::Allowed)
        .map(|decision| decision.action)
        .collect()
}

/// Polls once with this health report.
pub(crate) fn poll_with(world: &mut World, health: Health) -> Decision {
    world.app.care = Some(ProbeResult::Valid(health, Duration::from_millis(1)));
    let decision = world.poll();
    world.app.care = None;
    decision
}

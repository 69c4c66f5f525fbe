//! A world for the policy: an app with faults, a caller that polls it and does what is decided.

use std::time::Duration;

use healing_core::brain::Proposer;
use healing_core::config::PolicyConfig;
use healing_core::decision::{Action, Decision, Treatment, TreatmentResult, Verdict};
use healing_core::health::{
    CheckKind, CheckReport, CheckState, Health, Latency, Runtime, Totals, Vitals,
};
use healing_core::observation::{Circumstances, Mode, Now, Observation, ProbeResult};
use healing_core::policy::Policy;

/// How the app behaves at the moment.
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
    /// Requests per second, the share that fails, and how long they take.
    pub(crate) rate: f64,
    pub(crate) failing: f64,
    pub(crate) seconds: f64,
    pub(crate) latency: [f64; 5],
    /// The share of the requests that panic (they fail too), and how many did.
    pub(crate) panicking: f64,
    pub(crate) panics: f64,
    /// How late the runtime ticks, and how long the care port takes to answer, in seconds.
    pub(crate) lag: f64,
    pub(crate) care_seconds: f64,
    pub(crate) memory: f64,
    pub(crate) memory_per_second: f64,
    pub(crate) cpu: f64,
    pub(crate) dependency: Option<CheckState>,
    pub(crate) stalled: bool,
    pub(crate) front_door: ProbeResult<()>,
    pub(crate) silent: Option<ProbeResult<Health>>,
    /// Whether a soft heal or a restart ends the failing.
    pub(crate) soft_helps: bool,
    pub(crate) restart_helps: bool,
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
            stalled: false,
            front_door: ProbeResult::Valid((), Duration::from_millis(1)),
            silent: None,
            soft_helps: false,
            restart_helps: true,
        }
    }

    pub(crate) fn live(&mut self, seconds: f64) {
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
    }

    /// Requests that fail, on top of the load.
    pub(crate) fn simulate_errors(&mut self, count: f64) {
        self.requests += count;
        self.errors += count;
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn health(&self) -> Health {
        Health {
            cpu_usage: Some(self.cpu),
            memory_usage: Some(self.memory),
            error_count: (self.errors - self.errors_at_heal) as u64,
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
                tick_age_seconds: if self.stalled { 1.0 } else { 0.01 },
                lag_seconds: self.lag,
            }),
            checks: self
                .dependency
                .iter()
                .map(|&state| dependency(state))
                .collect(),
            ..Health::default()
        }
    }

    /// What the care port says.
    pub(crate) fn answers(&self) -> ProbeResult<Health> {
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

fn dependency(state: CheckState) -> CheckReport {
    CheckReport {
        name: "db".into(),
        kind: CheckKind::Dependency,
        state,
        age_seconds: Some(0.1),
        error: None,
    }
}

/// App, policy and clock.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) policy: Policy,
    pub(crate) circumstances: Circumstances,
    pub(crate) now: Now,
    pub(crate) interval: Duration,
    /// All decisions, with their time in seconds since the beginning.
    pub(crate) decisions: Vec<(f64, Decision)>,
    began: Duration,
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
        let now = Now {
            monotonic: Duration::from_secs(1000),
            wall: Duration::from_secs(1_790_000_000),
        };
        Self {
            app,
            policy,
            circumstances: Circumstances {
                mode: Mode::Enforce,
                ..Circumstances::default()
            },
            now,
            interval,
            decisions: Vec::new(),
            began: now.monotonic,
        }
    }

    pub(crate) fn observation(&self) -> Observation {
        let care = self
            .app
            .silent
            .clone()
            .unwrap_or_else(|| self.app.answers());
        Observation {
            care,
            front_door: self.app.front_door.clone(),
            circumstances: self.circumstances,
        }
    }

    /// One poll; what is decided is done at once.
    pub(crate) fn poll(&mut self) -> Decision {
        self.now.monotonic += self.interval;
        self.now.wall += self.interval;
        self.app.live(self.interval.as_secs_f64());
        let decision = self.policy.step(self.now, &self.observation());
        self.carry_out(decision.action);
        let seconds = (self.now.monotonic - self.began).as_secs_f64();
        self.decisions.push((seconds, decision.clone()));
        decision
    }

    fn carry_out(&mut self, action: Action) {
        let treated = |result| Treatment { action, result };
        match action {
            Action::NoAction => {}
            Action::ResetErrors => {
                self.policy
                    .report_treatment(self.now, treated(TreatmentResult::Started));
                self.app.soft_heal();
                self.policy
                    .report_treatment(self.now, treated(TreatmentResult::Done));
            }
            Action::RestartService => {
                self.policy
                    .report_treatment(self.now, treated(TreatmentResult::Started));
                self.app.restart();
            }
        }
    }

    /// Polls for a time; what was decided meanwhile.
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

    /// The doctor ends and another one starts with the saved state.
    pub(crate) fn restart_doctor(&mut self) {
        let saved = serde_json::to_string(&self.policy.state()).unwrap();
        let state = serde_json::from_str(&saved).unwrap();
        self.now.monotonic = Duration::from_secs(3);
        self.began = self.now.monotonic;
        let config = self.policy.config().clone();
        self.policy = Policy::restore(config, Proposer::Rules, state, self.now);
    }

    /// What was done, in order, with its time.
    pub(crate) fn actions(&self) -> Vec<(f64, Action)> {
        self.decisions
            .iter()
            .filter(|(_, decision)| decision.action != Action::NoAction)
            .map(|(seconds, decision)| (*seconds, decision.action))
            .collect()
    }
}

/// The actions of decisions that were allowed.
pub(crate) fn actions(decisions: &[Decision]) -> Vec<Action> {
    decisions
        .iter()
        .filter(|decision| decision.verdict == Verdict::Allowed)
        .map(|decision| decision.action)
        .collect()
}

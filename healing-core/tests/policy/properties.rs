//! Invariants of the guards, for every app, model and clock.
//!
//! The test makes ten thousand random runs with random faults of the app, polls at random intervals,
//! hostile models, operator actions, jumping wall clocks, and sidecar restarts. The checks do not read
//! the policy's state, but compare its decisions with its inputs.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use healing_core::config::{ModelRole, PolicyConfig};
use healing_core::decision::{
    Abstention, Action, DecidedBy, Decision, ModelRecord, Reason, ReasonKind, TreatmentReport,
    TreatmentResult, Verdict, Vetoes,
};
use healing_core::features::Features;
use healing_core::health::{
    CheckKind, CheckReport, CheckState, Health, Latency, Runtime, Totals, Vitals,
};
use healing_core::model::{Classification, Classifier, Votes};
use healing_core::observation::{
    Circumstances, InvalidAnswer, Mode, Now, Observation, ProbeResult,
};
use healing_core::policy::{Policy, PolicyState, Proposer};
use proptest::prelude::*;
use proptest::test_runner::{Config, FailurePersistence, FileFailurePersistence, TestRunner};

use crate::world::App;

/// Event in a run.
#[derive(Debug, Clone)]
enum Event {
    Polls {
        count: u8,
        interval_ms: u16,
    },
    Traffic {
        rate: f64,
        failing: f64,
        seconds: f64,
    },
    Panics(f64),
    Lag {
        runtime: f64,
        care_port: f64,
    },
    Cpu(f64),
    Leak(f64),
    Stall(bool),
    /// `None` leaves the front door unchanged.
    FrontDoor(Option<ProbeResult<()>>),
    /// `None` stands for the health report of the app.
    Care(Option<ProbeResult<()>>),
    Dependency(Option<bool>),
    Started(bool),
    AppDraining(bool),
    Restart,
    CounterReset,
    StaleReport,
    Circumstances(Circumstances),
    WallJump(i32),
    /// Sidecar restart that takes some milliseconds.
    DoctorRestarts(u16),
    /// Result of the next treatments.
    TreatmentResult(TreatmentResult),
}

fn event() -> impl Strategy<Value = Event> {
    let polls = (1..8_u8, 0..15_000_u16)
        .prop_map(|(count, interval_ms)| Event::Polls { count, interval_ms });
    let share = prop_oneof![Just(0.0), Just(0.005), 0.0..1.0, Just(1.0)];
    prop_oneof![
        6 => polls,
        4 => (0.0..500.0, share, 0.001..9.0).prop_map(|(rate, failing, seconds)| {
            Event::Traffic { rate, failing, seconds }
        }),
        1 => (0.0..2.0).prop_map(Event::Leak),
        1 => prop_oneof![Just(0.0), 0.0..1.0].prop_map(Event::Panics),
        1 => (0.0..2.0, 0.001..0.3).prop_map(|(runtime, care_port)| {
            Event::Lag { runtime, care_port }
        }),
        1 => (0.0..110.0).prop_map(Event::Cpu),
        3 => any::<bool>().prop_map(Event::Stall),
        1 => any::<u8>().prop_map(|kind| Event::FrontDoor(probe_result(kind))),
        1 => any::<u8>().prop_map(|kind| {
            // Many events restore the app's own report.
            Event::Care(probe_result(kind).filter(|_| kind > 60))
        }),
        1 => any::<Option<bool>>().prop_map(Event::Dependency),
        1 => any::<bool>().prop_map(Event::Started),
        1 => any::<bool>().prop_map(Event::AppDraining),
        1 => Just(Event::Restart),
        1 => Just(Event::CounterReset),
        1 => Just(Event::StaleReport),
        2 => any::<u8>().prop_map(|bits| Event::Circumstances(circumstances(bits))),
        1 => any::<i32>().prop_map(Event::WallJump),
        1 => any::<u16>().prop_map(Event::DoctorRestarts),
        1 => prop_oneof![
            Just(TreatmentResult::Done),
            Just(TreatmentResult::Failed),
            Just(TreatmentResult::Aborted)
        ].prop_map(Event::TreatmentResult),
    ]
}

/// Votes of a hostile model.
#[derive(Debug, Clone, Copy)]
enum HostileVotes {
    /// All votes are for a restart.
    Restart,
    /// The votes are random.
    Random,
    /// Half of the feature sets cannot be classified.
    SometimesNone,
    /// The sum of the votes is `u32::MAX`.
    Extreme,
}

/// Classifier whose votes depend only on the bits of the features and a seed.
#[derive(Debug, Clone, Copy)]
struct Hostile {
    votes: HostileVotes,
    seed: u8,
}

impl Classifier for Hostile {
    fn classify(&self, features: &Features) -> Classification {
        let bits = features
            .iter()
            .fold(u32::from(self.seed), |hash, (feature, value)| {
                (hash ^ value.to_bits() ^ feature as u32).wrapping_mul(0x9E37_79B1)
            });
        let votes = match self.votes {
            HostileVotes::Restart => Ok(Votes([0, 0, u32::MAX])),
            HostileVotes::Random => Ok(Votes([bits & 0xFF, bits >> 8 & 0xFF, bits >> 16 & 0xFF])),
            HostileVotes::SometimesNone if bits & 1 == 0 => Err(Abstention::AbsentFeature),
            HostileVotes::SometimesNone | HostileVotes::Extreme => Ok(Votes([0, bits, !bits])),
        };
        votes.into()
    }
}

/// Policy under test.
#[derive(Debug, Clone, Copy)]
struct Setup {
    proposer: ProposerKind,
    demo_profile: bool,
    permissive: bool,
    seed: u64,
}

/// Kind of the proposer under test.
#[derive(Debug, Clone, Copy)]
enum ProposerKind {
    Rules,
    Original,
    Model(Hostile),
}

impl Setup {
    /// Derives a setup from a random number.
    fn of(number: u8) -> Self {
        let seed = number / 6;
        let votes = match seed % 4 {
            0 => HostileVotes::Restart,
            1 => HostileVotes::Random,
            2 => HostileVotes::SometimesNone,
            _ => HostileVotes::Extreme,
        };
        Self {
            proposer: match number % 6 {
                0 => ProposerKind::Rules,
                1 => ProposerKind::Original,
                _ => ProposerKind::Model(Hostile { votes, seed }),
            },
            demo_profile: number & 1 != 0,
            permissive: number & 2 != 0,
            seed: number.into(),
        }
    }

    fn proposer(self) -> Proposer {
        match self.proposer {
            ProposerKind::Rules => Proposer::Rules,
            ProposerKind::Original => Proposer::Original,
            ProposerKind::Model(model) => Proposer::Model(Box::new(model)),
        }
    }

    fn policy(self) -> Policy {
        Policy::new(config(self), self.proposer(), self.seed)
    }

    fn restore(self, state: PolicyState, now: Now) -> Policy {
        Policy::restore(config(self), self.proposer(), state, now)
    }
}

/// Returns settings, from strict to permissive. The guards must hold with all of them.
fn config(setup: Setup) -> PolicyConfig {
    let mut config = if setup.demo_profile {
        PolicyConfig::demo()
    } else {
        PolicyConfig::default()
    };
    // The model must decide, because an advising model has no effect.
    config.model = ModelRole::Decides;
    if setup.permissive {
        config.evidence.soft_polls = 1;
        config.evidence.hard_polls = 1;
        config.evidence.ratio_requests = 1;
        config.evidence.hang_timeout = Duration::from_secs(1);
        config.evidence.sustain_for = Duration::ZERO;
        config.evidence.lag_threshold = Duration::from_millis(1);
        config.evidence.cpu_saturation_percent = 50.0;
        config.evidence.usual_load_ratio = 1e9;
        config.evidence.batch_hours = [0, 0];
        config.evidence.harm_latency_ratio = 0.0;
        config.outcome.probation = Duration::from_secs(1);
        config.permission.hard_cooldown = Duration::ZERO;
        config.permission.soft_cooldown = Duration::ZERO;
        config.permission.splay = Duration::ZERO;
        config.permission.soft_attempts = 1;
        config.permission.hard_attempts = 99;
    }
    config
}

/// Run of one policy with one simulated app.
struct Run {
    app: App,
    policy: Policy,
    /// Second policy with the same inputs, which must make the same decisions.
    twin: Policy,
    setup: Setup,
    now: Now,
    /// Simulated time.
    elapsed: Duration,
    circumstances: Circumstances,
    stale: Option<Health>,
    /// Result of treatments.
    result: TreatmentResult,
    /// Instances that reported to be ready since the last sidecar restart.
    ready: HashSet<Option<String>>,
    restarts: Vec<Duration>,
    soft_heals: usize,
    /// Restarts by reason.
    reasons: BTreeMap<Reason, usize>,
}

impl Run {
    fn new(setup: Setup) -> Self {
        Self {
            app: App {
                uptime: 100.0,
                ..App::healthy(20.0)
            },
            policy: setup.policy(),
            twin: setup.policy(),
            setup,
            now: Now {
                monotonic: Duration::from_secs(50),
                wall: Duration::from_secs(1_790_000_000),
            },
            elapsed: Duration::ZERO,
            circumstances: Circumstances {
                mode: Mode::Enforce,
                ..Circumstances::default()
            },
            stale: None,
            result: TreatmentResult::Done,
            ready: HashSet::new(),
            restarts: Vec::new(),
            soft_heals: 0,
            reasons: BTreeMap::new(),
        }
    }

    fn apply(&mut self, event: Event) {
        let app = &mut self.app;
        match event {
            Event::Polls { count, interval_ms } => {
                for _ in 0..count {
                    self.advance(Duration::from_millis(interval_ms.into()));
                    let observation = self.observation(None);
                    self.step(&observation);
                }
            }
            Event::Traffic {
                rate,
                failing,
                seconds,
            } => {
                (app.rate, app.failing, app.seconds) = (rate, failing, seconds);
            }
            Event::Panics(share) => app.panicking = share,
            Event::Lag { runtime, care_port } => (app.lag, app.care_seconds) = (runtime, care_port),
            Event::Cpu(percent) => app.cpu = percent,
            Event::Leak(rate) => app.memory_per_second = rate,
            Event::Stall(stalled) => app.stalled = stalled,
            Event::FrontDoor(Some(result)) => app.front_door = result,
            Event::FrontDoor(None) => {}
            Event::Care(result) => app.care = result.as_ref().map(with_default_report),
            Event::Dependency(state) => {
                app.dependency = state.map(|up| {
                    if up {
                        CheckState::Passing
                    } else {
                        CheckState::Failing
                    }
                });
            }
            Event::Started(started) => app.started = started,
            Event::AppDraining(draining) => app.draining = draining,
            Event::Restart => app.restart(),
            Event::CounterReset => (app.requests, app.errors, app.errors_at_heal) = (0.0, 0.0, 0.0),
            Event::StaleReport => {
                let stale = self.stale.replace(app.health());
                self.advance(Duration::from_millis(700));
                let observation = self.observation(stale);
                self.step(&observation);
            }
            Event::Circumstances(circumstances) => self.circumstances = circumstances,
            Event::WallJump(seconds) => {
                let jump = Duration::from_secs(seconds.unsigned_abs().into());
                self.now.wall = if seconds < 0 {
                    self.now.wall.saturating_sub(jump)
                } else {
                    self.now.wall + jump
                };
                // A poll lets the policy observe the jump. Otherwise it would look like a gap between processes.
                let observation = self.observation(None);
                self.step(&observation);
            }
            Event::DoctorRestarts(seconds) => self.restart_doctor(seconds),
            Event::TreatmentResult(result) => self.result = result,
        }
    }

    fn advance(&mut self, time: Duration) {
        self.elapsed += time;
        self.now.monotonic += time;
        self.now.wall += time;
        self.app.advance(time.as_secs_f64());
    }

    fn observation(&self, care: Option<Health>) -> Observation {
        let replayed = care.map(|health| ProbeResult::Valid(health, Duration::from_millis(1)));
        let care = self.app.care.clone().or(replayed);
        let care = care.unwrap_or_else(|| self.app.care_result());
        let front_door = self.app.front_door.clone();
        Observation {
            sockets: None,
            care,
            front_door,
            circumstances: self.circumstances,
        }
    }

    fn step(&mut self, observation: &Observation) {
        if let ProbeResult::Valid(health, _) = &observation.care
            && health.started != Some(false)
        {
            self.ready.insert(health.instance_id.clone());
        }
        let decision = self.policy.step(self.now, observation);
        assert_eq!(
            decision,
            self.twin.step(self.now, observation),
            "same inputs give the same decision"
        );
        assert_consistent(&decision);
        if decision.action == Action::RestartService {
            self.check_restart(&decision, observation);
            *self.reasons.entry(decision.reason).or_default() += 1;
        }
        self.carry_out(decision.action);
    }

    /// Asserts that neither the app nor the observation forbids a restart.
    fn check_restart(&self, decision: &Decision, observation: &Observation) {
        let circumstances = &observation.circumstances;
        assert!(
            !circumstances.paused && !circumstances.draining,
            "{decision:?}"
        );
        assert_eq!(circumstances.mode, Mode::Enforce);
        assert!(circumstances.state_writable);
        if let ProbeResult::Valid(health, _) = &observation.care {
            assert!(!health.draining, "{decision:?}");
            let down = health
                .checks
                .iter()
                .any(|check| check.state == CheckState::Failing);
            assert!(!down, "{decision:?}");
            let grace = self.policy.config().permission.startup_grace.as_secs_f64();
            assert!(health.uptime >= grace - 0.01, "in grace: {decision:?}");
            assert!(
                self.ready.contains(&health.instance_id),
                "never ready: {decision:?}"
            );
        }
    }

    fn carry_out(&mut self, action: Action) {
        if action == Action::NoAction {
            return;
        }
        let mut report = |result| {
            for policy in [&mut self.policy, &mut self.twin] {
                policy.report_treatment(self.now, TreatmentReport { action, result });
            }
        };
        report(TreatmentResult::Started);
        match (action, self.result) {
            (Action::RestartService, TreatmentResult::Done) => self.app.restart(),
            (Action::ResetErrors, TreatmentResult::Done) => {
                self.app.soft_heal();
                report(TreatmentResult::Done);
            }
            (_, result) => report(result),
        }
        if action == Action::ResetErrors {
            self.soft_heals += 1;
            return;
        }
        self.restarts.push(self.elapsed);
        let window = self.policy.config().permission.budget_window;
        let recent = self
            .restarts
            .iter()
            .filter(|&&at| self.elapsed - at < window)
            .count();
        assert!(recent <= 3, "budget exceeded: {:?}", self.restarts);
    }

    fn restart_doctor(&mut self, gap: u16) {
        let saved = serde_json::to_string(&self.policy.state()).unwrap();
        let state: PolicyState = serde_json::from_str(&saved).unwrap();
        assert_eq!(
            state,
            self.policy.state(),
            "the state round-trips through JSON"
        );
        let restored = self.setup.restore(state.clone(), self.now);
        assert_eq!(
            restored.state(),
            state,
            "a restored policy has the saved state"
        );
        let (now, elapsed) = (self.now, self.elapsed);
        self.advance(Duration::from_millis(gap.into()));
        assert!(self.elapsed >= elapsed && self.now.wall >= now.wall);
        self.ready.clear();
        // The monotonic clock of a new process has another origin.
        self.now.monotonic = Duration::from_secs(u64::from(gap) % 7);
        self.policy = self.setup.restore(state.clone(), self.now);
        self.twin = self.setup.restore(state, self.now);
    }
}

/// Derives circumstances from random bits.
fn circumstances(bits: u8) -> Circumstances {
    let bit = |n: u8| bits >> n & 1 == 1;
    Circumstances {
        mode: if bits.is_multiple_of(5) {
            Mode::Observe
        } else {
            Mode::Enforce
        },
        paused: bit(2) && bit(3),
        state_writable: !(bit(4) && bit(5)),
        draining: bit(6) && bit(7),
        process_alive: [None, Some(true), Some(false)][usize::from(bits % 3)],
        late: false,
    }
}

/// Replaces the content of a valid result with a default health report.
fn with_default_report(result: &ProbeResult<()>) -> ProbeResult<Health> {
    match result {
        ProbeResult::Valid((), latency) => ProbeResult::Valid(Health::default(), *latency),
        ProbeResult::Invalid(defect) => ProbeResult::Invalid(*defect),
        ProbeResult::Refused => ProbeResult::Refused,
        ProbeResult::TimedOut => ProbeResult::TimedOut,
        ProbeResult::NotProbed => ProbeResult::NotProbed,
    }
}

/// Derives the result of a probe from a random number.
fn probe_result(kind: u8) -> Option<ProbeResult<()>> {
    match kind % 6 {
        0 => Some(ProbeResult::TimedOut),
        1 => Some(ProbeResult::Refused),
        2 => Some(ProbeResult::Invalid(InvalidAnswer::Malformed)),
        3 => Some(ProbeResult::NotProbed),
        4 => Some(ProbeResult::Valid((), Duration::from_millis(3))),
        _ => None,
    }
}

/// Asserts that the fields of a decision are consistent.
fn assert_consistent(decision: &Decision) {
    let Decision {
        proposed,
        action,
        verdict,
        reason,
        evidence,
        vetoes,
        decided_by,
        probabilities,
        model,
        ..
    } = decision;
    let voted = model.is_some_and(|record: ModelRecord| record.abstained.is_none());
    assert_eq!(probabilities.is_some(), voted, "a vote or a reason");
    assert!(voted || *decided_by != DecidedBy::Model);
    match verdict {
        Verdict::NoProposal => {
            assert_eq!(
                (*proposed, *action, *vetoes),
                (Action::NoAction, Action::NoAction, Vetoes::NONE)
            );
            assert_eq!(reason, evidence);
            assert_ne!(reason.kind(), ReasonKind::Veto);
        }
        Verdict::Allowed => {
            assert_eq!((proposed, *vetoes), (action, Vetoes::NONE));
            assert_ne!(*action, Action::NoAction);
            assert_eq!((reason, reason.kind()), (evidence, ReasonKind::Evidence));
        }
        Verdict::Vetoed => {
            assert_eq!(
                (*action, Some(*reason)),
                (Action::NoAction, vetoes.headline())
            );
            assert_ne!(*proposed, Action::NoAction);
            assert_eq!(evidence.kind(), ReasonKind::Evidence);
        }
    }
}

/// Returns the committed file with the seeds of failures, which run before the random cases.
macro_rules! regressions {
    ($name:literal) => {{
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/proptest-regressions/",
            $name,
            ".txt"
        );
        let file: Box<dyn FailurePersistence> = Box::new(FileFailurePersistence::Direct(path));
        Some(file)
    }};
}

#[test]
fn guards_hold_in_every_random_run() {
    let cases = 10_000;
    let (mut restarts, mut soft_heals) = (0, 0);
    let mut reasons = BTreeMap::<Reason, usize>::new();
    let counts = std::cell::RefCell::new((&mut restarts, &mut soft_heals, &mut reasons));
    let config = Config {
        cases,
        failure_persistence: regressions!("runs"),
        ..Config::default()
    };
    TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    )
    .run(
        &(any::<u8>(), prop::collection::vec(event(), 1..40)),
        |(number, events)| {
            let mut run = Run::new(Setup::of(number));
            run.apply(Event::Polls {
                count: 1,
                interval_ms: 100,
            });
            for event in events {
                run.apply(event);
            }
            let mut counts = counts.borrow_mut();
            *counts.0 += run.restarts.len();
            *counts.1 += run.soft_heals;
            for (reason, count) in run.reasons {
                *counts.2.entry(reason).or_default() += count;
            }
            Ok(())
        },
    )
    .unwrap();
    println!("{restarts} restarts ({reasons:?}), {soft_heals} soft heals");
    // Runs without treatments would test nothing.
    assert!(restarts > 2_000, "{restarts} restarts");
    assert!(soft_heals > 2_000, "{soft_heals} soft heals");
    for reason in [
        Reason::RuntimeStalled,
        Reason::SoftHealFailed,
        Reason::LimitForecast,
        Reason::RepeatedPanics,
        Reason::RuntimeLag,
        Reason::CpuSaturated,
    ] {
        let count = reasons.get(&reason).copied().unwrap_or_default();
        assert!(count >= 20, "{count} restarts for {reason}");
    }
}

/// Returns health reports with arbitrary numbers.
fn arbitrary_health() -> impl Strategy<Value = Health> {
    let count = || prop_oneof![Just(0), Just(u64::MAX), any::<u64>()];
    let figure = || {
        prop_oneof![
            Just(f64::NAN),
            Just(f64::INFINITY),
            Just(-1e300),
            any::<f64>()
        ]
    };
    let counts = prop::collection::vec(count(), 0..60);
    let bounds = prop::collection::vec(figure(), 0..60);
    let checks = prop::collection::vec((any::<bool>(), any::<bool>(), figure()), 0..3);
    (
        (count(), count(), count(), count()),
        (figure(), figure(), figure()),
        (bounds, counts),
        checks,
        any::<u8>(),
    )
        .prop_map(
            |(
                (errors, requests, in_flight, total),
                (uptime, cpu, lag),
                (bounds, counts),
                checks,
                bits,
            )| Health {
                cpu_usage: Some(cpu),
                memory_usage: Some(lag),
                error_count: errors,
                uptime,
                instance_id: (bits & 3 != 0).then(|| format!("{}", bits & 3)),
                started: [None, Some(true), Some(false)][usize::from(bits >> 2) % 3],
                totals: Totals {
                    requests_total: Some(requests),
                    errors_total: Some(errors),
                    panics_total: Some(total),
                    ..Totals::default()
                },
                in_flight: Some(in_flight),
                latency: Some(Latency {
                    bounds_seconds: bounds,
                    counts,
                }),
                vitals: Some(Vitals {
                    memory_working_set_bytes: Some(total),
                    memory_limit_bytes: Some(requests),
                    open_fds: Some(errors),
                    max_fds: Some(total),
                    ..Vitals::default()
                }),
                runtime: Some(Runtime {
                    tick_age_seconds: lag,
                    lag_seconds: uptime,
                    stalled: bits > 200,
                    workers: None,
                }),
                checks: checks
                    .into_iter()
                    .map(|(local, fails, age)| CheckReport {
                        name: "arbitrary".into(),
                        kind: if local {
                            CheckKind::Local
                        } else {
                            CheckKind::Dependency
                        },
                        optional: false,
                        state: if fails {
                            CheckState::Failing
                        } else {
                            CheckState::Passing
                        },
                        age_seconds: Some(age),
                        error: None,
                    })
                    .collect(),
                ..Health::default()
            },
        )
}

#[test]
fn policy_accepts_any_number_in_a_report() {
    let config = Config {
        cases: 200,
        failure_persistence: regressions!("reports"),
        ..Config::default()
    };
    let polls = prop::collection::vec((arbitrary_health(), any::<u64>(), any::<u64>()), 1..30);
    TestRunner::new(config)
        .run(&(any::<u8>(), polls), |(number, polls)| {
            let setup = Setup {
                seed: 1,
                ..Setup::of(number)
            };
            let mut policy = setup.policy();
            for (health, monotonic, wall) in polls {
                let now = Now {
                    monotonic: Duration::from_millis(monotonic >> (number % 64)),
                    wall: Duration::from_millis(wall),
                };
                let decision = policy.step(
                    now,
                    &Observation {
                        sockets: None,
                        care: ProbeResult::Valid(health, Duration::MAX),
                        front_door: ProbeResult::Valid((), Duration::MAX),
                        circumstances: Circumstances {
                            mode: Mode::Enforce,
                            ..Circumstances::default()
                        },
                    },
                );
                assert_consistent(&decision);
                assert!(decision.features.iter().all(|(_, value)| value.is_finite()));
                let report = TreatmentReport {
                    action: decision.action,
                    result: TreatmentResult::Started,
                };
                policy.report_treatment(now, report);
                let saved = serde_json::to_string(&policy.state()).unwrap();
                assert_eq!(
                    serde_json::from_str::<PolicyState>(&saved).unwrap(),
                    policy.state()
                );
            }
            Ok(())
        })
        .unwrap();
}

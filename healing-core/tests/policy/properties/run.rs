//! Run of one policy with one simulated app, and the checks of each restart.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use healing_core::decision::{Action, Decision, Reason, TreatmentReport, TreatmentResult};
use healing_core::health::{CheckState, Health};
use healing_core::observation::{Circumstances, Mode, Now, Observation, ProbeResult};
use healing_core::policy::{Policy, PolicyState};

use super::consistency::assert_consistent;
use super::event::{Event, probe_result, with_default_report};
use super::setup::Setup;
use crate::world::App;

/// Run of one policy with one simulated app.
pub(super) struct Run {
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
    /// Instances whose front door has answered.
    answered: HashSet<Option<String>>,
    /// Instance of the latest report. `None` after its end.
    instance: Option<Option<String>>,
    pub(super) restarts: Vec<Duration>,
    pub(super) soft_heals: usize,
    /// Restarts by reason.
    pub(super) reasons: BTreeMap<Reason, usize>,
}

impl Run {
    pub(super) fn new(setup: Setup) -> Self {
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
            answered: HashSet::new(),
            instance: None,
            restarts: Vec::new(),
            soft_heals: 0,
            reasons: BTreeMap::new(),
        }
    }

    pub(super) fn apply(&mut self, event: Event) {
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
            Event::Starting(starting) => app.starting = starting,
            Event::LatePoll { care, front_door } => self.late_poll(care, front_door),
            Event::AppDraining(draining) => app.draining = draining,
            Event::Restart => app.restart(),
            Event::CounterReset => (app.requests, app.errors, app.errors_at_heal) = (0.0, 0.0, 0.0),
            Event::StaleReport => {
                let stale = self.stale.replace(app.health());
                self.advance(Duration::from_millis(700));
                let observation = self.observation(stale);
                let instance = self.instance.clone();
                self.step(&observation);
                self.instance = instance;
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
        self.track_instance(observation);
        let decision = self.policy.step(self.now, observation);
        assert_eq!(
            decision,
            self.twin.step(self.now, observation),
            "same inputs give the same decision"
        );
        assert_consistent(&decision);
        if decision.action == Action::RestartService {
            self.check_restart(&decision, observation);
            self.check_instance(&decision, observation);
            *self.reasons.entry(decision.reason).or_default() += 1;
        }
        self.carry_out(decision.action);
    }

    /// Polls while the doctor is late. The twin does not see the poll, and makes the same decisions.
    fn late_poll(&mut self, care: u8, front_door: u8) {
        let mut observation = self.observation(None);
        if let Some(result) = probe_result(care) {
            observation.care = with_default_report(&result);
        }
        if let Some(result) = probe_result(front_door) {
            observation.front_door = result;
        }
        observation.circumstances.late = true;
        let decision = self.policy.step(self.now, &observation);
        assert_eq!(decision.reason, Reason::DoctorLate);
        assert_consistent(&decision);
    }

    fn track_instance(&mut self, observation: &Observation) {
        match &observation.care {
            ProbeResult::Valid(health, _) => self.instance = Some(health.instance_id.clone()),
            ProbeResult::Refused if observation.circumstances.process_alive != Some(true) => {
                self.instance = None;
            }
            _ => {}
        }
        if let (ProbeResult::Valid(..), Some(instance)) = (&observation.front_door, &self.instance)
        {
            self.answered.insert(instance.clone());
        }
    }

    /// Asserts that a booting app is not restarted for silence or for its front door.
    fn check_instance(&self, decision: &Decision, observation: &Observation) {
        let for_silence = matches!(
            decision.reason,
            Reason::RuntimeStalled
                | Reason::Unresponsive
                | Reason::AppDown
                | Reason::FrontDoorRefused
                | Reason::FrontDoorHangs
        );
        if for_silence && observation.front_door != ProbeResult::NotProbed {
            let instance = self.instance.as_ref();
            assert!(
                instance.is_some_and(|instance| self.answered.contains(instance)),
                "{instance:?}: {decision:?}"
            );
        }
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
            assert!(!health.draining && !health.starting, "{decision:?}");
            let down = health
                .checks
                .iter()
                .any(|check| check.state == CheckState::Failing);
            assert!(!down || decision.wedged, "{decision:?}");
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

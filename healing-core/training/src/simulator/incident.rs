//! One incident: the simulated app under its fault schedule, and the observations of a doctor that polls it.

use std::time::Duration;

use super::app::SimulatedApp;
use super::counts::ClientOutcomes;
use super::faults::Faults;
use super::scenario::{FaultSchedule, Scenario};
use super::service_params::{BOUNDS, ServiceParams};
use healing_core::decision::Action;
use healing_core::health::{
    CheckKind, CheckReport, CheckState, Health, Latency, Runtime, SCHEMA, Source, Status, Totals,
    Vitals,
};
use healing_core::observation::{Circumstances, Mode, Now, Observation, ProbeResult};
use healing_core::rng::Rng;

/// Age of the runtime's last tick above which the app reports a stall, in seconds.
const STALLED_AFTER: f64 = 2.0;

/// Simulated app with its fault schedule.
#[derive(Debug, Clone)]
pub(crate) struct Incident {
    pub(crate) app: SimulatedApp,
    schedule: FaultSchedule,
    second: u32,
    hour: u8,
}

impl Incident {
    /// Draws an incident of the scenario.
    pub(crate) fn draw(scenario: Scenario, rng: &mut Rng) -> Self {
        let mut params = ServiceParams::draw(rng);
        scenario.adapt(&mut params, rng);
        let uptime = if scenario.begins_with_start() {
            0.0
        } else {
            rng.between(300_f64.ln(), 864_000_f64.ln()).exp()
        };
        let app = SimulatedApp::new(params, uptime, rng.part(1));
        let schedule = scenario.schedule(&app, rng);
        #[allow(clippy::cast_possible_truncation)] // below 24
        let hour = match scenario {
            Scenario::NightlyBatch => rng.below(6) as u8,
            _ => rng.below(24) as u8,
        };
        Self {
            app,
            schedule,
            second: 0,
            hour,
        }
    }

    /// Returns the seconds since the start of the incident.
    pub(crate) fn second(&self) -> u32 {
        self.second
    }

    /// Returns the second at which the faults start.
    pub(crate) fn onset(&self) -> u32 {
        self.schedule.onset
    }

    /// Returns the faults from the onset on.
    pub(crate) fn faults(&self) -> &Faults {
        &self.schedule.faults
    }

    /// Advances the incident by one second.
    pub(crate) fn step(&mut self) {
        self.second += 1;
        if self.second == self.schedule.onset {
            self.app.faults = self.schedule.faults.clone();
        }
        if self.second == self.schedule.end {
            let faults = &mut self.app.faults;
            faults.load = 0.0;
            faults.dependency_down = 0.0;
            faults.dependency_slow = 0.0;
            faults.batch_cpu = 0.0;
            faults.batch_memory = 0.0;
        }
        self.app.step();
    }

    /// Returns the outcomes of the next `seconds` in a copy of the incident that is treated with `action`.
    pub(crate) fn outcomes_after(&self, action: Action, seconds: u32) -> ClientOutcomes {
        let mut copy = self.clone();
        copy.app.clients = ClientOutcomes::default();
        copy.app.records_latency = false;
        if copy.second < copy.schedule.onset {
            // A label must not depend on a fault that no feature can show yet.
            copy.schedule.onset = u32::MAX;
        }
        copy.app.treat(action);
        for _ in 0..seconds {
            copy.step();
        }
        copy.app.clients
    }

    /// Returns the current time of both clocks.
    pub(crate) fn now(&self) -> Now {
        let day = Duration::from_secs(20_000 * 86_400 + 3600 * u64::from(self.hour));
        let since = Duration::from_secs(self.second.into());
        Now {
            monotonic: since,
            wall: day + since,
        }
    }

    /// Returns the observation of a poll of both ports.
    pub(crate) fn poll(&self, rng: &mut Rng) -> Observation {
        let app = &self.app;
        let circumstances = Circumstances {
            mode: Mode::Enforce,
            ..Circumstances::default()
        };
        let round_trip = Duration::from_micros(500 + u64::from(rng.below(2500)));
        let stalled = app.tick_age > STALLED_AFTER;
        let (care, front_door) = if app.down.is_some() {
            (ProbeResult::Refused, ProbeResult::Refused)
        } else if stalled || app.fds >= 100.0 {
            (
                ProbeResult::Valid(self.health(stalled), round_trip),
                ProbeResult::TimedOut,
            )
        } else {
            let delayed = round_trip + Duration::from_secs_f64(app.lag);
            (
                ProbeResult::Valid(self.health(stalled), round_trip),
                ProbeResult::Valid((), delayed),
            )
        };
        Observation {
            sockets: None,
            care,
            front_door,
            circumstances,
        }
    }

    /// Returns the health report of the app.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // all in range
    fn health(&self, stalled: bool) -> Health {
        const MEMORY_LIMIT_BYTES: f64 = (1_u64 << 30) as f64;
        let app = &self.app;
        Health {
            status: Status::of(app.error_count),
            cpu_usage: Some(app.cpu),
            memory_usage: Some(app.memory),
            error_count: app.error_count,
            uptime: app.uptime,
            schema: Some(SCHEMA),
            instance_id: Some(app.instance.to_string()),
            pid: Some(1),
            hour_of_day: Some(self.hour),
            started: Some(app.uptime > 1.0),
            totals: Totals {
                requests_total: Some(app.totals.requests),
                errors_total: Some(app.totals.errors),
                panics_total: Some(app.totals.panics),
                ..Totals::default()
            },
            in_flight: Some(app.in_flight.round() as u64),
            latency: Some(Latency {
                bounds_seconds: BOUNDS.to_vec(),
                counts: app.buckets.to_vec(),
            }),
            vitals: Some(Vitals {
                cpu_source: Some(Source::Cgroup),
                cpu_limit_cores: Some(app.params.cores),
                memory_source: Some(Source::Cgroup),
                memory_working_set_bytes: Some((app.memory / 100.0 * MEMORY_LIMIT_BYTES) as u64),
                memory_limit_bytes: Some(MEMORY_LIMIT_BYTES as u64),
                open_fds: Some((app.fds / 100.0 * app.params.max_fds) as u64),
                max_fds: Some(app.params.max_fds as u64),
                threads: Some(8),
                ..Vitals::default()
            }),
            runtime: Some(Runtime {
                tick_age_seconds: app.tick_age,
                lag_seconds: app.lag,
                stalled,
                workers: None,
            }),
            checks: self.checks(),
            ..Health::default()
        }
    }

    /// Returns the state of the dependency checks and of the pool's check.
    fn checks(&self) -> Vec<CheckReport> {
        let app = &self.app;
        let report = |name: String, kind, failing| CheckReport {
            name,
            kind,
            optional: false,
            state: if failing {
                CheckState::Failing
            } else {
                CheckState::Passing
            },
            age_seconds: Some(f64::from(app.check_age)),
            error: None,
        };
        let mut checks: Vec<_> = (0..app.params.dependencies)
            .map(|index| {
                let failing = if index == 0 {
                    app.critical_failing
                } else {
                    index == 1 && app.minor_failing
                };
                report(
                    format!("dependency-{index}"),
                    CheckKind::Dependency,
                    failing,
                )
            })
            .collect();
        if app.params.local_check {
            checks.push(report(
                "pool".to_owned(),
                CheckKind::Local,
                app.pool_failing,
            ));
        }
        checks
    }
}

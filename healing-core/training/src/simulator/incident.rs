//! One incident, as the world runs it and as the doctor's polls see it.

use std::time::Duration;

use super::app::{App, Clients};
use super::scenario::{Course, Situation};
use super::service_params::{BOUNDS, Character};
use healing_core::decision::Action;
use healing_core::health::{
    CheckKind, CheckReport, CheckState, Health, Latency, Runtime, SCHEMA, Source, Status, Totals,
    Vitals,
};
use healing_core::observation::{Circumstances, Mode, Now, Observation, ProbeResult};
use healing_core::rng::Rng;

/// The tick's age from which the app calls its runtime stalled.
const STALLED_AFTER: f64 = 2.0;

/// An app, and what happens to it when.
#[derive(Debug, Clone)]
pub(super) struct Incident {
    pub(super) app: App,
    course: Course,
    second: u32,
    hour: u8,
}

impl Incident {
    /// Draws one.
    pub(super) fn draw(situation: Situation, rng: &mut Rng) -> Self {
        let mut is = Character::draw(rng);
        situation.shape(&mut is, rng);
        let uptime = if situation.begins_with_start() {
            0.0
        } else {
            rng.between(300_f64.ln(), 864_000_f64.ln()).exp()
        };
        let app = App::new(is, uptime, rng.part(1));
        let course = situation.course(&app, rng);
        #[allow(clippy::cast_possible_truncation)] // below 24
        let hour = match situation {
            Situation::NightlyBatch => rng.below(6) as u8,
            _ => rng.below(24) as u8,
        };
        Self {
            app,
            course,
            second: 0,
            hour,
        }
    }

    pub(super) fn second(&self) -> u32 {
        self.second
    }

    pub(super) fn onset(&self) -> u32 {
        self.course.onset
    }

    /// One second of the world.
    pub(super) fn step(&mut self) {
        self.second += 1;
        if self.second == self.course.onset {
            self.app.faults = self.course.faults.clone();
        }
        if self.second == self.course.end {
            let faults = &mut self.app.faults;
            faults.load = 0.0;
            faults.dependency_down = 0.0;
            faults.dependency_slow = 0.0;
            faults.batch_cpu = 0.0;
            faults.batch_memory = 0.0;
        }
        self.app.step();
    }

    /// What clients would see in the next `seconds` if this were done now.
    pub(super) fn after(&self, action: Action, seconds: u32) -> Clients {
        let mut world = self.clone();
        world.app.clients = Clients::default();
        world.app.watched = false;
        if world.second < world.course.onset {
            // What has not begun is not to be known.
            world.course.onset = u32::MAX;
        }
        world.app.treat(action);
        for _ in 0..seconds {
            world.step();
        }
        world.app.clients
    }

    /// Both clocks.
    pub(super) fn now(&self) -> Now {
        let day = Duration::from_secs(20_000 * 86_400 + 3600 * u64::from(self.hour));
        let since = Duration::from_secs(self.second.into());
        Now {
            monotonic: since,
            wall: day + since,
        }
    }

    /// A poll of both ports.
    pub(super) fn poll(&self, rng: &mut Rng) -> Observation {
        let app = &self.app;
        let circumstances = Circumstances {
            mode: Mode::Enforce,
            ..Circumstances::default()
        };
        let quick = Duration::from_micros(500 + u64::from(rng.below(2500)));
        let stalled = app.tick_age > STALLED_AFTER;
        let (care, front_door) = if app.down.is_some() {
            (ProbeResult::Refused, ProbeResult::Refused)
        } else if stalled || app.fds >= 100.0 {
            (
                ProbeResult::Valid(self.health(stalled), quick),
                ProbeResult::TimedOut,
            )
        } else {
            let late = quick + Duration::from_secs_f64(app.lag);
            (
                ProbeResult::Valid(self.health(stalled), quick),
                ProbeResult::Valid((), late),
            )
        };
        Observation {
            care,
            front_door,
            circumstances,
        }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // all in range
    fn health(&self, stalled: bool) -> Health {
        const LIMIT: f64 = (1_u64 << 30) as f64;
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
                cpu_limit_cores: Some(app.is.cores),
                memory_source: Some(Source::Cgroup),
                memory_working_set_bytes: Some((app.memory / 100.0 * LIMIT) as u64),
                memory_limit_bytes: Some(LIMIT as u64),
                open_fds: Some((app.fds / 100.0 * app.is.max_fds) as u64),
                max_fds: Some(app.is.max_fds as u64),
                threads: Some(8),
                ..Vitals::default()
            }),
            runtime: Some(Runtime {
                tick_age_seconds: app.tick_age,
                lag_seconds: app.lag,
                stalled,
            }),
            checks: self.checks(),
            ..Health::default()
        }
    }

    fn checks(&self) -> Vec<CheckReport> {
        let app = &self.app;
        let report = |name: String, kind, failing| CheckReport {
            name,
            kind,
            state: if failing {
                CheckState::Failing
            } else {
                CheckState::Passing
            },
            age_seconds: Some(f64::from(app.checked)),
            error: None,
        };
        let mut checks: Vec<_> = (0..app.is.dependencies)
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
        if app.is.local_check {
            checks.push(report(
                "pool".to_owned(),
                CheckKind::Local,
                app.pool_failing,
            ));
        }
        checks
    }
}

//! The app's `/health` response, without the figures that it does not report.

use super::process::Phase;
use super::state::Simulation;
use healing_core::health::{
    CheckKind, CheckReport, CheckState, Health, Runtime, SCHEMA, Source, Status, Totals, Vitals,
};

/// Relative standard deviation of the measured CPU usage.
const CPU_NOISE: f64 = 0.01;

impl Simulation<'_> {
    /// Returns the response of `GET /health`.
    pub(super) fn health(&self) -> Health {
        let visible = &self.life.visible;
        let layer = &self.layer;
        let total = |count| visible.totals.then_some(count);
        let full = visible.totals || visible.in_flight || visible.vitals;
        let oldest = layer.oldest(&self.requests).map(|begun| self.now - begun);
        Health {
            status: Status::of(layer.error_count),
            cpu_usage: visible.cpu.then(|| self.cpu_percent()),
            memory_usage: visible.memory.then_some(self.usage.memory),
            error_count: layer.error_count,
            uptime: self.now - self.process.started,
            schema: full.then_some(SCHEMA),
            instance_id: visible
                .instance_id
                .then(|| self.process.instance.to_string()),
            pid: visible.instance_id.then_some(1),
            hour_of_day: visible.hour_of_day.then(|| self.hour()),
            started: visible
                .started
                .then_some(self.process.phase == Phase::Serving),
            draining: self.process.draining,
            totals: Totals {
                requests_total: total(layer.requests),
                errors_total: total(layer.errors),
                panics_total: total(layer.panics),
                cancelled_total: total(layer.cancelled).filter(|_| visible.cancelled),
                body_errors_total: total(0).filter(|_| visible.cancelled),
            },
            in_flight: visible.in_flight.then_some(layer.in_flight),
            oldest_in_flight_seconds: oldest.filter(|_| visible.in_flight),
            latency: visible.latency.then(|| layer.latency()),
            vitals: visible.vitals.then(|| self.vitals()),
            runtime: visible.runtime.then(|| self.runtime()).flatten(),
            checks: if visible.checks {
                self.checks()
            } else {
                Vec::new()
            },
            ..Health::default()
        }
    }

    /// Returns the CPU usage of the last second in percent of the limit.
    fn cpu_percent(&self) -> f64 {
        let [(from, before), (to, after)] = self.cpu_samples;
        let seconds = (to - from).max(0.1);
        let share = (after.used - before.used) / seconds / self.life.cores();
        let noise = 1.0 + CPU_NOISE * self.noise().part(1).normal();
        (100.0 * share * noise).max(0.0)
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // in range
    fn hour(&self) -> u8 {
        ((self.life.utc_hour + self.now / 3600.0) % 24.0) as u8
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative
    fn vitals(&self) -> Vitals {
        let memory = &self.life.memory;
        let of_limit = |percent: f64, limit: f64| (percent / 100.0 * limit) as u64;
        let quota = self.life.machine.quota;
        Vitals {
            cpu_source: Some(if quota.is_some() {
                Source::Cgroup
            } else {
                Source::Machine
            }),
            cpu_seconds_total: Some(self.cpu.totals.used - self.cpu_at_start),
            cpu_limit_cores: Some(self.life.cores()),
            cpu_throttled_seconds_total: quota.map(|_| self.cpu.totals.throttled),
            memory_source: Some(Source::Cgroup),
            memory_working_set_bytes: Some(of_limit(self.usage.memory, memory.limit_bytes)),
            memory_limit_bytes: Some(memory.limit_bytes as u64),
            open_fds: Some(of_limit(self.usage.descriptors, memory.max_descriptors)),
            max_fds: Some(memory.max_descriptors as u64),
            threads: Some(u64::from(self.life.service.workers) + 2),
        }
    }

    /// Returns the state of the runtime; absent before the app serves.
    fn runtime(&self) -> Option<Runtime> {
        (self.process.phase == Phase::Serving).then(|| Runtime {
            tick_age_seconds: self.heartbeat.age(self.now),
            lag_seconds: self.heartbeat.lag(self.now),
            stalled: self.heartbeat.is_stalled(self.now),
        })
    }

    fn checks(&self) -> Vec<CheckReport> {
        let report = |name: String, kind, failing| CheckReport {
            name,
            kind,
            state: match (self.checks.at, failing) {
                (None, _) => CheckState::Unknown,
                (Some(_), true) => CheckState::Failing,
                (Some(_), false) => CheckState::Passing,
            },
            age_seconds: self.checks.at.map(|at| self.now - at),
            error: (failing && self.checks.at.is_some()).then(|| "failed".to_owned()),
        };
        let failing = |index| index == 0 && self.checks.dependency_failing;
        let names = (0..self.life.service.dependencies).map(|index| {
            let name = format!("dependency-{index}");
            report(name, CheckKind::Dependency, failing(index))
        });
        let pool = self.life.service.local_check.then(|| {
            report(
                "pool".to_owned(),
                CheckKind::Local,
                self.checks.pool_failing,
            )
        });
        names.chain(pool).collect()
    }
}

//! State of one instance, shared by endpoints, care thread and servers.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use healing_wire::health::{Health, Runtime, SCHEMA, Status};
use tokio::runtime::Handle;

use crate::checks::Checks;
use crate::exposition::Exposition;
use crate::heartbeat::Heartbeat;
use crate::hooks::Hooks;
use crate::lifecycle::Lifecycle;
use crate::meter::Meter;
use crate::settings::Settings;
use crate::startup::Startup;
use crate::vitals::LastSample;

/// State of one instance.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    /// Identifier that differs for each start.
    pub(crate) instance_id: String,
    started_at: Instant,
    pub(crate) meter: Meter,
    pub(crate) exposition: Exposition,
    pub(crate) startup: Arc<Startup>,
    pub(crate) heartbeat: Arc<Heartbeat>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) checks: Checks,
    pub(crate) hooks: Hooks,
    pub(crate) vitals: LastSample,
    /// Set once the care thread is started.
    pub(crate) runtimes: OnceLock<Runtimes>,
}

/// Runtimes of the app and of the care thread.
#[derive(Debug)]
pub(crate) struct Runtimes {
    pub(crate) app: Handle,
    pub(crate) care: Handle,
}

/// Reason for not being ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unready {
    /// The app's runtime has not ticked yet.
    #[error("not started")]
    NotStarted,
    /// The app declares that it is still starting.
    #[error("starting")]
    Starting,
    /// A drain lease or a shutdown is active.
    #[error("draining")]
    Draining,
    /// The app's runtime is stalled.
    #[error("the app's runtime is stalled")]
    Stalled,
    /// A check that opted in to readiness has not passed, or fails.
    #[error("check {0} has not passed")]
    Check(String),
}

impl Shared {
    pub(crate) fn new(
        settings: Settings,
        meter: Meter,
        exposition: Exposition,
        startup: Arc<Startup>,
        checks: Checks,
        hooks: Hooks,
    ) -> Self {
        Self {
            instance_id: new_instance_id(),
            started_at: Instant::now(),
            meter,
            exposition,
            heartbeat: Arc::new(Heartbeat::new(settings.timing.stall_after)),
            startup,
            lifecycle: Lifecycle::default(),
            checks,
            hooks,
            vitals: LastSample::default(),
            runtimes: OnceLock::new(),
            settings,
        }
    }

    /// Returns the reasons for not being ready; empty if ready. Records that the instance has been ready.
    pub(crate) fn unready(&self, now: Instant) -> Vec<Unready> {
        let mut unready = Vec::new();
        if !self.heartbeat.is_running() {
            unready.push(Unready::NotStarted);
        }
        if self.startup.is_starting() {
            unready.push(Unready::Starting);
        }
        if self.lifecycle.is_draining(now) {
            unready.push(Unready::Draining);
        }
        if self.heartbeat.is_stalled(now) {
            unready.push(Unready::Stalled);
        }
        unready.extend(self.checks.unready().into_iter().map(Unready::Check));
        if unready.is_empty() {
            self.lifecycle.record_ready();
        }
        unready
    }

    /// Returns `true` if the app's runtime has been stalled for longer than `limit`. The time during which
    /// the app was starting does not count, even if the runtime has not ticked since.
    pub(crate) fn is_stalled_for(&self, now: Instant, limit: Duration) -> bool {
        self.heartbeat.is_stalled_for(now, limit) && self.startup.ended_before(now, limit)
    }

    /// Returns the state of the app's runtime; absent if none is observed.
    pub(crate) fn runtime(&self, now: Instant) -> Option<Runtime> {
        let report = self.heartbeat.report(now)?;
        let metrics = self.runtimes.get().map(|runtimes| runtimes.app.metrics());
        Some(Runtime {
            stalled: report.stalled && self.is_stalled_for(now, self.settings.timing.stall_after),
            workers: metrics.map(|metrics| metrics.num_workers() as u64),
            ..report
        })
    }

    /// Returns the original system's five fields, which remote callers may see.
    pub(crate) fn summary(&self, now: Instant) -> Health {
        let error_count = self.meter.error_count();
        let (cpu_usage, memory_usage) = self
            .vitals
            .load()
            .map_or((None, None), |s| (s.cpu_usage, s.memory_usage));
        Health {
            status: Status::of(error_count),
            cpu_usage,
            memory_usage,
            error_count,
            uptime: now.saturating_duration_since(self.started_at).as_secs_f64(),
            ..Health::default()
        }
    }

    /// Returns all fields, which callers on this machine may see.
    pub(crate) fn health(&self, now: Instant) -> Health {
        self.unready(now); // updates `started`
        let in_flight = self.meter.in_flight();
        Health {
            schema: Some(SCHEMA),
            app: Some(self.settings.name.clone()),
            version: self.settings.version.clone(),
            instance_id: Some(self.instance_id.clone()),
            pid: Some(std::process::id()),
            hour_of_day: hour_of_day(SystemTime::now()),
            started: Some(self.lifecycle.has_been_ready()),
            starting: self.startup.is_starting(),
            draining: self.lifecycle.is_draining(now),
            condemned: self.lifecycle.is_condemned(),
            totals: self.meter.totals(),
            in_flight: Some(in_flight),
            waiting: Some(self.meter.waiting().min(in_flight)),
            peak_goodput: self.meter.peak_goodput(),
            routes: self.meter.routes(),
            oldest_in_flight_seconds: self.meter.oldest_in_flight().map(|age| age.as_secs_f64()),
            latency: Some(self.meter.latency()),
            windows: self.meter.windows(),
            vitals: self.vitals.load().map(|sample| sample.vitals),
            runtime: self.runtime(now),
            checks: self.checks.report(now),
            hooks: self.hooks.report(),
            ..self.summary(now)
        }
    }
}

/// Returns the hour of the day in UTC.
fn hour_of_day(now: SystemTime) -> Option<u8> {
    let seconds = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    u8::try_from(seconds / 3600 % 24).ok()
}

/// Returns an id that differs for each instance, even within one process.
fn new_instance_id() -> String {
    // `RandomState` is seeded by the operating system, which suffices to distinguish instances.
    let random = || RandomState::new().build_hasher().finish();
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!(
        "{:x}-{:016x}{:016x}",
        since_epoch.as_secs(),
        random(),
        random()
    )
}

#[cfg(test)]
impl Shared {
    /// Creates an instance with default settings, without checks and hooks.
    pub(crate) fn for_test(name: &str) -> Arc<Self> {
        let settings = Settings {
            name: name.to_owned(),
            version: None,
            timing: crate::settings::Timing::default(),
            token_file: None,
            heal_on_app: None,
            omitted: Vec::new(),
        };
        let meter = Meter::new(crate::meter::MeterOptions::new());
        let exposition = Exposition::new(|_| {});
        let (checks, hooks) = (Checks::default(), Hooks::default());
        let startup = Arc::default();
        Arc::new(Self::new(
            settings, meter, exposition, startup, checks, hooks,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn instance_ids_differ_within_one_process() {
        let ids: std::collections::HashSet<_> = (0..100).map(|_| new_instance_id()).collect();
        assert_eq!(ids.len(), 100);
    }

    #[test]
    fn hour_of_day_is_in_utc() {
        let at = |seconds| hour_of_day(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(
            (at(0), at(3599), at(86_399), at(86_400)),
            (Some(0), Some(0), Some(23), Some(0))
        );
    }
}

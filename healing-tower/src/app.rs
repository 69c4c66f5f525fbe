//! What one instrumented app is: everything that endpoints, care thread and server share.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use healing_core::health::{Health, SCHEMA, Status};
use tokio::runtime::Handle;

use crate::care::access::{Access, HeaderRule};
use crate::care::heartbeat::Heartbeat;
use crate::checks::Checks;
use crate::hooks::Hooks;
use crate::lifecycle::Lifecycle;
use crate::meter::Meter;
use crate::metrics::Exposition;
use crate::vitals::LastSample;

/// Times of the way out, and the like; see the builder's methods of the same names.
#[derive(Debug, Clone)]
pub(crate) struct Timing {
    pub(crate) stall_after: Duration,
    pub(crate) lame_duck: Duration,
    pub(crate) drain_deadline: Duration,
    pub(crate) condemned_wait: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            stall_after: Duration::from_secs(10),
            lame_duck: Duration::from_secs(3),
            drain_deadline: Duration::from_secs(20),
            condemned_wait: Duration::from_secs(10),
        }
    }
}

#[derive(Debug)]
pub(crate) struct App {
    pub(crate) name: String,
    pub(crate) instance_id: String,
    pub(crate) begun: Instant,
    pub(crate) timing: Timing,
    pub(crate) meter: Meter,
    pub(crate) metrics: Exposition,
    pub(crate) heart: Arc<Heartbeat>,
    pub(crate) life: Lifecycle,
    pub(crate) checks: Checks,
    pub(crate) hooks: Hooks,
    pub(crate) vitals: LastSample,
    pub(crate) access: Access,
    /// Whether the app's own router takes `POST /heal`.
    pub(crate) heal_on_app: Option<HeaderRule>,
    /// Paths that are the app's own there.
    pub(crate) omitted: Vec<String>,
    /// The app's and the care thread's runtime, once that has been started.
    pub(crate) runtimes: OnceLock<Runtimes>,
}

#[derive(Debug)]
pub(crate) struct Runtimes {
    pub(crate) app: Handle,
    pub(crate) care: Handle,
}

/// Why `/readyz` is 503; empty when it is 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unready {
    NotStarted,
    Draining,
    Stalled,
    Check(String),
}

impl std::fmt::Display for Unready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotStarted => f.write_str("not started"),
            Self::Draining => f.write_str("draining"),
            Self::Stalled => f.write_str("the app's runtime is stalled"),
            Self::Check(name) => write!(f, "check {name} has not passed"),
        }
    }
}

impl App {
    /// What keeps it from taking requests. Remembers the first time that nothing does.
    pub(crate) fn unready(&self, now: Instant) -> Vec<Unready> {
        let mut unready = Vec::new();
        if !self.heart.is_beating() {
            unready.push(Unready::NotStarted);
        }
        if self.life.is_draining(now) {
            unready.push(Unready::Draining);
        }
        if self.heart.is_stalled(now) {
            unready.push(Unready::Stalled);
        }
        unready.extend(self.checks.unready().into_iter().map(Unready::Check));
        if unready.is_empty() {
            self.life.set_started();
        }
        unready
    }

    /// The original's five fields: what anyone may see.
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
            uptime: now.saturating_duration_since(self.begun).as_secs_f64(),
            ..Health::default()
        }
    }

    /// All fields: what a peer on this machine may see.
    pub(crate) fn health(&self, now: Instant) -> Health {
        self.unready(now); // so that `started` is of now
        Health {
            schema: Some(SCHEMA),
            app: Some(self.name.clone()),
            instance_id: Some(self.instance_id.clone()),
            pid: Some(std::process::id()),
            hour_of_day: hour_of_day(SystemTime::now()),
            started: Some(self.life.is_started()),
            draining: self.life.is_draining(now),
            condemned: self.life.is_condemned(),
            totals: self.meter.totals(),
            in_flight: Some(self.meter.in_flight()),
            oldest_in_flight_seconds: self.meter.oldest_in_flight().map(|age| age.as_secs_f64()),
            latency: Some(self.meter.latency()),
            windows: self.meter.windows(),
            vitals: self.vitals.load().map(|sample| sample.vitals),
            runtime: self.heart.report(now),
            checks: self.checks.report(now),
            hooks: self.hooks.report(),
            ..self.summary(now)
        }
    }
}

fn hour_of_day(now: SystemTime) -> Option<u8> {
    let seconds = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    u8::try_from(seconds / 3600 % 24).ok()
}

/// Different for each start of each app, even within one process.
pub(crate) fn new_instance_id() -> String {
    // RandomState is keyed by the operating system's randomness: enough to tell instances apart.
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
mod tests {
    use super::*;

    #[test]
    fn instances_differ_within_one_process() {
        let ids: std::collections::HashSet<_> = (0..100).map(|_| new_instance_id()).collect();
        assert_eq!(ids.len(), 100);
    }

    #[test]
    fn hours_are_utc() {
        let at = |seconds| hour_of_day(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(
            (at(0), at(3599), at(86_399), at(86_400)),
            (Some(0), Some(0), Some(23), Some(0))
        );
    }
}

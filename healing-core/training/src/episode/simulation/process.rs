//! Process of the app: container creation, boot, service, drain, exit, and the kubelet's back-off.

use crate::episode::spec::Start;

/// Delay of the first restart that is delayed, in seconds; it doubles up to [`MAX_BACK_OFF`].
const BACK_OFF: f64 = 10.0;
/// Maximum delay of a restart, in seconds.
const MAX_BACK_OFF: f64 = 300.0;
/// Time for which a container must run so that its next restart is not delayed, in seconds.
const BACK_OFF_RESET: f64 = 600.0;
/// Time after which an app that is not ready gets no further requests, in seconds.
pub(super) const NOTICE: f64 = 2.0;

/// Phase of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// No process exists.
    Down,
    /// The process exists but does not serve yet.
    Booting,
    /// The process serves.
    Serving,
}

/// State of the process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) phase: Phase,
    /// Set during a drain.
    pub(super) draining: bool,
    /// Number of the instance.
    pub(super) instance: u32,
    /// Time of the process's start.
    pub(super) started: f64,
    /// Time since which the app is not ready.
    pub(super) unready_since: Option<f64>,
    /// Time of the last cold cache: start or soft heal.
    pub(super) cold_since: f64,
    /// Number of delayed restarts so far; -1 if the next one is not delayed.
    delays: i32,
    /// Number of boots that still crash.
    crashes_left: u32,
}

// === impl Process ===

impl Process {
    /// Returns the process of the first instance.
    pub(super) fn new(start: &Start) -> Self {
        let serves = start.age >= 0.0;
        Self {
            phase: if serves { Phase::Serving } else { Phase::Down },
            draining: false,
            instance: 0,
            started: -start.age.max(0.0),
            unready_since: (!serves).then_some(0.0),
            cold_since: -start.age.max(0.0),
            delays: -1,
            crashes_left: start.crashes,
        }
    }

    /// Ends the process. Returns the time at which the next container is created.
    pub(super) fn exit(&mut self, now: f64, start: &Start) -> f64 {
        if now - self.started >= BACK_OFF_RESET {
            self.delays = -1;
        }
        let delay = if self.delays < 0 {
            0.0
        } else {
            (BACK_OFF * 2_f64.powi(self.delays)).min(MAX_BACK_OFF)
        };
        self.delays += 1;
        self.phase = Phase::Down;
        self.draining = false;
        self.instance += 1;
        self.unready_since.get_or_insert(now);
        now + delay + start.container_seconds
    }

    /// Starts the process.
    pub(super) fn start(&mut self, now: f64) {
        self.phase = Phase::Booting;
        self.started = now;
        self.cold_since = now;
    }

    /// Completes the boot. Returns `false` if it crashes.
    pub(super) fn boot(&mut self) -> bool {
        if self.crashes_left > 0 {
            self.crashes_left -= 1;
            return false;
        }
        self.phase = Phase::Serving;
        self.unready_since = None;
        true
    }

    /// Begins a drain.
    pub(super) fn drain(&mut self, now: f64) {
        self.draining = true;
        self.unready_since.get_or_insert(now);
    }

    /// Returns `true` if new requests go to other replicas, if these have capacity.
    pub(super) fn is_avoided(&self, now: f64) -> bool {
        self.unready_since
            .is_some_and(|since| now - since >= NOTICE)
    }

    /// Returns the CPU time of a request relative to the usual.
    pub(super) fn cold(&self, now: f64, start: &Start) -> f64 {
        if start.cold_factor <= 0.0 {
            return 1.0;
        }
        let age = (now - self.cold_since) / start.warm_up_seconds.max(1e-3);
        if age > 12.0 {
            1.0
        } else {
            1.0 + start.cold_factor * (-age).exp()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_are_delayed_longer_each_time_until_one_runs_for_ten_minutes() {
        let start = Start {
            container_seconds: 0.0,
            ..Start::default()
        };
        let mut process = Process::new(&start);
        let mut now = 0.0;
        let mut delays = Vec::new();
        for runs in [0.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 700.0, 5.0] {
            now += runs;
            let next = process.exit(now, &start);
            delays.push(next - now);
            now = next;
            process.start(now);
        }
        assert_eq!(
            delays,
            [0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 0.0, 10.0]
        );
    }
}

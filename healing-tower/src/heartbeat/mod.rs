//! Heartbeat of the app's runtime, measured by the care thread.
//!
//! The care thread wakes a task of the app's runtime ten times per second and records when that task last
//! ran. An external wake-up unparks a worker even if the only awake one is blocked. So a ping tests that
//! *any worker can run a task*, not that *the timer fires*.
//!
//! # Hazards
//!
//! A runtime with one free worker ticks, however many others are blocked; clients then see a higher
//! latency at the front door, not a stall. A runtime that has shut down is not reported as stalled; the
//! report is absent.

mod active_clock;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use healing_wire::health::Runtime;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use active_clock::ActiveClock;

use crate::lock::lock;

/// Time between two pings.
pub(crate) const PING_INTERVAL: Duration = Duration::from_millis(100);
/// Length of the lag window, in seconds.
const LAG_SECONDS: usize = 10;

/// State of pings and ticks, shared by the care thread and the app's runtime.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    clock: ActiveClock,
    stall_after: Duration,
    ping: Notify,
    tick: Notify,
    running: AtomicBool,
    history: Mutex<History>,
}

/// Times on the [`ActiveClock`].
#[derive(Debug, Default)]
struct History {
    last_tick: Duration,
    /// Time of the ping that has no tick yet.
    pending_ping: Option<Duration>,
    /// Second and worst lag in it, for each of the last [`LAG_SECONDS`] seconds.
    lag: [(u64, Duration); LAG_SECONDS],
}

impl Heartbeat {
    pub(crate) fn new(stall_after: Duration) -> Self {
        Self {
            clock: ActiveClock::new(Instant::now()),
            stall_after,
            ping: Notify::new(),
            tick: Notify::new(),
            running: AtomicBool::new(false),
            history: Mutex::default(),
        }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        lock(&self.history)
    }

    /// Records a tick per ping until the runtime shuts down. Runs as a task of the app's runtime.
    pub(crate) async fn run(self: Arc<Self>) {
        struct Running(Arc<Heartbeat>);
        impl Drop for Running {
            fn drop(&mut self) {
                self.0.running.store(false, Ordering::Release);
                self.0.tick.notify_waiters();
            }
        }
        let running = Running(self);
        let heartbeat = &running.0;
        heartbeat.record_tick(Instant::now());
        heartbeat.running.store(true, Ordering::Release);
        loop {
            heartbeat.ping.notified().await;
            heartbeat.record_tick(Instant::now());
        }
    }

    /// Sends a ping unless one is pending. Called by the care thread, once per [`PING_INTERVAL`].
    pub(crate) fn ping(&self, now: Instant) {
        self.clock.advance(now);
        let mut history = self.history();
        if history.pending_ping.is_none() {
            history.pending_ping = Some(self.clock.now(now));
            drop(history);
            self.ping.notify_one();
        }
    }

    /// Records that the runtime has run the heartbeat's task.
    fn record_tick(&self, now: Instant) {
        let now = self.clock.now(now);
        let mut history = self.history();
        history.last_tick = now;
        if let Some(sent) = history.pending_ping.take() {
            let (lag, second) = (now.saturating_sub(sent), now.as_secs());
            let slot = &mut history.lag[slot(second)];
            let worst = if slot.0 == second {
                slot.1
            } else {
                Duration::ZERO
            };
            *slot = (second, worst.max(lag));
        }
        drop(history);
        self.tick.notify_waiters();
    }

    /// Resolves at the next tick after this call; stays pending while the runtime does not run.
    pub(crate) fn next_tick(&self) -> Notified<'_> {
        self.tick.notified()
    }

    /// Returns `true` if the runtime has ticked at least once and still exists.
    pub(crate) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// Returns the time since the last tick; absent before the first tick and after the runtime's shutdown.
    pub(crate) fn tick_age(&self, now: Instant) -> Option<Duration> {
        self.is_running()
            .then(|| self.clock.now(now).saturating_sub(self.history().last_tick))
    }

    /// Returns `true` if the last tick is older than the stall limit, so that no task of the app makes
    /// progress.
    pub(crate) fn is_stalled(&self, now: Instant) -> bool {
        self.is_stalled_for(now, self.stall_after)
    }

    /// Returns `true` if the runtime has not ticked for longer than `limit`.
    pub(crate) fn is_stalled_for(&self, now: Instant, limit: Duration) -> bool {
        self.tick_age(now).is_some_and(|age| age > limit)
    }

    /// Returns the worst lag of the last 10 s, that of a pending ping included.
    fn lag(&self, now: Instant) -> Duration {
        let now = self.clock.now(now);
        let history = self.history();
        let recent = |(second, _): &&(u64, Duration)| second + LAG_SECONDS as u64 > now.as_secs();
        let worst = history.lag.iter().filter(recent).map(|(_, lag)| *lag).max();
        let pending = history.pending_ping.map(|sent| now.saturating_sub(sent));
        worst.max(pending).unwrap_or_default()
    }

    /// Returns the runtime's part of `/health`; absent if no runtime is observed.
    pub(crate) fn report(&self, now: Instant) -> Option<Runtime> {
        self.tick_age(now).map(|age| Runtime {
            tick_age_seconds: age.as_secs_f64(),
            lag_seconds: self.lag(now).as_secs_f64(),
            stalled: self.is_stalled(now),
            stall_after_seconds: Some(self.stall_after.as_secs_f64()),
            workers: None,
        })
    }
}

fn slot(second: u64) -> usize {
    usize::try_from(second % LAG_SECONDS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests;

//! Whether the app's runtime makes progress, seen from outside it.
//!
//! The care thread wakes a task of the app's runtime ten times a second and looks when that task
//! last ran. The wake comes from another thread on purpose: a runtime whose one awake worker is
//! blocked while the others sleep gets a worker woken by it, so a ping asks *can any worker run a
//! task*, not *does the timer still fire*.
//!
//! # Hazards
//! A runtime with one free worker ticks, however many others are blocked: what clients then see
//! is the front door's latency, not a stall. A runtime that was shut down is not stalled; it is
//! gone, and says so.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use healing_core::health::Runtime;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::awake::AwakeClock;

/// Between two pings.
pub(crate) const PING_EVERY: Duration = Duration::from_millis(100);
/// Lag is the worst of so many seconds.
const LAG_SECONDS: usize = 10;

/// The shared record of pings and ticks.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    clock: AwakeClock,
    stall_after: Duration,
    ping: Notify,
    tick: Notify,
    beating: AtomicBool,
    record: Mutex<Record>,
}

/// All times are of the care thread's clock.
#[derive(Debug, Default)]
struct Record {
    last_tick: Duration,
    /// When the ping that has no tick yet was sent.
    open_ping: Option<Duration>,
    /// Worst lag of each of the last seconds: the second, and the lag in it.
    lag: [(u64, Duration); LAG_SECONDS],
}

impl Heartbeat {
    pub(crate) fn new(stall_after: Duration) -> Self {
        Self {
            clock: AwakeClock::new(Instant::now()),
            stall_after,
            ping: Notify::new(),
            tick: Notify::new(),
            beating: AtomicBool::new(false),
            record: Mutex::default(),
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The task on the app's runtime: answers pings until its runtime ends.
    pub(crate) async fn beat(self: Arc<Self>) {
        struct Beating(Arc<Heartbeat>);
        impl Drop for Beating {
            fn drop(&mut self) {
                self.0.beating.store(false, Ordering::Release);
                self.0.tick.notify_waiters();
            }
        }
        let beating = Beating(self);
        let heart = &beating.0;
        heart.answer(Instant::now());
        heart.beating.store(true, Ordering::Release);
        loop {
            heart.ping.notified().await;
            heart.answer(Instant::now());
        }
    }

    /// The care thread's part, ten times a second: sends a ping unless one is open.
    pub(crate) fn ping(&self, now: Instant) {
        self.clock.turn(now);
        let mut record = self.record();
        if record.open_ping.is_none() {
            record.open_ping = Some(self.clock.at(now));
            drop(record);
            self.ping.notify_one();
        }
    }

    fn answer(&self, now: Instant) {
        let now = self.clock.at(now);
        let mut record = self.record();
        record.last_tick = now;
        if let Some(sent) = record.open_ping.take() {
            let (lag, second) = (now.saturating_sub(sent), now.as_secs());
            let slot = &mut record.lag[slot(second)];
            let worst = if slot.0 == second {
                slot.1
            } else {
                Duration::ZERO
            };
            *slot = (second, worst.max(lag));
        }
        drop(record);
        self.tick.notify_waiters();
    }

    /// The next tick from this call on; pends while the runtime does not run.
    pub(crate) fn next_tick(&self) -> Notified<'_> {
        self.tick.notified()
    }

    /// The runtime has ticked at least once and still exists.
    pub(crate) fn is_beating(&self) -> bool {
        self.beating.load(Ordering::Acquire)
    }

    /// Time since the last tick; absent before the first and after the runtime's end.
    pub(crate) fn tick_age(&self, now: Instant) -> Option<Duration> {
        self.is_beating()
            .then(|| self.clock.at(now).saturating_sub(self.record().last_tick))
    }

    /// No task of the app makes progress.
    pub(crate) fn is_stalled(&self, now: Instant) -> bool {
        self.is_silent_for(now, self.stall_after)
    }

    /// The last tick is older than this.
    pub(crate) fn is_silent_for(&self, now: Instant, limit: Duration) -> bool {
        self.tick_age(now).is_some_and(|age| age > limit)
    }

    /// The worst lag of the last 10 s, that of an open ping included.
    fn lag(&self, now: Instant) -> Duration {
        let now = self.clock.at(now);
        let record = self.record();
        let recent = |(second, _): &&(u64, Duration)| second + LAG_SECONDS as u64 > now.as_secs();
        let worst = record.lag.iter().filter(recent).map(|(_, lag)| *lag).max();
        let open = record.open_ping.map(|sent| now.saturating_sub(sent));
        worst.max(open).unwrap_or_default()
    }

    /// For `/health`; absent where there is no runtime to speak of.
    pub(crate) fn report(&self, now: Instant) -> Option<Runtime> {
        self.tick_age(now).map(|age| Runtime {
            tick_age_seconds: age.as_secs_f64(),
            lag_seconds: self.lag(now).as_secs_f64(),
            stalled: self.is_stalled(now),
        })
    }
}

fn slot(second: u64) -> usize {
    usize::try_from(second % LAG_SECONDS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests;

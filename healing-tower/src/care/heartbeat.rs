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

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use healing_core::health::Runtime;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Between two pings.
pub(crate) const PING_EVERY: Duration = Duration::from_millis(100);
/// Lag is the worst of so many seconds.
const LAG_SECONDS: usize = 10;

/// The shared record of pings and ticks. All times are nanoseconds since `origin`.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    origin: Instant,
    stall_after: Duration,
    ping: Notify,
    tick: Notify,
    last_tick: AtomicU64,
    /// When the ping that has no tick yet was sent; 0 = none is open.
    open_ping: AtomicU64,
    beating: AtomicBool,
    /// Worst lag of each of the last seconds: the second, and the lag in it.
    lag: Mutex<[(u64, Duration); LAG_SECONDS]>,
}

impl Heartbeat {
    pub(crate) fn new(stall_after: Duration) -> Self {
        Self {
            origin: Instant::now(),
            stall_after,
            ping: Notify::new(),
            tick: Notify::new(),
            last_tick: AtomicU64::new(0),
            open_ping: AtomicU64::new(0),
            beating: AtomicBool::new(false),
            lag: Mutex::default(),
        }
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
        heart
            .last_tick
            .store(heart.nanos(Instant::now()), Ordering::Release);
        heart.beating.store(true, Ordering::Release);
        loop {
            heart.ping.notified().await;
            heart.answer(Instant::now());
        }
    }

    /// The care thread's part: sends a ping unless one is open.
    pub(crate) fn ping(&self, now: Instant) {
        let now = self.nanos(now).max(1);
        if self
            .open_ping
            .compare_exchange(0, now, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
        {
            self.ping.notify_one();
        }
    }

    fn answer(&self, now: Instant) {
        let now_nanos = self.nanos(now);
        self.last_tick.store(now_nanos, Ordering::Release);
        let sent = self.open_ping.swap(0, Ordering::AcqRel);
        if sent > 0 {
            self.note_lag(now, Duration::from_nanos(now_nanos.saturating_sub(sent)));
        }
        self.tick.notify_waiters();
    }

    fn note_lag(&self, now: Instant, lag: Duration) {
        let second = now.saturating_duration_since(self.origin).as_secs();
        let mut seconds = self.lag.lock().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(second % LAG_SECONDS as u64).unwrap_or(0);
        let slot = &mut seconds[index];
        *slot = if slot.0 == second {
            (second, slot.1.max(lag))
        } else {
            (second, lag)
        };
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
        self.is_beating().then(|| {
            let last = self.last_tick.load(Ordering::Acquire);
            Duration::from_nanos(self.nanos(now).saturating_sub(last))
        })
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
    pub(crate) fn lag(&self, now: Instant) -> Duration {
        let second = now.saturating_duration_since(self.origin).as_secs();
        let seconds = self.lag.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = seconds
            .iter()
            .filter(|(of, _)| of + LAG_SECONDS as u64 > second)
            .map(|(_, lag)| *lag)
            .max()
            .unwrap_or_default();
        let open = match self.open_ping.load(Ordering::Acquire) {
            0 => Duration::ZERO,
            sent => Duration::from_nanos(self.nanos(now).saturating_sub(sent)),
        };
        recent.max(open)
    }

    /// For `/health`; absent where there is no runtime to speak of.
    pub(crate) fn report(&self, now: Instant) -> Option<Runtime> {
        self.tick_age(now).map(|age| Runtime {
            tick_age_seconds: age.as_secs_f64(),
            lag_seconds: self.lag(now).as_secs_f64(),
            stalled: self.is_stalled(now),
        })
    }

    fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.origin).as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALL: Duration = Duration::from_secs(10);

    /// A heart whose runtime is this test: it answers when told to.
    fn beating() -> (Heartbeat, Instant) {
        let heart = Heartbeat::new(STALL);
        heart.beating.store(true, Ordering::Release);
        let start = heart.origin;
        (heart, start)
    }

    #[test]
    fn silence_becomes_a_stall_and_a_tick_ends_it() {
        let (heart, start) = beating();
        heart.ping(start);
        assert!(!heart.is_stalled(start + STALL));
        assert!(heart.is_stalled(start + STALL + Duration::from_millis(1)));
        heart.answer(start + Duration::from_secs(11));
        assert!(!heart.is_stalled(start + Duration::from_secs(12)));
        let lag = heart
            .report(start + Duration::from_secs(12))
            .expect("beating")
            .lag_seconds;
        assert!((lag - 11.0).abs() < 1e-6, "{lag}");
    }

    #[test]
    fn lag_is_the_worst_of_ten_seconds_and_counts_the_open_ping() {
        let (heart, start) = beating();
        let at = |millis| start + Duration::from_millis(millis);
        let mut lags = Vec::new();
        for second in 1..=30_u64 {
            heart.ping(at(second * 1000));
            heart.answer(at(second * 1000 + if second == 12 { 300 } else { 2 }));
            lags.push(heart.lag(at(second * 1000 + 900)).as_millis());
        }
        assert_eq!((lags[10], lags[11]), (2, 300), "from the twelfth second on");
        assert_eq!((lags[20], lags[21]), (300, 2), "for ten seconds");
        heart.ping(at(31_000));
        heart.ping(at(31_400));
        assert_eq!(
            heart.lag(at(31_500)),
            Duration::from_millis(500),
            "from the first ping on"
        );
    }

    #[tokio::test]
    async fn a_runtime_that_runs_answers_and_one_that_ended_is_gone() {
        let heart = Arc::new(Heartbeat::new(STALL));
        assert_eq!(heart.report(Instant::now()), None, "nobody beats yet");
        let task = tokio::spawn(Arc::clone(&heart).beat());
        while !heart.is_beating() {
            tokio::task::yield_now().await;
        }
        let tick = heart.next_tick();
        heart.ping(Instant::now());
        tick.await;
        assert!(
            heart
                .report(Instant::now())
                .is_some_and(|runtime| !runtime.stalled)
        );
        task.abort();
        let _ = task.await;
        assert_eq!(
            heart.report(Instant::now() + STALL * 9),
            None,
            "gone is not stalled"
        );
    }
}

//! Heartbeat of the runtime, a task that the care thread wakes ten times per second.

/// Length of the lag window in seconds.
const LAG_SECONDS: usize = 10;
/// Age of the last tick above which the runtime counts as stalled, in seconds.
const STALL_AFTER: f64 = 10.0;

/// Pings and ticks of one instance.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    /// Time at which the task last ran.
    last_tick: f64,
    /// Time at which the pending ping was sent.
    pending: Option<f64>,
    /// Highest lag in seconds of each of the last seconds, with the number of the second.
    lags: [(u64, f64); LAG_SECONDS],
}

// === impl Heartbeat ===

impl Heartbeat {
    /// Returns the heartbeat of a runtime that starts.
    pub(super) fn new(now: f64) -> Self {
        Self {
            last_tick: now,
            ..Self::default()
        }
    }

    /// Sends a ping. Returns `false` if one is pending.
    pub(super) fn ping(&mut self, now: f64) -> bool {
        let sends = self.pending.is_none();
        self.pending.get_or_insert(now);
        sends
    }

    /// Records that the task has run.
    pub(super) fn tick(&mut self, now: f64) {
        self.last_tick = now;
        if let Some(sent) = self.pending.take() {
            let second = second(now);
            #[allow(clippy::cast_possible_truncation)] // small
            let slot = &mut self.lags[second as usize % LAG_SECONDS];
            let before = if slot.0 == second { slot.1 } else { 0.0 };
            *slot = (second, before.max(now - sent));
        }
    }

    /// Returns the age of the last tick in seconds.
    pub(super) fn age(&self, now: f64) -> f64 {
        (now - self.last_tick).max(0.0)
    }

    /// Returns `true` if the runtime is stalled.
    pub(super) fn is_stalled(&self, now: f64) -> bool {
        self.age(now) > STALL_AFTER
    }

    /// Returns the highest lag of the last ten seconds, that of a pending ping included.
    pub(super) fn lag(&self, now: f64) -> f64 {
        let current = second(now);
        let recent = self
            .lags
            .iter()
            .filter(|(at, _)| at + LAG_SECONDS as u64 > current);
        let pending = self.pending.map_or(0.0, |sent| now - sent);
        recent.map(|(_, lag)| *lag).fold(pending, f64::max)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative
fn second(now: f64) -> u64 {
    now.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_the_highest_of_ten_seconds_and_the_pending_one() {
        let mut heartbeat = Heartbeat::new(0.0);
        assert!(heartbeat.ping(1.0) && !heartbeat.ping(1.1));
        heartbeat.tick(1.4);
        assert!((heartbeat.lag(5.0) - 0.4).abs() < 1e-9);
        assert!(heartbeat.lag(11.5) < 1e-9, "too long ago");
        heartbeat.ping(12.0);
        assert!((heartbeat.lag(12.7) - 0.7).abs() < 1e-9);
        assert!(!heartbeat.is_stalled(11.3) && heartbeat.is_stalled(11.5));
    }
}

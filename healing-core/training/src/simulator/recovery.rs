//! Recovery of an episode: the time from the onset to the first minute after harm in which clients are
//! served as before.

use std::collections::VecDeque;
use std::time::Duration;

use super::app::ClientOutcomes;

/// Seconds over which clients are looked at for harm and recovery.
const WINDOW: u32 = 60;
/// Share of failed requests, in addition to the usual ones, from which clients are harmed.
const HARMED_SHARE: f64 = 0.05;
/// Share of failed requests, in addition to the usual ones, below which clients are served as before.
const RECOVERED_SHARE: f64 = 0.02;

/// Watch for the first harm to clients and the recovery from it.
pub(super) struct RecoveryWatch {
    onset: u32,
    usual_share: f64,
    /// Totals of the clients in the last [`WINDOW`] seconds.
    totals: VecDeque<ClientOutcomes>,
    is_harmed: bool,
    /// Time from the onset until clients are served as before, once that is known.
    pub(super) recovered_after: Option<Duration>,
}

impl RecoveryWatch {
    /// Returns a watch from the onset on. `usual_share` of the requests fail without a fault.
    pub(super) fn new(onset: u32, usual_share: f64) -> Self {
        Self {
            onset,
            usual_share,
            totals: VecDeque::with_capacity(WINDOW as usize + 1),
            is_harmed: false,
            recovered_after: None,
        }
    }

    /// Observes the totals of the clients after each second.
    pub(super) fn observe(&mut self, second: u32, totals: ClientOutcomes) {
        self.totals.push_back(totals);
        if self.totals.len() <= WINDOW as usize {
            return;
        }
        let Some(before) = self.totals.pop_front() else {
            return;
        };
        if second <= self.onset || self.recovered_after.is_some() {
            return;
        }
        let failed = totals.failed - before.failed;
        let requests = (totals.requests - before.requests).max(1.0);
        let share = failed / requests - self.usual_share;
        if share > HARMED_SHARE {
            self.is_harmed = true;
        } else if self.is_harmed && share < RECOVERED_SHARE {
            // The whole window is good, so service was restored at its start.
            let seconds = second.saturating_sub(self.onset + WINDOW);
            self.recovered_after = Some(Duration::from_secs(seconds.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the recovery of clients with 10 requests per second, of which `failing` fail in a second.
    fn recovery(failing: impl Fn(u32) -> f64) -> Option<u64> {
        let mut watch = RecoveryWatch::new(100, 0.01);
        let mut totals = ClientOutcomes::default();
        for second in 1..=1000 {
            totals.requests += 10.0;
            totals.failed += failing(second);
            watch.observe(second, totals);
        }
        watch.recovered_after.map(|after| after.as_secs())
    }

    #[test]
    fn recovery_begins_with_the_first_good_minute_after_harm() {
        let failing = |second| f64::from(u8::from((120..200).contains(&second))) * 10.0;
        let after = recovery(failing).unwrap();
        assert!((98..=100).contains(&after), "{after}");
    }

    #[test]
    fn recovery_is_absent_without_harm_or_end_of_it() {
        assert_eq!(recovery(|_| 0.3), None);
        assert_eq!(recovery(|second| f64::from(u8::from(second > 120))), None);
    }
}

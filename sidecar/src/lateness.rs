//! Time that the doctor lost during a poll because it did not run.
//!
//! A doctor that is stopped, starved of CPU or waiting for name resolution sees the app's responses late.
//! Its time-outs are then its own, and the poll is void.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// Interval at which the doctor should run during a poll.
const TICK: Duration = Duration::from_millis(100);

/// Awaits `work`. Returns its output and the time by which the doctor's own timer was late meanwhile.
pub(crate) async fn watch<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let mut work = pin!(work);
    let mut lost = Duration::ZERO;
    loop {
        let due = Instant::now() + TICK;
        let result = timeout_at(due, &mut work).await;
        lost += due.elapsed();
        if let Ok(output) = result {
            return (output, lost);
        }
    }
}

/// Returns the time by which a timer was late. A timer that elapsed while the doctor was busy is due when
/// the doctor waits for it.
pub(crate) fn delay(due: Instant, waiting_since: Instant) -> Duration {
    due.max(waiting_since).elapsed()
}

/// Returns `true` if the doctor lost so much time that its results say nothing about the app: half of the
/// time that the app has to respond.
pub(crate) fn is_late(lost: Duration, probe_timeout: Duration) -> bool {
    lost >= probe_timeout / 2
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn waiting_loses_no_time() {
        let (output, lost) = watch(async {
            sleep(3 * SECOND).await;
            7
        })
        .await;
        assert_eq!((output, lost), (7, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn stop_in_the_middle_is_lost_time() {
        let work = async {
            sleep(SECOND).await;
            advance(20 * SECOND).await; // no timer runs meanwhile
            sleep(SECOND).await;
        };
        let ((), lost) = watch(work).await;
        assert!(lost > 19 * SECOND && lost <= 20 * SECOND, "{lost:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn stop_before_the_last_result_is_lost_time() {
        let ((), lost) = watch(advance(20 * SECOND)).await;
        assert_eq!(lost, 20 * SECOND - TICK);
    }

    #[tokio::test(start_paused = true)]
    async fn many_short_delays_add_up() {
        let work = async {
            for _ in 0..20 {
                advance(Duration::from_millis(200)).await;
                sleep(Duration::from_millis(1)).await;
            }
        };
        let ((), lost) = watch(work).await;
        assert!(is_late(lost, 2 * SECOND), "{lost:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn delay_begins_when_the_timer_is_due_and_awaited() {
        let begin = Instant::now();
        advance(10 * SECOND).await;
        assert_eq!(delay(begin + 4 * SECOND, begin), 6 * SECOND);
        assert_eq!(delay(begin, begin + 9 * SECOND), SECOND);
    }

    #[test]
    fn poll_is_late_from_half_of_the_probe_timeout() {
        assert!(!is_late(Duration::from_millis(999), 2 * SECOND));
        assert!(is_late(SECOND, 2 * SECOND));
    }
}

//! Periodic work of the care thread: pings and samples.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use super::catch_panic::CatchPanic;
use crate::heartbeat::{Heartbeat, PING_INTERVAL};
use crate::shared::Shared;
use crate::vitals::{Sample, Sampler};

/// Time between two samples of the meter; see [`Meter::tick`](crate::Meter::tick).
const METER_INTERVAL: Duration = Duration::from_millis(250);
/// Number of meter samples per sample of the vitals.
const METER_SAMPLES_PER_VITALS: u32 = 4;

/// Pings the app's runtime until dropped.
pub(super) async fn ping(heartbeat: Arc<Heartbeat>) {
    let mut due = interval(PING_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        heartbeat.ping(Instant::now());
    }
}

/// Samples the process, its limits and the meter until dropped. A panic does not stop the sampling,
/// because the last values would otherwise be shown as current forever.
pub(super) async fn sample(shared: Arc<Shared>) {
    sample_with(shared, || {
        let mut sampler = Sampler::new();
        move |now| sampler.sample(now)
    })
    .await;
}

/// Samples with a sampler that is replaced after a panic.
async fn sample_with<S>(shared: Arc<Shared>, new_sampler: impl Fn() -> S)
where
    S: FnMut(Instant) -> Sample,
{
    let (mut meter, mut readiness, mut vitals) = (
        CatchPanic::new("sampling the meter"),
        CatchPanic::new("evaluating readiness"),
        CatchPanic::new("sampling the vitals"),
    );
    let mut sampler = None;
    let mut due = interval(METER_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for turn in (0..METER_SAMPLES_PER_VITALS).cycle() {
        due.tick().await;
        let now = Instant::now();
        meter.run(|| shared.meter.tick(now));
        // Records the first time that the instance is ready, even without a probe.
        readiness.run(|| shared.unready(now));
        if turn == 0 {
            let sample = vitals.run(|| sampler.get_or_insert_with(&new_sampler)(now));
            if sample.is_none() {
                sampler = None;
            }
            // After a panic the vitals are absent, because the last ones would be stale.
            shared.vitals.store(sample.unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn vitals_are_absent_after_a_panic_and_return_with_a_new_sampler() {
        let shared = Shared::for_test("panics");
        let samplers = std::sync::atomic::AtomicU32::new(0);
        let new_sampler = move || {
            let number = samplers.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut runs_left = 2;
            move |_| {
                runs_left -= 1;
                assert!(runs_left > 0, "an impossible reading");
                Sample {
                    cpu_usage: Some(f64::from(number)),
                    ..Sample::default()
                }
            }
        };
        let sampling = tokio::spawn(sample_with(Arc::clone(&shared), new_sampler));
        let usage = |millis| {
            let shared = Arc::clone(&shared);
            async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                shared.vitals.load().and_then(|sample| sample.cpu_usage)
            }
        };
        assert_eq!(usage(1).await, Some(0.0));
        assert_eq!(usage(1000).await, None, "not the old sample");
        assert_eq!(usage(1000).await, Some(1.0), "a new sampler");
        assert!(!sampling.is_finished());
        sampling.abort();
    }
}

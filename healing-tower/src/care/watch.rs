//! What the care thread does again and again: ping and sample.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use super::contained::Contained;
use super::heartbeat::{Heartbeat, PING_EVERY};
use crate::app::App;
use crate::vitals::{Sample, Sampler};

/// The meter's windows want four samples a second, vitals at most one.
const METER_EVERY: Duration = Duration::from_millis(250);
const VITALS_EVERY: u32 = 4;

pub(super) async fn pings(heart: Arc<Heartbeat>) {
    let mut due = interval(PING_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        heart.ping(Instant::now());
    }
}

/// Samples the process, its limits and the meter until it is dropped. A turn that panics is not the
/// last: frozen figures would be shown as current ones for ever.
pub(super) async fn samples(app: Arc<App>) {
    sampled_by(app, || {
        let mut sampler = Sampler::new();
        move |now| sampler.sample(now)
    })
    .await;
}

/// The sampler is made anew where it panicked.
async fn sampled_by<S>(app: Arc<App>, sampler: impl Fn() -> S)
where
    S: FnMut(Instant) -> Sample,
{
    let (mut meter, mut readiness, mut vitals) = (
        Contained::new("sampling the meter"),
        Contained::new("looking for readiness"),
        Contained::new("sampling the vitals"),
    );
    let mut sample = None;
    let mut due = interval(METER_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for turn in (0..VITALS_EVERY).cycle() {
        due.tick().await;
        let now = Instant::now();
        meter.turn(|| app.meter.tick(now));
        // So that having been ready once is noticed without a probe.
        readiness.turn(|| app.unready(now));
        if turn == 0 {
            let sampled = vitals.turn(|| sample.get_or_insert_with(&sampler)(now));
            if sampled.is_none() {
                sample = None;
            }
            // Absent rather than old.
            app.vitals.store(sampled.unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Healing;

    #[tokio::test(start_paused = true)]
    async fn vitals_that_panic_are_absent_and_come_back() {
        let app = Healing::builder("panics").build().app;
        let turns = std::sync::atomic::AtomicU32::new(0);
        let sampler = move || {
            let turn = turns.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut left = 2;
            move |_| {
                left -= 1;
                assert!(left > 0, "a reading that cannot be");
                Sample {
                    cpu_usage: Some(f64::from(turn)),
                    ..Sample::default()
                }
            }
        };
        let sampling = tokio::spawn(sampled_by(Arc::clone(&app), sampler));
        let usage = |millis| {
            let app = Arc::clone(&app);
            async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                app.vitals.load().and_then(|sample| sample.cpu_usage)
            }
        };
        assert_eq!(usage(1).await, Some(0.0));
        assert_eq!(usage(1000).await, None, "not the old one");
        assert_eq!(usage(1000).await, Some(1.0), "a new sampler");
        assert!(!sampling.is_finished());
        sampling.abort();
    }
}

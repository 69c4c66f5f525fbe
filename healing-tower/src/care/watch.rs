//! What the care thread does again and again: ping and sample.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use super::heartbeat::{Heartbeat, PING_EVERY};
use crate::app::App;
use crate::vitals::Sampler;

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

pub(super) async fn samples(app: Arc<App>) {
    let mut sampler = Sampler::new();
    let mut due = interval(METER_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for turn in (0..VITALS_EVERY).cycle() {
        due.tick().await;
        let now = Instant::now();
        app.meter.tick(now);
        app.unready(now); // so that having been ready once is noticed without a probe
        if turn == 0 {
            app.vitals.store(sampler.sample(now));
        }
    }
}

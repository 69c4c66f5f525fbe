//! What the care thread does again and again: ping, sample, listen for SIGTERM.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use super::heartbeat::{Heartbeat, PING_EVERY};
use super::log;
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

/// SIGTERM, taken from the default action that would end the process at once.
#[cfg(unix)]
pub(super) struct Sigterm(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Sigterm {
    pub(super) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate()).map(Self)
    }

    pub(super) async fn watch(mut self, app: Arc<App>) {
        while self.0.recv().await.is_some() {
            app.life.terminate(Instant::now());
            let name = app.name.clone();
            log::say(move || tracing::info!(app = name, "SIGTERM: draining"));
        }
    }
}

/// Elsewhere nobody sends SIGTERM.
#[cfg(not(unix))]
pub(super) struct Sigterm;

#[cfg(not(unix))]
impl Sigterm {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn watch(self, _app: Arc<App>) {}
}

//! Drain of the app before a hard heal: no new work, and time for the requests in flight.

use std::time::Duration;

use healing_core::heal::HealAction;
use healing_core::observation::ProbeResult;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::app_client::{App, CareError};
use crate::config::Settings;
use crate::heartbeat::Heartbeat;
use crate::recorder::Recorder;

/// Interval of looks at the requests in flight.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Interval of renewals. The drain is a lease of 30 s.
const RENEW_INTERVAL: Duration = Duration::from_secs(10);

/// Drain with its time limits.
#[derive(Debug, Clone)]
pub(crate) struct Drain {
    settle: Duration,
    timeout: Duration,
    request_timeout: Duration,
    heartbeat: Heartbeat,
}

impl Drain {
    pub(crate) fn new(settings: &Settings, heartbeat: Heartbeat) -> Self {
        Self {
            settle: settings.drain_settle,
            timeout: settings.drain_timeout,
            request_timeout: settings.probe_timeout,
            heartbeat,
        }
    }

    /// Drains the app until nothing is in flight or the time is over. A sick app that cannot drain
    /// is restarted all the same.
    pub(crate) async fn run(&self, app: &impl App, recorder: &mut Recorder) {
        let begin = Instant::now();
        if let Err(error) = self.request(app).await {
            tracing::warn!(%error, "the app does not drain");
            return;
        }
        sleep(self.settle).await;
        let in_flight = self.wait(app, begin).await;
        let took = begin.elapsed();
        tracing::info!(in_flight, ?took, "drained");
        recorder.note(
            "drain",
            &json!({"open_requests": in_flight, "took_seconds": took.as_secs_f64()}),
        );
    }

    /// Ends the drain. Returns `false` if the app did not answer and is to be asked again.
    pub(crate) async fn undrain(&self, app: &impl App) -> bool {
        match app.heal(HealAction::Undrain, self.request_timeout).await {
            Ok(_) => true,
            Err(error @ CareError::NoReply(_)) => {
                tracing::warn!(%error, "cannot undrain the app");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "cannot undrain the app; its drain lease expires by itself");
                true
            }
        }
    }

    /// Waits for the requests in flight. Returns the number of those left, `None` if it is unknown
    /// or the app has ended.
    async fn wait(&self, app: &impl App, begin: Instant) -> Option<u64> {
        let deadline = Instant::now() + self.timeout;
        let mut renewed = begin;
        loop {
            self.heartbeat.beat();
            let in_flight = match app.health().await.result {
                ProbeResult::Valid(health, _) => Some(health.in_flight.unwrap_or(0)),
                ProbeResult::Refused => return None,
                _ => None,
            };
            if in_flight == Some(0) || Instant::now() >= deadline {
                return in_flight;
            }
            if renewed.elapsed() >= RENEW_INTERVAL {
                renewed = Instant::now();
                if let Err(error) = self.request(app).await {
                    tracing::warn!(%error, "cannot renew the drain");
                }
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    async fn request(&self, app: &impl App) -> Result<(), CareError> {
        app.heal(HealAction::Drain, self.request_timeout).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! Drain of the app before a hard heal. New work stops, and requests in flight get time to finish.

use std::time::Duration;

use healing_core::heal::HealAction;
use healing_core::observation::ProbeResult;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::app_client::{App, CareError};
use crate::config::Settings;
use crate::heartbeat::Heartbeat;
use crate::recorder::Recorder;

/// Interval of polls of the requests in flight.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Interval of renewals of the drain, which is a lease of 30 s.
const RENEW_INTERVAL: Duration = Duration::from_secs(10);

/// Drain of the app, with its time limits.
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

    /// Drains the app until nothing is in flight or the time limit is reached. A failed drain does
    /// not prevent the restart.
    pub(crate) async fn run(&self, app: &impl App, recorder: &mut Recorder) {
        let begin = Instant::now();
        if let Err(error) = self.request(app).await {
            tracing::warn!(%error, "the app cannot be drained");
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

    /// Cancels the drain. Returns `false` if the app did not respond and the request must be repeated.
    pub(crate) async fn undrain(&self, app: &impl App) -> bool {
        match app.heal(HealAction::Undrain, self.request_timeout).await {
            Ok(_) => true,
            Err(error @ CareError::NoResponse(_)) => {
                tracing::warn!(%error, "cannot undrain the app");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "cannot undrain the app; the drain expires with its lease");
                true
            }
        }
    }

    /// Waits for the requests in flight. Returns the number of remaining ones, or `None` if it is
    /// unknown or the app has exited.
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

    /// Requests or renews the drain.
    async fn request(&self, app: &impl App) -> Result<(), CareError> {
        app.heal(HealAction::Drain, self.request_timeout).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

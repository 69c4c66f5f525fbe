//! Probes of the recorded app, sent by the doctor's own client.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use healing_core::health::Health;
use healing_core::observation::ProbeResult;
use healing_sidecar::app_client::{Probe, http};
use reqwest::{Client, Url};
use tokio::task::JoinHandle;

use super::recording::FrontDoor;

/// Limit of a probe. It is the doctor's default.
const LIMIT: Duration = Duration::from_secs(2);
/// Interval between the starts of two probes of the front door.
const INTERVAL: Duration = Duration::from_secs(1);

/// Probes of one app.
#[derive(Debug, Clone)]
pub(super) struct Probes {
    client: Client,
    probe: Probe,
    front_door: Url,
}

/// Probes of the front door that follow each other; dropping it stops them.
#[derive(Debug)]
pub(super) struct FrontDoorProbes {
    last: Arc<Mutex<FrontDoor>>,
    task: JoinHandle<()>,
}

// === impl Probes ===

impl Probes {
    /// Returns the probes of an app on 127.0.0.1.
    ///
    /// # Errors
    ///
    /// Returns an error if the HTTP client cannot be set up.
    pub(super) fn new(app: u16, care: u16) -> reqwest::Result<Self> {
        let client = http::client()?;
        let front_door = local(&client, app, "/healthz")?;
        let care = local(&client, care, "/")?;
        Ok(Self {
            probe: Probe::new(client.clone(), &front_door, &care, LIMIT),
            client,
            front_door,
        })
    }

    /// Returns the response of the care port, if it is valid and in time.
    pub(super) async fn health(&self) -> Option<Health> {
        match self.probe.health().await.result {
            ProbeResult::Valid(health, _) => Some(health),
            _ => None,
        }
    }

    /// Starts to probe the front door, each second or as soon as the previous probe has finished.
    pub(super) fn watch_front_door(&self) -> FrontDoorProbes {
        let last = Arc::new(Mutex::new(FrontDoor::Unknown));
        let (shared, probes) = (Arc::clone(&last), self.clone());
        let task = tokio::spawn(async move {
            loop {
                let next = Instant::now() + INTERVAL;
                let response = http::get(&probes.client, &probes.front_door, LIMIT).await;
                let is_in_time = response.is_ok_and(|response| response.status == 200);
                *shared.lock().unwrap_or_else(PoisonError::into_inner) = if is_in_time {
                    FrontDoor::InTime
                } else {
                    FrontDoor::Late
                };
                tokio::time::sleep_until(next.into()).await;
            }
        });
        FrontDoorProbes { last, task }
    }
}

/// Returns the address of a path on 127.0.0.1.
fn local(client: &Client, port: u16, path: &str) -> reqwest::Result<Url> {
    let request = client.get(format!("http://127.0.0.1:{port}{path}"));
    Ok(request.build()?.url().clone())
}

// === impl FrontDoorProbes ===

impl FrontDoorProbes {
    /// Returns the result of the last finished probe.
    pub(super) fn last(&self) -> FrontDoor {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FrontDoorProbes {
    fn drop(&mut self) {
        self.task.abort();
    }
}

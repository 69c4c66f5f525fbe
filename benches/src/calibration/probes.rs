//! Probes of the recorded app, sent by the doctor's own client.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use healing_core::health::Health;
use healing_sidecar::app_client::http::Client;
use tokio::task::JoinHandle;

use super::recording::FrontDoor;

/// Limit of a probe. It is the doctor's default.
const LIMIT: Duration = Duration::from_secs(2);
/// Interval between the starts of two probes of the front door.
const INTERVAL: Duration = Duration::from_secs(1);

/// Probes of one app.
#[derive(Debug, Clone)]
pub(super) struct Probes {
    front_door: Port,
    care: Port,
}

/// Client of one port.
#[derive(Debug, Clone)]
struct Port {
    client: Client,
    address: [SocketAddr; 1],
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
        Ok(Self {
            front_door: Port::new(app)?,
            care: Port::new(care)?,
        })
    }

    /// Returns the response of the care port, if it is valid and in time.
    pub(super) async fn health(&self) -> Option<Health> {
        let body = self.care.get("/health").await?;
        serde_json::from_slice(&body).ok()
    }

    /// Starts to probe the front door, each second or as soon as the previous probe has finished.
    pub(super) fn watch_front_door(&self) -> FrontDoorProbes {
        let last = Arc::new(Mutex::new(FrontDoor::Unknown));
        let (shared, front_door) = (Arc::clone(&last), self.front_door.clone());
        let task = tokio::spawn(async move {
            loop {
                let next = Instant::now() + INTERVAL;
                let is_in_time = front_door.get("/healthz").await.is_some();
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

// === impl Port ===

impl Port {
    fn new(port: u16) -> reqwest::Result<Self> {
        let request = reqwest::Client::new().get(format!("http://127.0.0.1:{port}"));
        let url = request.build()?.url().clone();
        Ok(Self {
            client: Client::new(&url)?,
            address: [SocketAddr::from((Ipv4Addr::LOCALHOST, port))],
        })
    }

    /// Returns the body of a response with status 200 within the limit.
    async fn get(&self, path: &str) -> Option<Vec<u8>> {
        let response = self.client.get(&self.address, path, LIMIT).await.ok()?;
        (response.status == 200).then_some(response.body)
    }
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

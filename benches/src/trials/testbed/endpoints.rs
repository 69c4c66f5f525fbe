//! HTTP requests of the testbed itself to app and doctor.

use std::time::Duration;

use reqwest::StatusCode;

use super::RunError;
use super::ports::Ports;

/// Timeout of a request.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout of a readiness probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// Failure to inject a fault.
#[derive(Debug, thiserror::Error)]
pub(in crate::trials) enum FaultError {
    /// The service rejected the fault.
    #[error("the fault {fault} was rejected with {status}")]
    Rejected {
        /// Name of the fault.
        fault: String,
        /// Status of the response.
        status: StatusCode,
    },
    /// The service did not respond.
    #[error("the fault {fault} cannot be injected: {error}")]
    NoResponse {
        /// Name of the fault.
        fault: String,
        /// Error of the request.
        #[source]
        error: reqwest::Error,
    },
}

/// Endpoints of one pod.
#[derive(Debug)]
pub(in crate::trials) struct Endpoints {
    http: reqwest::Client,
    ports: Ports,
}

impl Endpoints {
    pub(super) fn new(ports: Ports) -> Result<Self, RunError> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .map_err(RunError::HttpClient)?;
        Ok(Self { http, ports })
    }

    /// Returns the ports of the pod.
    pub(super) fn ports(&self) -> Ports {
        self.ports
    }

    /// Injects a fault, or replaces its value.
    pub(in crate::trials) async fn inject(
        &self,
        fault: &str,
        value: u64,
    ) -> Result<(), FaultError> {
        let port = self.ports.control;
        let url = format!("http://127.0.0.1:{port}/faults/{fault}/{value}");
        let fault = fault.to_owned();
        match self.http.post(url).send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            // The process exits before it sends the response.
            Err(_) if fault == "crash" => Ok(()),
            Ok(response) => Err(FaultError::Rejected {
                fault,
                status: response.status(),
            }),
            Err(error) => Err(FaultError::NoResponse { fault, error }),
        }
    }

    /// Returns `true` if the app reports on its own port that it is ready. The care port is not used,
    /// because the service that measures the capacity has another one.
    pub(in crate::trials) async fn app_is_ready(&self) -> bool {
        let url = format!("http://127.0.0.1:{}/readyz", self.ports.app);
        let request = self.http.get(url).timeout(PROBE_TIMEOUT);
        matches!(request.send().await, Ok(response) if response.status().is_success())
    }

    /// Returns a field of the doctor's `/status`.
    pub(in crate::trials) async fn doctor_status(&self, field: &str) -> Option<serde_json::Value> {
        let url = format!("http://127.0.0.1:{}/status", self.ports.sidecar);
        let text = self.http.get(url).send().await.ok()?.text().await.ok()?;
        let status: serde_json::Value = serde_json::from_str(&text).ok()?;
        status.get(field).cloned()
    }
}

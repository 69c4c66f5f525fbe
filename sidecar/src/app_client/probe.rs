//! Probes of care port and front door.

use std::time::Duration;

use healing_core::health::Health;
use healing_core::observation::{InvalidAnswer, ProbeResult};
use reqwest::{Client, Url};

use super::http::{self, NoResponse, Response};
use super::validation::{OutOfRange, validate};

/// Client of the care port's `/health` and of the front door's `/healthz`.
#[derive(Debug, Clone)]
pub struct Probe {
    client: Client,
    health: Url,
    front_door: Url,
    limit: Duration,
}

/// Result of `GET /health`, with the figure that made the report invalid.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeReport {
    /// Result for the policy.
    pub result: ProbeResult<Health>,
    /// First figure out of range, if the result is [`InvalidAnswer::OutOfRange`].
    pub out_of_range: Option<OutOfRange>,
}

impl From<ProbeResult<Health>> for ProbeReport {
    fn from(result: ProbeResult<Health>) -> Self {
        Self {
            result,
            out_of_range: None,
        }
    }
}

impl Probe {
    /// Creates a probe of the app at these two addresses. Each request takes at most `limit`.
    #[must_use]
    pub fn new(client: Client, app: &Url, care: &Url, limit: Duration) -> Self {
        Self {
            client,
            health: http::at(care, "/health"),
            front_door: http::at(app, "/healthz"),
            limit,
        }
    }

    /// Probes care port and front door at the same time.
    pub async fn run(&self) -> (ProbeReport, ProbeResult<()>) {
        tokio::join!(self.health(), self.front_door())
    }

    /// Probes `GET /health` on the care port.
    pub async fn health(&self) -> ProbeReport {
        let response = http::get(&self.client, &self.health, self.limit).await;
        let response = match accepted(response) {
            Ok(response) => response,
            Err(result) => return result.into(),
        };
        let Ok(health) = serde_json::from_slice::<Health>(&response.body) else {
            return ProbeResult::Invalid(InvalidAnswer::Malformed).into();
        };
        match validate(&health) {
            Ok(()) => ProbeResult::Valid(health, response.took).into(),
            Err(out_of_range) => ProbeReport {
                result: ProbeResult::Invalid(InvalidAnswer::OutOfRange),
                out_of_range: Some(out_of_range),
            },
        }
    }

    /// Probes `GET /healthz` on the app's own port; the content of the response does not matter.
    async fn front_door(&self) -> ProbeResult<()> {
        let response = http::get(&self.client, &self.front_door, self.limit).await;
        match accepted(response) {
            Ok(response) => ProbeResult::Valid((), response.took),
            Err(result) => result,
        }
    }
}

/// Returns the response if its status is 200, otherwise the result of the probe.
fn accepted<T>(response: Result<Response, NoResponse>) -> Result<Response, ProbeResult<T>> {
    match response {
        Ok(response) if response.status == 200 => Ok(response),
        Ok(response) => Err(ProbeResult::Invalid(InvalidAnswer::Status(response.status))),
        Err(NoResponse::Refused) => Err(ProbeResult::Refused),
        Err(NoResponse::TimedOut) => Err(ProbeResult::TimedOut),
        Err(NoResponse::Invalid(problem)) => Err(ProbeResult::Invalid(problem)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::Router;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;

    async fn serve(health: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new()
            .route("/health", get(move || async move { health }))
            .route("/healthz", get(|| async { "anything" }));
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }

    async fn probe(address: SocketAddr) -> (ProbeReport, ProbeResult<()>) {
        let url = Url::parse(&format!("http://{address}")).unwrap();
        let client = http::client().unwrap();
        let probe = Probe::new(client, &url, &url, Duration::from_secs(10));
        probe.run().await
    }

    #[tokio::test]
    async fn probe_reads_both_ports() {
        let address = serve(r#"{"status":"healthy","uptime":7}"#).await;
        let (report, front_door) = probe(address).await;
        let ProbeResult::Valid(health, _) = report.result else {
            panic!("{report:?}")
        };
        assert!((health.uptime - 7.0).abs() < f64::EPSILON);
        assert!(matches!(front_door, ProbeResult::Valid((), _)));
    }

    #[tokio::test]
    async fn probe_names_the_field_out_of_range() {
        let address = serve(r#"{"status":"healthy","cpu_usage":-1}"#).await;
        let (report, _) = probe(address).await;
        let invalid = ProbeResult::Invalid(InvalidAnswer::OutOfRange);
        assert_eq!(report.result, invalid);
        assert_eq!(report.out_of_range.unwrap().field, "cpu_usage");
    }

    #[tokio::test]
    async fn probe_of_closed_port_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let (report, front_door) = probe(address).await;
        assert_eq!(report, ProbeResult::Refused.into());
        assert_eq!(front_door, ProbeResult::Refused);
    }

    #[tokio::test]
    async fn probe_of_other_content_is_malformed() {
        let (report, _) = probe(serve("<html>").await).await;
        let invalid = ProbeResult::Invalid(InvalidAnswer::Malformed);
        assert_eq!(report, invalid.into());
    }
}

//! Probes of care port and front door.

use std::net::SocketAddr;
use std::time::Duration;

use healing_core::health::Health;
use healing_core::observation::{InvalidAnswer, PortSockets, ProbeResult};
use tokio::time::Instant;

use super::http::{Client, NoResponse, Response};
use super::validation::{OutOfRange, validate};
use crate::config::Settings;
use crate::sockets::{SocketReader, Unreadable, probe_address};

/// Client of the care port's `/health` and of the front door's `/healthz`, and reader of the app's sockets.
#[derive(Debug, Clone)]
pub struct Probe {
    care: Client,
    front_door: Client,
    sockets: SocketReader,
    limit: Duration,
}

/// Results of the probes of both ports at the same time.
#[derive(Debug)]
pub struct ProbeResults {
    /// Result of the care port.
    pub care: ProbeReport,
    /// Result of the front door.
    pub front_door: ProbeResult<()>,
    /// Sockets of the front door's port.
    pub sockets: Result<PortSockets, Unreadable>,
    /// Time that the resolution of the host names took. `None` if it failed, and therefore a port was not
    /// probed.
    pub resolution: Option<Duration>,
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
    /// Creates a probe of the app at the addresses of the settings.
    ///
    /// # Errors
    ///
    /// Returns an error if the HTTP library cannot be set up.
    pub fn new(settings: &Settings) -> reqwest::Result<Self> {
        let (app, care) = (&settings.app_url, &settings.care_url);
        let source = probe_address::usable();
        let front_door = Client::with_source(app, source)?;
        let same_port = care.port_or_known_default() == app.port_or_known_default();
        Ok(Self {
            // A care port of its own may accept no other client than 127.0.0.1, and its sockets do not count.
            care: Client::with_source(care, source.filter(|_| same_port))?,
            sockets: SocketReader::new(front_door.port(), settings.poll_interval),
            front_door,
            limit: settings.probe_timeout,
        })
    }

    /// Reads the sockets, and probes care port and front door at the same time. While the sockets show a
    /// queue, they are read repeatedly beside the probes.
    pub async fn run(&self) -> ProbeResults {
        let begin = Instant::now();
        let (care, front_door) = tokio::join!(
            self.care.resolve(self.limit),
            self.front_door.resolve(self.limit)
        );
        let resolution = (care.is_ok() && front_door.is_ok()).then(|| begin.elapsed());
        // Before the probes, so that the probe's own connection is not among them.
        let first = self.first_read(&front_door).await;
        let (care, front_door, sockets) = tokio::join!(
            self.probe_care(care),
            self.probe_front_door(front_door),
            async {
                match first {
                    Ok(first) => Ok(self.sockets.standing(first).await),
                    Err(unreadable) => Err(unreadable),
                }
            }
        );
        let sockets = sockets.and_then(|sockets| self.sockets.verify(sockets, &front_door));
        ProbeResults {
            care,
            front_door,
            sockets,
            resolution,
        }
    }

    /// Probes `GET /health` on the care port.
    pub async fn health(&self) -> ProbeReport {
        self.probe_care(self.care.resolve(self.limit).await).await
    }

    async fn first_read(
        &self,
        front_door: &Result<Vec<SocketAddr>, NoResponse>,
    ) -> Result<PortSockets, Unreadable> {
        let addresses = front_door.as_deref().unwrap_or_default();
        if addresses.iter().all(|address| is_loopback(*address)) {
            return self.sockets.read().await;
        }
        Err(Unreadable::NotLoopback)
    }

    async fn probe_care(&self, addresses: Result<Vec<SocketAddr>, NoResponse>) -> ProbeReport {
        let response = match addresses {
            Ok(addresses) => self.care.get(&addresses, "/health", self.limit).await,
            Err(error) => Err(error),
        };
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
    async fn probe_front_door(
        &self,
        addresses: Result<Vec<SocketAddr>, NoResponse>,
    ) -> ProbeResult<()> {
        let response = match addresses {
            Ok(addresses) => {
                let client = &self.front_door;
                client.get(&addresses, "/healthz", self.limit).await
            }
            Err(error) => Err(error),
        };
        match accepted(response) {
            Ok(response) => ProbeResult::Valid((), response.took),
            Err(result) => result,
        }
    }
}

fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Returns the response if its status is 200, otherwise the result of the probe.
fn accepted<T>(response: Result<Response, NoResponse>) -> Result<Response, ProbeResult<T>> {
    match response {
        Ok(response) if response.status == 200 => Ok(response),
        Ok(response) => Err(ProbeResult::Invalid(InvalidAnswer::Status(response.status))),
        Err(NoResponse::Refused) => Err(ProbeResult::Refused),
        Err(NoResponse::TimedOut) => Err(ProbeResult::TimedOut),
        // The poll is void then, and this result is not used.
        Err(NoResponse::Unresolved) => Err(ProbeResult::Invalid(InvalidAnswer::Transport)),
        Err(NoResponse::Invalid(problem)) => Err(ProbeResult::Invalid(problem)),
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;
    use crate::config::{self, Flags};

    async fn serve(health: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new()
            .route("/health", get(move || async move { health }))
            .route("/healthz", get(|| async { "anything" }));
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }

    async fn probe(address: SocketAddr) -> ProbeResults {
        probe_of(&format!("http://{address}")).run().await
    }

    fn probe_of(url: &str) -> Probe {
        let flags = Flags::from([
            ("app_url", url.to_owned()),
            ("care_url", url.to_owned()),
            ("probe_timeout", "10s".to_owned()),
        ]);
        let loaded = config::load(&flags, &|_: &str| None);
        assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
        Probe::new(&loaded.settings).unwrap()
    }

    #[tokio::test]
    async fn probe_reads_both_ports() {
        let address = serve(r#"{"status":"healthy","uptime":7}"#).await;
        let ProbeResults {
            care: report,
            front_door,
            sockets,
            resolution,
        } = probe(address).await;
        let ProbeResult::Valid(health, _) = report.result else {
            panic!("{report:?}")
        };
        assert!((health.uptime - 7.0).abs() < f64::EPSILON);
        assert!(matches!(front_door, ProbeResult::Valid((), _)));
        assert!(sockets.unwrap().listening);
        assert!(resolution.is_some());
    }

    #[tokio::test]
    async fn probe_names_the_field_out_of_range() {
        let address = serve(r#"{"status":"healthy","cpu_usage":-1}"#).await;
        let report = probe(address).await.care;
        let invalid = ProbeResult::Invalid(InvalidAnswer::OutOfRange);
        assert_eq!(report.result, invalid);
        assert_eq!(report.out_of_range.unwrap().field, "cpu_usage");
    }

    #[tokio::test]
    async fn probe_of_closed_port_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let results = probe(address).await;
        assert_eq!(results.care, ProbeResult::Refused.into());
        assert_eq!(results.front_door, ProbeResult::Refused);
        assert_eq!(results.sockets, Ok(PortSockets::default()));
    }

    #[tokio::test]
    async fn probe_of_other_content_is_malformed() {
        let report = probe(serve("<html>").await).await.care;
        let invalid = ProbeResult::Invalid(InvalidAnswer::Malformed);
        assert_eq!(report, invalid.into());
    }
}

//! Client of the app: probes of both ports, and requests to the care port.
//!
//! The doctor uses the trait `App`, so that its parts can be tested with a fake app without
//! sockets.

mod care;
pub mod http;
mod probe;
mod resolver;
mod validation;

use std::time::Duration;

use healing_core::heal::{HealAction, HealResponse};

pub(crate) use self::care::{CareClient, CareError};
pub use self::probe::{Probe, ProbeReport, ProbeResults};
pub use self::validation::OutOfRange;

/// Requests of the doctor to the app.
pub(crate) trait App: Send + Sync {
    /// Probes care port and front door at the same time, and reads the app's sockets.
    fn probe(&self) -> impl Future<Output = ProbeResults> + Send;

    /// Probes the care port alone.
    fn health(&self) -> impl Future<Output = ProbeReport> + Send;

    /// Sends `POST /heal` to the care port.
    fn heal(
        &self,
        action: HealAction,
        limit: Duration,
    ) -> impl Future<Output = Result<HealResponse, CareError>> + Send;
}

/// The app over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct AppClient {
    pub(crate) probe: Probe,
    pub(crate) care: CareClient,
}

impl App for AppClient {
    async fn probe(&self) -> ProbeResults {
        self.probe.run().await
    }

    async fn health(&self) -> ProbeReport {
        self.probe.health().await
    }

    async fn heal(&self, action: HealAction, limit: Duration) -> Result<HealResponse, CareError> {
        self.care.heal(action, limit).await
    }
}

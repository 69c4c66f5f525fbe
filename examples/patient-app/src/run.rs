//! Server of the patient.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tracing::info;

use crate::app::{healing, routes};
use crate::patient::Patient;
use crate::settings::Settings;

/// Error of [`run`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Another process listens on the app's port.
    #[error("{0} is taken by another process; choose another address by --bind or PORT")]
    AddressInUse(SocketAddr),
    /// The app's port cannot be bound for another reason.
    #[error("cannot listen on {0}: {1}")]
    Bind(SocketAddr, #[source] io::Error),
    /// Serving failed, on the app's port or on the care port.
    #[error("cannot serve: {0}")]
    Serve(#[source] io::Error),
}

/// Serves the patient until SIGTERM, then drains.
///
/// # Errors
///
/// Returns an error if a port cannot be bound, or if serving fails.
pub async fn run(settings: Settings) -> Result<(), RunError> {
    let patient = Patient::new(&settings);
    let healing = healing(&patient, &settings);
    let listener = TcpListener::bind(settings.bind)
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => RunError::AddressInUse(settings.bind),
            _ => RunError::Bind(settings.bind, error),
        })?;
    let address = listener.local_addr().map_err(RunError::Serve)?;
    info!(%address, failure_rate = settings.failure_rate, dependency = settings.dependency, "patient serves");
    healing
        .serve(listener, routes(&patient))
        .await
        .map_err(RunError::Serve)
}

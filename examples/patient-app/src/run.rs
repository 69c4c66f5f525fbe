//! The server.

use std::io;

use tokio::net::TcpListener;
use tracing::info;

use crate::app::{healing, routes};
use crate::patient::Patient;
use crate::settings::Settings;

/// Error of [`run`].
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The app's port cannot be bound.
    Bind(std::net::SocketAddr, io::Error),
    /// Serving failed, on the app's port or on the care port.
    Serve(io::Error),
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bind(addr, error) if error.kind() == io::ErrorKind::AddrInUse => write!(
                f,
                "{addr} is taken by another process: choose another address by --bind or PORT"
            ),
            Self::Bind(addr, error) => write!(f, "cannot listen on {addr}: {error}"),
            Self::Serve(error) => write!(f, "cannot serve: {error}"),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Bind(_, error) | Self::Serve(error) => Some(error),
        }
    }
}

/// Serves the patient until SIGTERM, then drains.
///
/// # Errors
///
/// A port cannot be bound, or serving fails.
pub async fn run(settings: Settings) -> Result<(), RunError> {
    let patient = Patient::new(&settings);
    let healing = healing(&patient, &settings);
    let listener = TcpListener::bind(settings.bind)
        .await
        .map_err(|error| RunError::Bind(settings.bind, error))?;
    let address = listener.local_addr().map_err(RunError::Serve)?;
    info!(%address, failure_rate = settings.failure_rate, dependency = settings.dependency, "patient serves");
    healing
        .serve(listener, routes(&patient))
        .await
        .map_err(RunError::Serve)
}

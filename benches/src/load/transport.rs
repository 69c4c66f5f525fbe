//! Transports to the server, which are new connections, a bounded keep-alive pool, and HTTP/2.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::connection::{self, Failure, H1, H2};
use super::record::Cause;

/// Maximum number of connections of the keep-alive pool.
const POOL: usize = 64;

/// Transport between clients and server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// A new connection for each request.
    NewConnection,
    /// HTTP/1.1 over a pool of at most 64 connections.
    KeepAlive,
    /// HTTP/2 over one connection.
    Http2,
    /// HTTP/1.1 with keep-alive to an nginx in front of the app.
    Nginx,
}

impl Transport {
    /// Returns the name in tables and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewConnection => "new-connection",
            Self::KeepAlive => "keep-alive",
            Self::Http2 => "http2",
            Self::Nginx => "nginx",
        }
    }
}

/// Connections to one port on 127.0.0.1.
#[derive(Debug)]
pub(super) struct Connections {
    port: u16,
    transport: Transport,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<H1>>,
    shared: tokio::sync::Mutex<Option<H2>>,
}

impl Connections {
    pub(super) fn new(port: u16, transport: Transport) -> Self {
        Self {
            port,
            transport,
            permits: Arc::new(Semaphore::new(POOL)),
            idle: Mutex::default(),
            shared: tokio::sync::Mutex::default(),
        }
    }

    /// Sends one request and reads its response completely.
    pub(super) async fn get(&self, path: &str) -> Cause {
        let sent = match self.transport {
            Transport::NewConnection => self.on_new_connection(path).await,
            Transport::KeepAlive | Transport::Nginx => self.pooled(path).await,
            Transport::Http2 => self.multiplexed(path).await,
        };
        match sent {
            Ok(status) if status >= 500 => Cause::ServerError,
            Ok(_) => Cause::Ok,
            Err(failure) => failure.cause(),
        }
    }

    async fn on_new_connection(&self, path: &str) -> Result<u16, Failure> {
        let mut connection = H1::connect(self.port).await?;
        connection.get(path, false).await
    }

    async fn pooled(&self, path: &str) -> Result<u16, Failure> {
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(Failure::Client); // the semaphore is never closed
        };
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let reused = match idle {
            Some(mut connection) if connection.is_open() => {
                match connection.get(path, true).await {
                    // The server closed the idle connection, so the request is sent again, as clients do.
                    Err(Failure::NotSent) => None,
                    result => Some((connection, result)),
                }
            }
            _ => None,
        };
        let (connection, result) = match reused {
            Some(done) => done,
            None => {
                let mut connection = H1::connect(self.port).await?;
                let result = connection.get(path, true).await;
                (connection, result)
            }
        };
        if result.is_ok() && connection.is_open() {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
        result
    }

    async fn multiplexed(&self, path: &str) -> Result<u16, Failure> {
        let mut connection = {
            let mut shared = self.shared.lock().await;
            match shared.as_ref().filter(|connection| connection.is_open()) {
                Some(connection) => connection.clone(),
                None => shared
                    .insert(connection::H2::connect(self.port).await?)
                    .clone(),
            }
        };
        connection.get(path).await
    }
}

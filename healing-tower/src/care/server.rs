//! Server of the care port, for HTTP/1 only, with time limits for remote peers.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::connection_limiter::ConnectionLimiter;
use crate::deferred_log;
use crate::endpoints::{Port, answer};
use crate::shared::Shared;

/// Time limit for the head of a request, and so for idle connections as well.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for the whole connection of a remote peer, which may never read its response.
const REMOTE_TIMEOUT: Duration = Duration::from_secs(60);
/// Time limit for responses that are being written at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);
/// Delay after a failed accept (out of file descriptors).
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Running server of the care port.
pub(super) struct Server {
    closing: watch::Sender<bool>,
}

impl Server {
    pub(super) fn spawn(listener: TcpListener, shared: Arc<Shared>) -> Self {
        let (closing, closed) = watch::channel(false);
        tokio::spawn(accept(listener, shared, closed));
        Self { closing }
    }

    /// Closes idle connections and waits for responses in flight, for [`SHUTDOWN_TIMEOUT`] at most.
    pub(super) async fn shutdown(self) {
        self.closing.send_replace(true);
        let _ = timeout(SHUTDOWN_TIMEOUT, self.closing.closed()).await;
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, mut closing: watch::Receiver<bool>) {
    let limiter = ConnectionLimiter::default();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    deferred_log::emit(move || {
                        tracing::warn!(%error, "cannot accept a connection on the care port");
                    });
                    sleep(ACCEPT_RETRY_DELAY).await;
                    continue;
                }
            },
            _ = closing.changed() => return,
        };
        let Some(permit) = limiter.try_acquire(peer.ip()) else {
            continue; // closes the connection
        };
        let (shared, closing) = (Arc::clone(&shared), closing.clone());
        tokio::spawn(async move {
            let served = serve(stream, peer, shared, closing);
            if peer.ip().to_canonical().is_loopback() {
                served.await;
            } else {
                let _ = timeout(REMOTE_TIMEOUT, served).await;
            }
            drop(permit);
        });
    }
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    shared: Arc<Shared>,
    mut closing: watch::Receiver<bool>,
) {
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(&shared, Port::Care, Some(peer), request).await) }
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = closing.wait_for(|closing| *closing) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

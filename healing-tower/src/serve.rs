//! Serving an axum app, from start to graceful shutdown.
//!
//! It is `axum::serve` with three additions, each of which prevents lost requests. Responses have the
//! header `Connection: close` while the instance drains, so that clients reconnect elsewhere in time.
//! Connections that wait in the kernel's queue when the listener closes are still accepted. A connection
//! that has not sent its first request yet gets some time to do so.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use crate::healing::Healing;
use crate::lifecycle::Step;
use crate::shared::Shared;

/// Time limit, once the listener is closed, for the first request on a connection.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_millis(500);
/// Delay after a failed accept (out of file descriptors).
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Axum serving.
impl Healing {
    /// Serves the app on the listener: counts its requests, adds healing's endpoints, starts the care
    /// thread, and on SIGTERM or `restart_service` drains and finishes the requests in flight. Returns
    /// when that is done.
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    /// use healing_tower::Healing;
    ///
    /// # async fn run() -> std::io::Result<()> {
    /// let app = Router::new().route("/", get(|| async { "hello" }));
    /// let healing = Healing::builder("hello").build();
    /// let listener = tokio::net::TcpListener::bind("0.0.0.0:5000").await?;
    /// healing.serve(listener, app).await
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`start_care`](Self::start_care), before anything is served.
    ///
    /// # Panics
    ///
    /// Panics as [`wrap`](Self::wrap) does, before anything is served or started.
    ///
    /// # Hazards
    ///
    /// Upgraded connections (WebSocket) belong to their handlers, and the drain does not wait for them.
    /// Over HTTP/2 it does, because they are streams of a connection. The drain then takes its whole
    /// deadline, unless their handlers close them at [`Healing::shutdown_requested`]. If a client sends its
    /// next request on an idle connection at the moment at which the server closes it, the request is
    /// lost, as HTTP/1.1 allows.
    pub async fn serve(&self, listener: TcpListener, app: Router) -> io::Result<()> {
        let router = self.wrap(app);
        self.start_care()?;
        let server = self.shared.lifecycle.register_server();
        let connections = accept(&self.shared, listener, router).await?;
        let deadline = self.shared.settings.timing.drain_deadline;
        if timeout(deadline, connections.closed()).await.is_err() {
            tracing::warn!(
                connections = connections.receiver_count(),
                "drain deadline exceeded; closing the open connections"
            );
        }
        drop(server);
        self.finish().await;
        Ok(())
    }
}

/// Accepts connections until the instance is closing. The returned channel is closed when no connection is
/// open.
async fn accept(
    shared: &Arc<Shared>,
    listener: TcpListener,
    router: Router,
) -> io::Result<watch::Sender<()>> {
    let router = router.with_state(());
    let (connections, open) = watch::channel(());
    let start = |stream: TcpStream, peer: SocketAddr| {
        tokio::spawn(serve_connection(
            stream,
            peer,
            router.clone(),
            Arc::clone(shared),
            open.clone(),
        ));
    };
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => start(stream, peer),
                // The client has disconnected; the listener still works.
                Err(error) if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                ) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_RETRY_DELAY).await;
                }
            },
            () = shared.lifecycle.reached(Step::Closing) => break,
        }
    }
    // Connections in the kernel's queue would be reset when the listener is closed.
    let listener = listener.into_std()?;
    while let Ok((stream, peer)) = listener.accept() {
        let stream = stream
            .set_nonblocking(true)
            .and_then(|()| TcpStream::from_std(stream));
        match stream {
            Ok(stream) => start(stream, peer),
            Err(error) => tracing::warn!(%error, %peer, "lost an accepted connection"),
        }
    }
    Ok(connections)
}

async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    shared: Arc<Shared>,
    _open: watch::Receiver<()>,
) {
    let _ = stream.set_nodelay(true);
    let (has_request, first_request) = (AtomicBool::new(false), Notify::new());
    let service = service_fn(|request: Request<Incoming>| {
        if !has_request.swap(true, Ordering::Relaxed) {
            first_request.notify_one();
        }
        let (router, shared) = (router.clone(), Arc::clone(&shared));
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let version = request.version();
            let mut response = match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            // HTTP/2 sends GOAWAY and forbids the header. A protocol switch needs `Connection: upgrade`, and
            // a WebSocket client rejects any other value.
            if version <= Version::HTTP_11
                && response.status() != StatusCode::SWITCHING_PROTOCOLS
                && shared.lifecycle.is_draining(Instant::now())
            {
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    #[cfg_attr(not(feature = "http2"), expect(unused_mut))]
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // WebSocket over HTTP/2 needs this setting.
    #[cfg(feature = "http2")]
    builder.http2().enable_connect_protocol();
    let mut connection =
        std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = shared.lifecycle.reached(Step::Closing) => {}
    }
    if !has_request.load(Ordering::Relaxed) {
        tokio::select! {
            _ = connection.as_mut() => return,
            () = first_request.notified() => {}
            () = sleep(FIRST_REQUEST_TIMEOUT) => {}
        }
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

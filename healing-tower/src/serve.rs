//! Serving an axum app from start to orderly end.
//!
//! `axum::serve` with three differences, each of which would lose requests: answers carry
//! `Connection: close` while the instance drains, so that clients leave it before it goes;
//! connections that wait in the kernel's queue when the listener closes are still accepted; and a
//! connection that has not sent its first request yet gets a moment to do so.

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

use crate::app::App;
use crate::healing::Healing;
use crate::lifecycle::Step;

/// For the first request on a connection that was accepted just before the end.
const FIRST_REQUEST_WITHIN: Duration = Duration::from_millis(500);
/// After a failed accept (out of file descriptors) before the next.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

impl Healing {
    /// Serves the app on the listener: counts its requests, adds healing's endpoints, starts the
    /// care thread, and on SIGTERM or `restart_service` drains and finishes what is open. Returns
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
    /// As [`start_care`](Self::start_care): before anything is served.
    ///
    /// # Panics
    /// As [`wrap`](Self::wrap): before anything is served or started.
    ///
    /// # Hazards
    /// Upgraded connections (WebSocket) belong to their handlers: they are not waited for. Over HTTP/2
    /// they are streams of a connection that is: the drain takes its whole deadline, unless their
    /// handlers end them at [`Healing::shutdown_requested`]. A client that sends its next request on
    /// an idle connection in the moment in which that closes loses it, as HTTP/1.1 has it.
    pub async fn serve(&self, listener: TcpListener, app: Router) -> io::Result<()> {
        let router = self.wrap(app);
        self.start_care()?;
        let serving = self.app.life.serving();
        let open = accept(&self.app, listener, router).await?;
        if timeout(self.app.timing.drain_deadline, open.closed())
            .await
            .is_err()
        {
            tracing::warn!(
                connections = open.receiver_count(),
                "the drain deadline has passed; what is open is cut off"
            );
        }
        drop(serving); // the last of several servers closes
        self.finish().await;
        Ok(())
    }
}

/// Accepts until told to stop; what is returned is closed when no connection is open.
async fn accept(
    app: &Arc<App>,
    listener: TcpListener,
    router: Router,
) -> io::Result<watch::Sender<()>> {
    let router = router.with_state(());
    let (open, each) = watch::channel(());
    let start = |stream: TcpStream, peer: SocketAddr| {
        tokio::spawn(connection(
            stream,
            peer,
            router.clone(),
            Arc::clone(app),
            each.clone(),
        ));
    };
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => start(stream, peer),
                // The client's doing, and no reason to wait.
                Err(error) if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                ) => {}
                Err(error) => {
                    tracing::warn!(%error, "could not accept");
                    sleep(ACCEPT_AGAIN).await;
                }
            },
            () = app.life.reached(Step::Closing) => break,
        }
    }
    // Those that the kernel has accepted already; it would reset them.
    let listener = listener.into_std()?;
    while let Ok((stream, peer)) = listener.accept() {
        let stream = stream
            .set_nonblocking(true)
            .and_then(|()| TcpStream::from_std(stream));
        match stream {
            Ok(stream) => start(stream, peer),
            Err(error) => tracing::warn!(%error, %peer, "an accepted connection was lost"),
        }
    }
    Ok(open)
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    app: Arc<App>,
    _open: watch::Receiver<()>,
) {
    let _ = stream.set_nodelay(true);
    let (asked, first) = (AtomicBool::new(false), Notify::new());
    let service = service_fn(|request: Request<Incoming>| {
        if !asked.swap(true, Ordering::Relaxed) {
            first.notify_one();
        }
        let (router, app) = (router.clone(), Arc::clone(&app));
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let version = request.version();
            let mut response = match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            // HTTP/2 says it by GOAWAY, and forbids the header. A change of protocol says
            // `upgrade` there, and a WebSocket client refuses any other word.
            if version <= Version::HTTP_11
                && response.status() != StatusCode::SWITCHING_PROTOCOLS
                && app.life.is_draining(Instant::now())
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
    // WebSocket over HTTP/2 begins with it.
    #[cfg(feature = "http2")]
    builder.http2().enable_connect_protocol();
    let mut serving =
        std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    tokio::select! {
        _ = serving.as_mut() => return,
        () = app.life.reached(Step::Closing) => {}
    }
    if !asked.load(Ordering::Relaxed) {
        tokio::select! {
            _ = serving.as_mut() => return,
            () = first.notified() => {}
            () = sleep(FIRST_REQUEST_WITHIN) => {}
        }
    }
    serving.as_mut().graceful_shutdown();
    let _ = serving.await;
}

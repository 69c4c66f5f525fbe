//! The care port's server: small, HTTP/1 only, and never held up by strangers.

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

use super::crowd::Crowd;
use super::log;
use crate::app::App;
use crate::endpoints::{Door, answer};

/// For a request's head, and so for idle connections as well.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// For a stranger's whole connection: one that does not read its answer does not stay.
const STRANGER_WITHIN: Duration = Duration::from_secs(60);
/// For answers that are being written when the process ends.
const FINISH_WITHIN: Duration = Duration::from_secs(1);
/// After a failed accept (out of file descriptors) before the next.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

pub(super) struct Server {
    closing: watch::Sender<bool>,
}

impl Server {
    pub(super) fn spawn(listener: TcpListener, app: Arc<App>) -> Self {
        let (closing, closed) = watch::channel(false);
        tokio::spawn(accept(listener, app, closed));
        Self { closing }
    }

    /// Lets open answers go out; idle connections close at once.
    pub(super) async fn finish(self) {
        self.closing.send_replace(true);
        let _ = timeout(FINISH_WITHIN, self.closing.closed()).await;
    }
}

async fn accept(listener: TcpListener, app: Arc<App>, mut closing: watch::Receiver<bool>) {
    let crowd = Crowd::default();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    log::say(move || tracing::warn!(%error, "the care port could not accept"));
                    sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            },
            _ = closing.changed() => return,
        };
        let Some(place) = crowd.enter(peer.ip()) else {
            continue; // which closes it
        };
        let (app, closing) = (Arc::clone(&app), closing.clone());
        tokio::spawn(async move {
            let served = serve(stream, peer, app, closing);
            if peer.ip().to_canonical().is_loopback() {
                served.await;
            } else {
                let _ = timeout(STRANGER_WITHIN, served).await;
            }
            drop(place);
        });
    }
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    app: Arc<App>,
    mut closing: watch::Receiver<bool>,
) {
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(answer(&app, Door::Care, Some(peer), request).await) }
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_WITHIN)
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = closing.wait_for(|closing| *closing) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

//! Control port, which takes faults on its own thread.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;

use super::faults::Faults;

/// Starts the thread of the control port.
pub(super) fn start(bind: SocketAddr, faults: Arc<Faults>) -> io::Result<()> {
    if !bind.ip().is_loopback() {
        return Err(io::Error::other("the control port must be on 127.0.0.1"));
    }
    let listener = std::net::TcpListener::bind(bind)?;
    listener.set_nonblocking(true)?;
    std::thread::Builder::new()
        .name("control".to_owned())
        .spawn(move || {
            if let Err(error) = serve(listener, faults) {
                tracing::error!(%error, "the control port has failed");
            }
        })?;
    Ok(())
}

fn serve(listener: std::net::TcpListener, faults: Arc<Faults>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let router = Router::new()
            .route("/faults/{name}/{value}", post(inject))
            .with_state(faults);
        axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await
    })
}

async fn inject(
    State(faults): State<Arc<Faults>>,
    Path((name, value)): Path<(String, u64)>,
) -> StatusCode {
    if faults.inject(&name, value) {
        return StatusCode::OK;
    }
    StatusCode::NOT_FOUND
}

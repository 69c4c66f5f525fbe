//! Status server. If its port is busy it retries, and the doctor runs without it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;

use super::Shared;
use super::listener::{LimitedListener, Peer};

/// Delay before the next attempt to listen.
const RETRY_DELAY: Duration = Duration::from_secs(5);

/// Serves the status until the task is dropped. Calls `bound` with each address that it listens on.
pub(crate) async fn serve(shared: Arc<Shared>, bind: SocketAddr, bound: impl Fn(SocketAddr)) {
    loop {
        let error = match TcpListener::bind(bind).await {
            Err(error) => error,
            Ok(listener) => {
                if let Ok(address) = listener.local_addr() {
                    bound(address);
                }
                let app = router(Arc::clone(&shared)).into_make_service_with_connect_info::<Peer>();
                match axum::serve(LimitedListener::new(listener), app).await {
                    Ok(()) => return,
                    Err(error) => error,
                }
            }
        };
        tracing::error!(
            %bind, %error,
            "the status server cannot listen and will retry; the doctor runs without it"
        );
        tokio::time::sleep(RETRY_DELAY).await;
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let private = Router::new()
        .route("/status", get(status))
        .route("/decisions", get(decisions))
        .route_layer(middleware::from_fn(loopback_only));
    Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .merge(private)
        .with_state(shared)
}

/// Responds with 200 while the control loop beats, even if it only observes or the app is sick.
async fn healthz(State(shared): State<Arc<Shared>>) -> Response {
    let age = shared.heartbeat.age();
    let alive = age <= shared.watchdog_timeout;
    let (mode, config_errors) = {
        let view = shared.view();
        (view.mode, view.config_errors.clone())
    };
    let body = Json(json!({
        "status": if alive { "ok" } else { "hung" },
        "mode": mode,
        "config_errors": config_errors,
        "last_poll_age_seconds": age.as_secs_f64(),
    }));
    let code = if alive {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (code, body).into_response()
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.metrics.text()).into_response()
}

async fn status(State(shared): State<Arc<Shared>>) -> Response {
    let view = shared.view().clone();
    let mut body = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "last_poll_age_seconds": shared.heartbeat.age().as_secs_f64(),
    });
    if let (Some(body), Ok(serde_json::Value::Object(view))) =
        (body.as_object_mut(), serde_json::to_value(view))
    {
        body.extend(view);
    }
    Json(body).into_response()
}

/// Responds with the latest journal entries, oldest first.
async fn decisions(State(shared): State<Arc<Shared>>) -> Response {
    let recent = shared.view().recent.clone();
    let body = format!("[{}]\n", recent.join(",\n"));
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn loopback_only(
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if is_loopback(peer.ip()) {
        return next.run(request).await;
    }
    let message = "available only on the loopback interface; use kubectl port-forward\n";
    (StatusCode::FORBIDDEN, message).into_response()
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv4_mapped_loopback_is_loopback() {
        for (ip, expected) in [
            ("127.0.0.1", true),
            ("127.8.8.8", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.1", false),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(is_loopback(ip.parse().unwrap()), expected, "{ip}");
        }
    }
}

//! App under test, and requests to its router.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use healing_tower::{Builder, Healing};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

pub(crate) fn builder(name: &str) -> Builder {
    Healing::builder(name)
        .care_bind("127.0.0.1:0".parse().unwrap())
        .leave_sigterm()
}

pub(crate) fn app() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

/// Sends one request to the router, with the peer address that a server would attach.
pub(crate) async fn get_from(
    router: &Router,
    path: &str,
    peer: Option<&str>,
) -> (StatusCode, serde_json::Value) {
    let mut request = Request::get(path)
        .header("host", "127.0.0.1:5000")
        .body(Body::empty())
        .unwrap();
    if let Some(peer) = peer {
        let peer: SocketAddr = peer.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

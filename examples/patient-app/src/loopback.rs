//! Access control of the faults, which allows processes on this machine but not web pages.

use std::net::{IpAddr, SocketAddr};

use axum::Json;
use axum::extract::{ConnectInfo, Request};
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Rejects a request unless its peer and `Host` are loopback and it has no `Origin`, which web pages send.
pub(crate) async fn only(request: Request, next: Next) -> Response {
    match rejection(&request) {
        None => next.run(request).await,
        Some(message) => (
            StatusCode::FORBIDDEN,
            Json(json!({ "error": "forbidden", "message": message })),
        )
            .into_response(),
    }
}

fn rejection(request: &Request) -> Option<&'static str> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if !peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback()) {
        return Some(
            "faults can be switched from loopback only (kubectl port-forward is loopback)",
        );
    }
    if request.headers().contains_key(header::ORIGIN) {
        return Some("faults cannot be switched by web pages; remove the Origin header");
    }
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_loopback_host) {
        return Some("the Host header must name loopback, such as 127.0.0.1:5000");
    }
    None
}

fn is_loopback_host(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host().trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback_host;

    #[test]
    fn host_is_accepted_only_if_loopback() {
        for host in [
            "localhost:5000",
            "127.0.0.1",
            "127.0.0.1:5000",
            "[::1]:5000",
        ] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in [
            "example.com",
            "localhost.example.com",
            "10.0.0.1:5000",
            "",
            "a b",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}

//! Who may switch faults: a process on this machine, and no web page in its browser.

use std::net::{IpAddr, SocketAddr};

use axum::Json;
use axum::extract::{ConnectInfo, Request};
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Lets a request through whose peer and `Host` are loopback and that no page sent (`Origin`).
pub(crate) async fn only(request: Request, next: Next) -> Response {
    match refusal(&request) {
        None => next.run(request).await,
        Some(message) => (
            StatusCode::FORBIDDEN,
            Json(json!({ "error": "forbidden", "message": message })),
        )
            .into_response(),
    }
}

fn refusal(request: &Request) -> Option<&'static str> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if !peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback()) {
        return Some("faults are switched from loopback only (kubectl port-forward is loopback)");
    }
    if request.headers().contains_key(header::ORIGIN) {
        return Some("faults are not switched by web pages: send no Origin");
    }
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    if !host.is_some_and(names_loopback) {
        return Some("the Host header must name loopback, such as 127.0.0.1:5000");
    }
    None
}

fn names_loopback(host: &str) -> bool {
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
    use super::names_loopback;

    #[test]
    fn only_loopback_hosts_pass() {
        for host in [
            "localhost:5000",
            "127.0.0.1",
            "127.0.0.1:5000",
            "[::1]:5000",
        ] {
            assert!(names_loopback(host), "{host}");
        }
        for host in [
            "example.com",
            "localhost.example.com",
            "10.0.0.1:5000",
            "",
            "a b",
        ] {
            assert!(!names_loopback(host), "{host}");
        }
    }
}

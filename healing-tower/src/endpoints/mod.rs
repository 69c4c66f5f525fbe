//! Dispatch of healing's endpoints, shared by the app's router and the care port.
//!
//! # Hazards
//!
//! The peer of a request is the connection's own address, never a header's value. If it is unknown
//! (a router served without peer addresses), the caller is treated as remote.

mod access;
mod heal;
mod port;
mod rejection;
mod response;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{Method, Request, StatusCode};

use crate::deferred_log;
use crate::exposition::ScrapeError;
use crate::settings::HeaderRule;
use crate::shared::Shared;
use access::check_local;
use response::{json, method_not_allowed, ok, plain};

pub(crate) use port::Port;
pub(crate) use response::EndpointResponse;

/// Time without a tick after which the care port's `/livez` is 503. It is much longer than the doctor
/// needs, because the kubelet's restart is the fallback for the doctor's.
const LIVEZ_STALL_LIMIT: Duration = Duration::from_secs(60);

/// Paths of both ports.
const PATHS: [&str; 6] = [
    "/healthz", "/livez", "/readyz", "/health", "/metrics", "/heal",
];

/// Returns the paths that are served on a port.
pub(crate) fn paths(shared: &Shared, port: Port) -> impl Iterator<Item = &'static str> {
    PATHS
        .into_iter()
        .filter(move |path| owns(shared, port, path))
}

/// Returns `true` if a path is served on a port. Called for every request, so it does not allocate.
pub(crate) fn owns(shared: &Shared, port: Port, path: &str) -> bool {
    let known = match path {
        "/heal" => heal_rule(shared, port).is_some(),
        "/healthz" => port == Port::App,
        _ => PATHS.contains(&path),
    };
    let omitted = &shared.settings.omitted;
    known && (port == Port::Care || !omitted.iter().any(|omitted| omitted == path))
}

fn heal_rule(shared: &Shared, port: Port) -> Option<HeaderRule> {
    match port {
        Port::App => shared.settings.heal_on_app,
        Port::Care => Some(HeaderRule::Required),
    }
}

/// Answers a request; responds 404 to a path that is not served on this port.
pub(crate) async fn answer<B>(
    shared: &Arc<Shared>,
    port: Port,
    peer: Option<SocketAddr>,
    request: Request<B>,
) -> EndpointResponse
where
    B: http_body::Body + Send,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    if !owns(shared, port, path) {
        let known: Vec<_> = paths(shared, port).collect();
        return plain(StatusCode::NOT_FOUND, &known.join("\n"));
    }
    match (path, heal_rule(shared, port)) {
        ("/heal", Some(rule)) => match head.method {
            Method::POST => heal::answer(shared, port, rule, peer, &head, body).await,
            _ => method_not_allowed("POST"),
        },
        _ if head.method != Method::GET && head.method != Method::HEAD => {
            method_not_allowed("GET, HEAD")
        }
        ("/healthz", _) => ok(),
        ("/livez", _) => livez(shared, port, Instant::now()),
        ("/readyz", _) => readyz(shared, peer, &head),
        ("/metrics", _) => metrics(shared).await,
        _ => health(shared, peer, &head),
    }
}

/// Answers `/livez`. On the app's own runtime any response proves liveness; the care port reports
/// the heartbeat.
fn livez(shared: &Shared, port: Port, now: Instant) -> EndpointResponse {
    let reason = match port {
        Port::Care if shared.lifecycle.is_condemned() => "condemned",
        Port::Care if shared.is_stalled_for(now, LIVEZ_STALL_LIMIT) => "stalled",
        Port::App | Port::Care => return ok(),
    };
    json(
        StatusCode::SERVICE_UNAVAILABLE,
        &serde_json::json!({"status": "unavailable", "reasons": [reason]}),
    )
}

fn readyz(shared: &Shared, peer: Option<SocketAddr>, head: &Parts) -> EndpointResponse {
    let now = Instant::now();
    let unready = shared.unready(now);
    let (code, status) = if unready.is_empty() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    let mut report = serde_json::json!({ "status": status });
    if !unready.is_empty() {
        report["reasons"] = unready.iter().map(ToString::to_string).collect();
    }
    let query = head.uri.query().unwrap_or_default();
    if query
        .split('&')
        .any(|parameter| parameter == "verbose" || parameter.starts_with("verbose="))
    {
        let mut checks = shared.checks.report(now);
        if check_local(head, peer).is_err() {
            // Error texts may contain internal addresses and names.
            checks.iter_mut().for_each(|check| check.error = None);
        }
        report["checks"] = serde_json::json!(checks);
    }
    json(code, &report)
}

fn health(shared: &Shared, peer: Option<SocketAddr>, head: &Parts) -> EndpointResponse {
    let now = Instant::now();
    if check_local(head, peer).is_ok() {
        return json(StatusCode::OK, &shared.health(now));
    }
    let summary = shared.summary(now);
    let public = serde_json::json!({
        "status": summary.status,
        "cpu_usage": summary.cpu_usage,
        "memory_usage": summary.memory_usage,
        "error_count": summary.error_count,
        "uptime": summary.uptime,
    });
    json(StatusCode::OK, &public)
}

/// Answers `/metrics`. The page is rendered on a separate thread, because that may take milliseconds.
async fn metrics(shared: &Shared) -> EndpointResponse {
    match shared.exposition.scrape(Instant::now()).await {
        Ok(page) => response::prometheus(page),
        Err(error) => {
            deferred_log::emit(move || tracing::error!(%error, "cannot render /metrics"));
            let code = match error {
                ScrapeError::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
                ScrapeError::Blocked | ScrapeError::NoThread => StatusCode::SERVICE_UNAVAILABLE,
            };
            plain(code, &error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heartbeat::PING_INTERVAL;

    #[tokio::test]
    async fn care_port_livez_fails_after_60_seconds_without_a_tick_and_not_before() {
        let shared = Shared::for_test("stalled");
        let running = tokio::spawn(Arc::clone(&shared.heartbeat).run());
        while !shared.heartbeat.is_running() {
            tokio::task::yield_now().await;
        }
        // Nothing is awaited after this point, so the heartbeat's task does not run.
        let mut now = Instant::now();
        let mut advance = |time: Duration| {
            let end = now + time;
            while now < end {
                now += PING_INTERVAL;
                shared.heartbeat.ping(now);
            }
            now
        };
        let later = advance(Duration::from_secs(58));
        assert!(shared.heartbeat.is_stalled(later));
        assert_eq!(livez(&shared, Port::Care, later).status(), StatusCode::OK);
        let later = advance(Duration::from_secs(4));
        let starting = shared.startup.begin();
        assert_eq!(
            livez(&shared, Port::Care, later).status(),
            StatusCode::OK,
            "the app declares that it is starting"
        );
        drop(starting);
        assert_eq!(
            livez(&shared, Port::Care, later).status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert_eq!(
            livez(&shared, Port::App, later).status(),
            StatusCode::OK,
            "a response on the app's runtime proves liveness"
        );
        running.abort();
    }
}

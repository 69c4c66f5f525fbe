//! The endpoints: path in, answer out, the same for the app's router and the care port.
//!
//! # Hazards
//! A request's peer is the connection's own address, never a header's word. Where nobody vouches
//! for it (a router served without peer addresses) the caller counts as a stranger.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

use crate::app::App;
use crate::care::access::{HeaderRule, is_local};
use crate::care::{heal, log};
use crate::metrics::NoPage;

/// After this long without a tick the care port's `/livez` gives the app up: far slower than the
/// doctor, as the net below it.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(60);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROMETHEUS: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// What every endpoint answers with.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Where a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Among the app's own routes, on its runtime.
    App,
    /// The care port, on the care thread.
    Care,
}

/// All paths, at whatever door.
const PATHS: [&str; 6] = [
    "/healthz", "/livez", "/readyz", "/health", "/metrics", "/heal",
];

/// The paths that are answered at a door.
pub(crate) fn paths(app: &App, door: Door) -> impl Iterator<Item = &'static str> {
    PATHS.into_iter().filter(move |path| owns(app, door, path))
}

/// Whether a path is answered at a door. Asked for every request: it allocates nothing.
pub(crate) fn owns(app: &App, door: Door, path: &str) -> bool {
    let there = match path {
        "/heal" => heal_rule(app, door).is_some(),
        "/healthz" => door == Door::App,
        _ => PATHS.contains(&path),
    };
    there && (door == Door::Care || !app.omitted.iter().any(|omitted| omitted == path))
}

fn heal_rule(app: &App, door: Door) -> Option<HeaderRule> {
    match door {
        Door::App => app.heal_on_app,
        Door::Care => Some(HeaderRule::Required),
    }
}

/// Answers a request; one for another path is 404.
pub(crate) async fn answer<B>(
    app: &Arc<App>,
    door: Door,
    peer: Option<SocketAddr>,
    request: Request<B>,
) -> Answer
where
    B: http_body::Body + Send,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    if !owns(app, door, path) {
        let ours: Vec<_> = paths(app, door).collect();
        return plain(StatusCode::NOT_FOUND, &ours.join("\n"));
    }
    match (path, heal_rule(app, door)) {
        ("/heal", Some(rule)) => match head.method {
            Method::POST => heal::answer(app, door, rule, peer, &head, body).await,
            _ => not_allowed("POST"),
        },
        _ if head.method != Method::GET && head.method != Method::HEAD => not_allowed("GET, HEAD"),
        ("/healthz", _) => fixed(StatusCode::OK, r#"{"status":"ok"}"#),
        ("/livez", _) => livez(app, door, Instant::now()),
        ("/readyz", _) => readyz(app, peer, &head),
        ("/metrics", _) => metrics(app).await,
        _ => health(app, peer, &head),
    }
}

/// On the app's own runtime an answer is the proof; from the care thread it must be looked up.
fn livez(app: &App, door: Door, now: Instant) -> Answer {
    let because = match door {
        Door::Care if app.life.is_condemned() => Some("condemned"),
        Door::Care if app.heart.is_silent_for(now, GIVEN_UP_AFTER) => Some("stalled"),
        Door::App | Door::Care => None,
    };
    match because {
        None => fixed(StatusCode::OK, r#"{"status":"ok"}"#),
        Some(because) => json(
            StatusCode::SERVICE_UNAVAILABLE,
            &serde_json::json!({"status": "unavailable", "reasons": [because]}),
        ),
    }
}

fn readyz(app: &App, peer: Option<SocketAddr>, head: &Parts) -> Answer {
    let now = Instant::now();
    let unready = app.unready(now);
    let (code, status) = if unready.is_empty() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    let mut answer = serde_json::json!({ "status": status });
    if !unready.is_empty() {
        answer["reasons"] = unready.iter().map(ToString::to_string).collect();
    }
    let words = head.uri.query().unwrap_or_default();
    if words
        .split('&')
        .any(|word| word == "verbose" || word.starts_with("verbose="))
    {
        let mut checks = app.checks.report(now);
        if is_local(head, peer).is_err() {
            // Error texts may hold addresses and names that are no stranger's business.
            checks.iter_mut().for_each(|check| check.error = None);
        }
        answer["checks"] = serde_json::json!(checks);
    }
    json(code, &answer)
}

fn health(app: &App, peer: Option<SocketAddr>, head: &Parts) -> Answer {
    let now = Instant::now();
    if is_local(head, peer).is_ok() {
        return json(StatusCode::OK, &app.health(now));
    }
    let summary = app.summary(now);
    let five = serde_json::json!({
        "status": summary.status,
        "cpu_usage": summary.cpu_usage,
        "memory_usage": summary.memory_usage,
        "error_count": summary.error_count,
        "uptime": summary.uptime,
    });
    json(StatusCode::OK, &five)
}

/// Rendering may take milliseconds, so it never holds up a worker, nor the care thread.
async fn metrics(app: &App) -> Answer {
    match app.metrics.scrape(Instant::now()).await {
        Ok(text) => with_type(StatusCode::OK, PROMETHEUS, text),
        Err(because) => {
            let why = because.to_string();
            log::say(move || tracing::error!(because = why, "no metrics page"));
            let code = match because {
                NoPage::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
                NoPage::Stuck | NoPage::NoThread => StatusCode::SERVICE_UNAVAILABLE,
            };
            plain(code, &because.to_string())
        }
    }
}

/// Serialised data.
pub(crate) fn json(code: StatusCode, data: &impl Serialize) -> Answer {
    match serde_json::to_vec(data) {
        Ok(text) => with_type(code, JSON, text.into()),
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn fixed(code: StatusCode, text: &'static str) -> Answer {
    with_type(code, JSON, Bytes::from_static(text.as_bytes()))
}

fn plain(code: StatusCode, text: &str) -> Answer {
    let text = Bytes::from(format!("{text}\n"));
    with_type(
        code,
        HeaderValue::from_static("text/plain; charset=utf-8"),
        text,
    )
}

fn not_allowed(allowed: &'static str) -> Answer {
    let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, &format!("use {allowed}"));
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

fn with_type(code: StatusCode, kind: HeaderValue, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = code;
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // However the routers are wired, a probe is never one of the app's requests.
    answer.extensions_mut().insert(crate::SkipMetrics);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Healing;
    use crate::care::heartbeat::PING_EVERY;

    #[tokio::test]
    async fn the_care_port_gives_up_on_a_runtime_after_a_minute_and_no_sooner() {
        let app = Healing::builder("given up").build().app;
        let beating = tokio::spawn(Arc::clone(&app.heart).beat());
        while !app.heart.is_beating() {
            tokio::task::yield_now().await;
        }
        // From here on nothing is awaited, so the heart's task does not run.
        let mut now = Instant::now();
        let mut go_on = |time: Duration| {
            let end = now + time;
            while now < end {
                now += PING_EVERY;
                app.heart.ping(now);
            }
            now
        };
        let later = go_on(Duration::from_secs(58));
        assert!(app.heart.is_stalled(later));
        assert_eq!(livez(&app, Door::Care, later).status(), StatusCode::OK);
        let later = go_on(Duration::from_secs(4));
        assert_eq!(
            livez(&app, Door::Care, later).status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert_eq!(
            livez(&app, Door::App, later).status(),
            StatusCode::OK,
            "it answers, so it lives"
        );
        beating.abort();
    }
}

//! Tests of every outcome class without sockets. The test calls the service and reads the body, or does
//! not, as a server would.

use crate::support::*;
use axum::body::Body;
use axum::response::Response;
use axum::routing::{any, get};
use axum::{Router, extract::Request};
use futures_util::FutureExt;
use healing_tower::{HealingLayer, Meter, MeterOptions, SkipMetrics, TrackBody};
use http::{Method, StatusCode, header};
use http_body_util::BodyExt;
use std::future::{Future, pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::task::JoinError;
use tower::{Layer, ServiceExt, service_fn};

/// Behaviour of the client.
#[derive(Debug, Clone, Copy)]
enum Client {
    /// Reads the body until it is complete or fails.
    Reads,
    /// Reads one frame, then disconnects.
    ReadsOne,
    /// Drops the body unread, as a server does for HEAD or after a disconnect.
    DropsBody,
    /// Disconnects before the response.
    Disconnects,
}
use Client::{Disconnects, DropsBody, Reads, ReadsOne};

fn app() -> Router {
    let status = |code: u16| move || async move { StatusCode::from_u16(code).unwrap() };
    let body = |script: fn() -> ScriptedBody| move || async move { script().boxed() };
    Router::new()
        .route("/text", any(|| async { "text" }))
        .route("/empty", get(|| async {}))
        .route("/404", get(status(404)))
        .route("/429", get(status(429)))
        .route("/500", get(status(500)))
        .route("/204", get(status(204)))
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("at once")
                }
            }),
        )
        .route(
            "/panic-later",
            get(|| async {
                tokio::task::yield_now().await;
                if true {
                    panic!("after a wait")
                }
            }),
        )
        .route("/pending", get(|| async { pending::<()>().await }))
        .route(
            "/304",
            get(|| async {
                (
                    StatusCode::NOT_MODIFIED,
                    ScriptedBody::new([Step::Data("x")]).boxed(),
                )
            }),
        )
        .route(
            "/stream",
            get(body(|| {
                ScriptedBody::new([Step::Data("a"), Step::Data("b")])
            })),
        )
        .route(
            "/stream-end",
            get(body(|| {
                ScriptedBody::new([Step::Data("a"), Step::Data("b")]).reports_end()
            })),
        )
        .route(
            "/trailers",
            get(body(|| {
                ScriptedBody::new([Step::Data("a"), Step::Trailers(&[("x", "y")])])
            })),
        )
        .route(
            "/stream-500",
            get(|| async {
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    ScriptedBody::new([Step::Data("a")]).boxed(),
                )
            }),
        )
        .route(
            "/fails",
            get(body(|| ScriptedBody::new([Step::Data("a"), Step::Fail]))),
        )
        .route(
            "/body-panics",
            get(body(|| ScriptedBody::new([Step::Data("a"), Step::Panic]))),
        )
        .route(
            "/pending-body",
            get(body(|| ScriptedBody::new([Step::Data("a"), Step::Pend]))),
        )
        .route(
            "/exact-fails",
            get(body(|| {
                ScriptedBody::new([Step::Data("a"), Step::Fail]).exact(2)
            })),
        )
        .route(
            "/exact",
            get(body(|| {
                ScriptedBody::new([Step::Data("a"), Step::Data("b"), Step::Pend]).exact(2)
            })),
        )
        .route(
            "/declared",
            get(|| async {
                let body = ScriptedBody::new([Step::Data("ab"), Step::Pend]).boxed();
                ([(header::CONTENT_LENGTH, "2")], body)
            }),
        )
        .route(
            "/declared-empty",
            get(|| async {
                let body = ScriptedBody::new([Step::Pend]).boxed();
                ([(header::CONTENT_LENGTH, "0")], body)
            }),
        )
        .route(
            "/declared-more",
            get(|| async {
                let body = ScriptedBody::new([Step::Data("ab")]).boxed();
                ([(header::CONTENT_LENGTH, "10")], body)
            }),
        )
        .route(
            "/large-fails",
            get(body(|| {
                ScriptedBody::new([Step::Data("a"), Step::Fail]).exact(1_000_000)
            })),
        )
        .route(
            "/upgrade",
            any(|| async {
                let body = ScriptedBody::new([Step::Pend]).boxed();
                (
                    StatusCode::SWITCHING_PROTOCOLS,
                    [(header::UPGRADE, "echo")],
                    body,
                )
            }),
        )
        .route(
            "/connect",
            any(|| async { ScriptedBody::new([Step::Pend]).boxed() }),
        )
        .route(
            "/skipped",
            get(|| async { (axum::Extension(SkipMetrics), "probe") }),
        )
        .route(
            "/timeout",
            get(|| async { pending::<()>().await }).layer(
                tower_http::timeout::TimeoutLayer::with_status_code(
                    StatusCode::SERVICE_UNAVAILABLE,
                    Duration::from_millis(1),
                ),
            ),
        )
}

/// Makes one request to the app inside the layer and returns the counts. The exchange must not panic.
async fn run(options: MeterOptions, method: Method, path: &str, client: Client) -> Classes {
    let (counted, result) = exchange_in_task(options, method, path, client).await;
    result.unwrap_or_else(|error| panic!("{path} {client:?}: {error}"));
    counted
}

/// Makes one request, which must panic in the task of its connection, and returns the counts.
async fn run_panicking(options: MeterOptions, path: &str) -> Classes {
    let (counted, result) = exchange_in_task(options, Method::GET, path, Reads).await;
    assert!(result.expect_err(path).is_panic(), "{path}");
    counted
}

async fn exchange_in_task(
    options: MeterOptions,
    method: Method,
    path: &str,
    client: Client,
) -> (Classes, Result<(), JoinError>) {
    let meter = Meter::new(options);
    let app = app()
        .layer(HealingLayer::new(meter).for_axum())
        .with_state(());
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap();
    let result = tokio::spawn(exchange(app.oneshot(request), client)).await;
    (classes(meter), result)
}

async fn exchange<E: std::fmt::Debug>(
    response: impl Future<Output = Result<Response, E>>,
    client: Client,
) {
    if matches!(client, Disconnects) {
        let mut response = pin!(response);
        // Polled once, so that the handler starts; then dropped.
        let pending = poll_fn(|cx| Poll::Ready(response.as_mut().poll(cx).is_pending())).await;
        assert!(pending);
        return;
    }
    let mut body = response.await.unwrap().into_body();
    match client {
        Disconnects | DropsBody => {}
        Reads => while let Some(Ok(_)) = body.frame().await {},
        ReadsOne => drop(body.frame().await),
    }
}

#[tokio::test]
async fn request_is_counted_in_expected_class() {
    let table = [
        ("/text", Reads, OK),
        ("/text", DropsBody, OK), // exact size, so the request finishes with the head
        ("/empty", DropsBody, OK),
        ("/404", Reads, OK),
        ("/429", Reads, OK),
        ("/500", Reads, ERROR),
        ("/no-such-path", Reads, OK),
        ("/204", DropsBody, OK),
        ("/304", DropsBody, OK),
        ("/panic", Reads, PANIC),
        ("/panic-later", Reads, PANIC),
        ("/pending", Disconnects, CANCELLED),
        ("/timeout", Reads, ERROR),
        ("/stream", Reads, OK),
        ("/stream", DropsBody, CANCELLED),
        ("/stream", ReadsOne, CANCELLED),
        ("/stream-end", Reads, OK),
        ("/stream-500", Reads, ERROR),
        ("/stream-500", DropsBody, CANCELLED),
        ("/trailers", Reads, OK),
        ("/fails", Reads, BODY_ERROR),
        ("/fails", ReadsOne, CANCELLED),
        ("/pending-body", ReadsOne, CANCELLED),
        ("/declared", ReadsOne, OK), // a server stops at the declared length
        ("/declared-empty", DropsBody, OK), // a server does not poll it
        ("/declared-more", Reads, BODY_ERROR),
        ("/large-fails", Reads, BODY_ERROR), // too large to be assumed in memory
        ("/large-fails", ReadsOne, CANCELLED),
        ("/upgrade", DropsBody, OK),
        ("/skipped", Reads, NONE),
    ];
    for (path, client, expected) in table {
        let counted = run(MeterOptions::new(), Method::GET, path, client).await;
        assert_eq!(counted, expected, "{path} {client:?}");
    }
    assert_eq!(
        run_panicking(MeterOptions::new(), "/body-panics").await,
        PANIC
    );
}

#[tokio::test]
async fn head_and_connect_requests_finish_with_response_head() {
    let run = |method, path| run(MeterOptions::new(), method, path, DropsBody);
    assert_eq!(run(Method::HEAD, "/stream").await, OK);
    assert_eq!(run(Method::HEAD, "/stream-500").await, ERROR);
    assert_eq!(run(Method::CONNECT, "/connect").await, OK);
}

#[tokio::test]
async fn track_body_selects_tracked_bodies() {
    let always = || MeterOptions::new().track_body(TrackBody::Always);
    let never = || MeterOptions::new().track_body(TrackBody::Never);
    let table = [
        (always(), "/text", Reads, OK),
        (always(), "/text", DropsBody, CANCELLED),
        (always(), "/empty", DropsBody, OK),
        (always(), "/exact-fails", Reads, BODY_ERROR),
        (always(), "/exact", ReadsOne, CANCELLED),
        (never(), "/fails", Reads, OK),
        (never(), "/stream-500", DropsBody, ERROR),
    ];
    for (options, path, client, expected) in table {
        let context = format!("{options:?} {path} {client:?}");
        assert_eq!(
            run(options, Method::GET, path, client).await,
            expected,
            "{context}"
        );
    }
}

#[tokio::test]
async fn request_with_exact_size_body_finishes_with_last_byte() {
    let meter = Meter::new(MeterOptions::new().track_body(TrackBody::Always));
    let app = app().layer(HealingLayer::new(meter).for_axum());
    let request = Request::builder()
        .uri("/exact")
        .body(Body::empty())
        .unwrap();
    let mut body = app.oneshot(request).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert_eq!(classes(meter), IN_FLIGHT);
    body.frame().await.unwrap().unwrap();
    assert_eq!(classes(meter), OK);
    drop(body);
    assert_eq!(classes(meter), OK);
}

#[tokio::test]
async fn panic_becomes_500_or_is_reraised() {
    let meter = Meter::new(MeterOptions::new());
    let caught = app().layer(HealingLayer::new(meter).for_axum());
    let response = caught
        .oneshot(Request::get("/panic").body(Body::empty()).unwrap())
        .await;
    assert_eq!(
        response.unwrap().status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );

    for path in ["/panic", "/panic-later"] {
        let meter = Meter::new(MeterOptions::new().reraise_panics(true));
        let raised = app().layer(HealingLayer::new(meter).for_axum());
        let request = Request::get(path).body(Body::empty()).unwrap();
        let error = tokio::spawn(raised.oneshot(request)).await.unwrap_err();
        assert!(error.is_panic(), "{path}");
        assert_eq!(classes(meter), PANIC, "{path}");
    }
}

#[tokio::test]
async fn errors_rule_replaces_default() {
    let options = || {
        MeterOptions::new().errors(|response| {
            response.status == StatusCode::TOO_MANY_REQUESTS
                || response.headers.contains_key("x-failed")
        })
    };
    assert_eq!(run(options(), Method::GET, "/429", Reads).await, ERROR);
    assert_eq!(run(options(), Method::GET, "/500", Reads).await, OK);
    assert_eq!(run(options(), Method::GET, "/panic", Reads).await, PANIC);
}

#[tokio::test]
async fn panic_in_errors_rule_counts_as_panic() {
    let meter = Meter::new(MeterOptions::new().errors(|_| panic!("in the rule")));
    let app = app().layer(HealingLayer::new(meter).for_axum());
    let request = Request::get("/text").body(Body::empty()).unwrap();
    let raised = AssertUnwindSafe(app.oneshot(request)).catch_unwind();
    assert!(raised.await.is_err());
    assert_eq!(classes(meter), PANIC);
}

#[tokio::test]
async fn excluded_paths_are_not_counted() {
    let options = || MeterOptions::new().exclude("/text").exclude("/st*");
    for (path, expected) in [("/text", NONE), ("/stream", NONE), ("/fails", BODY_ERROR)] {
        assert_eq!(
            run(options(), Method::GET, path, Reads).await,
            expected,
            "{path}"
        );
    }
    // The layer does not catch a panic of an excluded path.
    let options = MeterOptions::new().exclude("/panic");
    assert_eq!(run_panicking(options, "/panic").await, NONE);
}

/// The service has its own body type, its own errors and a panic inside `call`.
#[tokio::test]
async fn service_without_axum_is_counted() {
    type ServiceResult = Result<http::Response<ScriptedBody>, std::io::Error>;
    async fn classes_of<F: Future<Output = ServiceResult>>(
        call: impl FnMut(http::Request<()>) -> F,
    ) -> Classes {
        let meter = Meter::new(MeterOptions::new());
        let service = HealingLayer::new(meter).layer(service_fn(call));
        // A panic in `call` is counted and not caught.
        let response = AssertUnwindSafe(service.oneshot(http::Request::new(()))).catch_unwind();
        if let Ok(Ok(response)) = response.await {
            let _ = response.into_body().collect().await;
        }
        classes(meter)
    }
    let good = |_| async { Ok(http::Response::new(ScriptedBody::new([Step::Data("a")]))) };
    assert_eq!(classes_of(good).await, OK);
    let failing = |_| async { Ok(http::Response::new(ScriptedBody::new([Step::Fail]))) };
    assert_eq!(classes_of(failing).await, BODY_ERROR);
    let error = |_| async { Err(std::io::Error::other("no")) };
    assert_eq!(classes_of(error).await, ERROR);
    let panics = |_: http::Request<()>| -> std::future::Ready<ServiceResult> { panic!("in call") };
    assert_eq!(classes_of(panics).await, PANIC);
}

#[tokio::test]
async fn responses_pass_through_unchanged() {
    let meter = Meter::new(MeterOptions::new());
    let layered = app().layer(HealingLayer::new(meter).for_axum());
    for (path, status, text) in [
        ("/text", 200, "text"),
        ("/404", 404, ""),
        ("/stream", 200, "ab"),
        ("/stream-500", 500, "a"),
        ("/declared-more", 200, "ab"),
    ] {
        let get = |app: Router| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            async move { app.oneshot(request).await.unwrap().into_parts() }
        };
        let ((bare, _), (head, body)) = (get(app()).await, get(layered.clone()).await);
        assert_eq!(head.status, status, "{path}");
        assert_eq!(head.headers, bare.headers, "{path}");
        assert_eq!(body.collect().await.unwrap().to_bytes(), text, "{path}");
    }
}

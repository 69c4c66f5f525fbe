//! Tests of the response heads: which requests wait for theirs, and which heads are errors.

use crate::sockets::{app, read_until, request, send_raw, serve};
use crate::support::*;
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use healing_tower::{HealingLayer, Meter, MeterOptions};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tower::ServiceExt as _;
use tower_http::timeout::TimeoutLayer;

/// Counts of response heads, and of requests that have none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Heads {
    answered: u64,
    errors: u64,
    cancelled: u64,
    waiting: u64,
    /// Requests in flight after their head.
    streaming: u64,
}

fn heads(meter: Meter) -> Heads {
    let totals = meter.totals();
    let waiting = meter.waiting();
    Heads {
        answered: totals.answered_total.unwrap(),
        errors: totals.answered_errors_total.unwrap(),
        cancelled: totals.cancelled_before_head_total.unwrap(),
        waiting,
        streaming: meter.in_flight() - waiting,
    }
}

const NO_HEADS: Heads = Heads {
    answered: 0,
    errors: 0,
    cancelled: 0,
    waiting: 0,
    streaming: 0,
};
const ANSWERED: Heads = Heads {
    answered: 1,
    ..NO_HEADS
};
const ANSWERED_ERROR: Heads = Heads {
    errors: 1,
    ..ANSWERED
};

#[tokio::test]
async fn http1_head_is_counted_however_its_body_finishes() {
    let table = [
        ("/text", ANSWERED),
        ("/none", ANSWERED),
        ("/stream", ANSWERED),
        ("/fails", ANSWERED),
        ("/body-panics", ANSWERED),
        ("/panic", ANSWERED_ERROR),
    ];
    for (path, expected) in table {
        let meter = Meter::new(MeterOptions::new());
        let address = serve(app(&Arc::default()), meter).await;
        let close = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let mut stream = send_raw(address, &close).await;
        let _ = stream.read_to_end(&mut Vec::new()).await; // the connection may be reset
        settles(expected, || heads(meter)).await;
    }
}

#[tokio::test]
async fn stream_whose_client_leaves_is_answered_without_error() {
    let meter = Meter::new(MeterOptions::new());
    let address = serve(app(&Arc::default()), meter).await;
    let mut client = send_raw(address, &request("/pending-body")).await;
    read_until(&mut client, "begun").await;
    let streaming = Heads {
        streaming: 1,
        ..ANSWERED
    };
    assert_eq!(heads(meter), streaming);
    drop(client);
    settles(ANSWERED, || heads(meter)).await;
    assert_eq!(classes(meter), CANCELLED);
}

#[tokio::test]
async fn request_waits_until_its_client_leaves_without_a_head() {
    let begun = Arc::new(Notify::new());
    let meter = Meter::new(MeterOptions::new());
    let address = serve(app(&begun), meter).await;
    let client = send_raw(address, &request("/pending")).await;
    begun.notified().await;
    let waiting = Heads {
        waiting: 1,
        ..NO_HEADS
    };
    assert_eq!(heads(meter), waiting);
    drop(client);
    let cancelled = Heads {
        cancelled: 1,
        ..NO_HEADS
    };
    settles(cancelled, || heads(meter)).await;
    assert_eq!(classes(meter), CANCELLED);
}

#[tokio::test]
async fn http2_heads_and_cancellations_are_told_apart() {
    let begun = Arc::new(Notify::new());
    let meter = Meter::new(MeterOptions::new());
    let address = serve(app(&begun), meter).await;
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let get = |path: &str| {
        let request = Request::get(format!("http://here{path}"));
        request.body(String::new()).unwrap()
    };
    let mut expected = NO_HEADS;

    for path in ["/text", "/stream", "/panic"] {
        let response = client.send_request(get(path)).await.unwrap();
        response.into_body().collect().await.unwrap();
        expected.answered += 1;
        expected.errors += u64::from(path == "/panic");
        settles(expected, || heads(meter)).await;
    }

    let midway = client.send_request(get("/pending-body")).await.unwrap();
    let early = tokio::spawn(client.send_request(get("/pending")));
    begun.notified().await;
    expected.answered += 1;
    (expected.streaming, expected.waiting) = (1, 1);
    settles(expected, || heads(meter)).await;
    early.abort();
    (expected.waiting, expected.cancelled) = (0, 1);
    settles(expected, || heads(meter)).await;
    drop(midway);
    expected.streaming = 0;
    settles(expected, || heads(meter)).await;
    let classes = classes(meter);
    assert_eq!((classes.cancelled, classes.panic, classes.ok), (2, 1, 2));
}

#[tokio::test]
async fn error_stream_is_an_error_from_its_head_on() {
    let meter = Meter::new(MeterOptions::new());
    let failing = || async {
        let body = ScriptedBody::new([Step::Data("sorry"), Step::Pend]).boxed();
        (StatusCode::SERVICE_UNAVAILABLE, body)
    };
    let address = serve(Router::new().route("/", get(failing)), meter).await;
    let mut client = send_raw(address, &request("/")).await;
    read_until(&mut client, "sorry").await;
    let streaming = Heads {
        streaming: 1,
        ..ANSWERED_ERROR
    };
    assert_eq!(heads(meter), streaming);
    drop(client);
    settles(ANSWERED_ERROR, || heads(meter)).await;
}

#[tokio::test]
async fn panic_of_owners_rule_is_one_before_the_head() {
    let meter = Meter::new(MeterOptions::new().errors(|_| panic!("the rule panics")));
    let app = Router::new()
        .route("/", get(|| async { "text" }))
        .layer(HealingLayer::new(meter));
    let request = Request::get("/").body(Body::empty()).unwrap();
    assert!(tokio::spawn(app.oneshot(request)).await.is_err());
    assert_eq!(heads(meter), ANSWERED_ERROR);
    assert_eq!(classes(meter), PANIC);
}

/// Returns the heads and classes of a request to a handler that responds with this status.
async fn count_status(options: MeterOptions, status: StatusCode) -> (Heads, Classes) {
    let meter = Meter::new(options);
    let app = Router::new()
        .route("/", get(move || async move { status }))
        .layer(HealingLayer::new(meter));
    let request = Request::get("/").body(Body::empty()).unwrap();
    app.oneshot(request).await.unwrap();
    (heads(meter), classes(meter))
}

#[tokio::test]
async fn server_time_outs_are_errors_by_default() {
    for (status, error) in [
        (StatusCode::REQUEST_TIMEOUT, true),
        (StatusCode::GATEWAY_TIMEOUT, true),
        (StatusCode::INTERNAL_SERVER_ERROR, true),
        (StatusCode::from_u16(599).unwrap(), true),
        (StatusCode::from_u16(600).unwrap(), false),
        (StatusCode::NOT_FOUND, false),
        (StatusCode::CONFLICT, false),
        (StatusCode::TOO_MANY_REQUESTS, false),
        (StatusCode::NOT_MODIFIED, false),
    ] {
        let expected = if error {
            (ANSWERED_ERROR, ERROR)
        } else {
            (ANSWERED, OK)
        };
        let counted = count_status(MeterOptions::new(), status).await;
        assert_eq!(counted, expected, "{status}");
    }
    let own = MeterOptions::new().errors(|head| head.status == StatusCode::NOT_FOUND);
    let counted = count_status(own.clone(), StatusCode::REQUEST_TIMEOUT).await;
    assert_eq!(
        counted,
        (ANSWERED, OK),
        "the owner's rule replaces the default"
    );
    let counted = count_status(own, StatusCode::NOT_FOUND).await;
    assert_eq!(counted, (ANSWERED_ERROR, ERROR));
}

#[tokio::test(start_paused = true)]
async fn time_out_counts_as_error_inside_the_layer_and_as_cancelled_outside() {
    let limit = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(1));
    let slow = || Router::new().route("/", get(pending::<()>));
    let call = async |app: Router| {
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    };

    let meter = Meter::new(MeterOptions::new());
    call(slow().layer(limit).layer(HealingLayer::new(meter))).await;
    assert_eq!((heads(meter), classes(meter)), (ANSWERED_ERROR, ERROR));

    let meter = Meter::new(MeterOptions::new());
    call(slow().layer(HealingLayer::new(meter)).layer(limit)).await;
    assert_eq!(classes(meter), CANCELLED);
    assert_eq!(heads(meter).cancelled, 1);
}

#[tokio::test]
async fn peak_goodput_is_that_of_the_best_two_seconds() {
    let meter = Meter::new(MeterOptions::new());
    let app = Router::new()
        .route("/", get(|| async { "text" }))
        .route("/500", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .layer(HealingLayer::new(meter));
    let request = |path| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        app.clone().oneshot(request)
    };
    // The caller supplies the clock, so that no time passes.
    let start = Instant::now() + Duration::from_secs(1);
    let tick = |quarter| meter.tick(start + Duration::from_millis(250) * quarter);
    assert_eq!(meter.peak_goodput(), None);
    (0..=12).for_each(tick);
    assert_eq!(meter.peak_goodput(), Some(0.0));
    // Two seconds of 20 responses a second, half of them errors.
    for quarter in 13..=20 {
        for _ in 0..5 {
            request("/").await.unwrap();
            request("/500").await.unwrap();
        }
        tick(quarter);
    }
    assert_eq!(meter.peak_goodput(), Some(20.0));
    (21..=132).for_each(tick);
    assert_eq!(
        meter.peak_goodput(),
        Some(20.0),
        "30 s after the burst began"
    );
    (133..=141).for_each(tick);
    assert_eq!(meter.peak_goodput(), Some(0.0));
}

//! Tests of outcome classes over real connections, where only the server detects that a client has
//! disconnected.

use crate::support::*;
use axum::Router;
use axum::body::Body;
use axum::routing::{any, get};
use healing_tower::{HealingLayer, Meter, MeterOptions};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Serves an app on a port of its own.
pub(crate) async fn serve(app: Router, meter: Meter) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.layer(HealingLayer::new(meter).for_axum());
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Opens a connection and sends a raw HTTP/1.1 request.
pub(crate) async fn send_raw(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Reads until `text` has been received.
pub(crate) async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut got = Vec::new();
    while !String::from_utf8_lossy(&got).contains(text) {
        let mut chunk = [0; 1024];
        let read = stream.read(&mut chunk).await.unwrap();
        assert!(
            read > 0,
            "connection closed after {:?}",
            String::from_utf8_lossy(&got)
        );
        got.extend_from_slice(&chunk[..read]);
    }
    String::from_utf8(got).unwrap()
}

pub(crate) fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n")
}

/// Returns an app that notifies `event` when `/pending` has begun and when the connection of `/echo` is
/// closed.
pub(crate) fn app(event: &Arc<Notify>) -> Router {
    let (begun, closed) = (event.clone(), event.clone());
    Router::new()
        .route("/text", get(|| async { "text" }))
        .route(
            "/pending",
            get(|| async move {
                begun.notify_one();
                pending::<()>().await;
            }),
        )
        .route(
            "/stream",
            get(|| async { ScriptedBody::new([Step::Data("a"), Step::Data("b")]).boxed() }),
        )
        .route(
            "/fails",
            get(|| async { ScriptedBody::new([Step::Data("a"), Step::Fail]).boxed() }),
        )
        .route(
            "/pending-body",
            get(|| async { ScriptedBody::new([Step::Data("begun"), Step::Pend]).boxed() }),
        )
        .route(
            "/body-panics",
            get(|| async { ScriptedBody::new([Step::Data("a"), Step::Panic]).boxed() }),
        )
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("here")
                }
            }),
        )
        .route("/echo", any(|request| echo(request, closed)))
}

/// Switches to a protocol that echoes what it receives.
async fn echo(request: axum::extract::Request, closed: Arc<Notify>) -> http::Response<Body> {
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(request).await.unwrap();
        let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
        let _ = tokio::io::copy(&mut read, &mut write).await;
        closed.notify_one();
    });
    http::Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "echo")
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn http1_request_is_counted_in_one_class() {
    let table = [
        ("/text", OK),
        ("/none", OK),
        ("/stream", OK),
        ("/fails", BODY_ERROR),
        ("/panic", PANIC),
        ("/body-panics", PANIC),
    ];
    for (path, expected) in table {
        let meter = Meter::new(MeterOptions::new());
        let address = serve(app(&Arc::default()), meter).await;
        let mut stream = send_raw(
            address,
            &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        )
        .await;
        let _ = stream.read_to_end(&mut Vec::new()).await; // the connection may be reset
        settles(expected, || classes(meter)).await;
    }
}

#[tokio::test]
async fn http1_head_and_keep_alive_requests_count_as_ok() {
    let meter = Meter::new(MeterOptions::new());
    let address = serve(app(&Arc::default()), meter).await;
    let mut stream = send_raw(address, "HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n").await;
    read_until(&mut stream, "\r\n\r\n").await;
    for _ in 0..3 {
        stream
            .write_all(request("/stream").as_bytes())
            .await
            .unwrap();
        read_until(&mut stream, "0\r\n\r\n").await;
    }
    settles(Classes { ok: 4, ..NONE }, || classes(meter)).await;
}

#[tokio::test]
async fn http1_disconnect_counts_as_cancelled() {
    let begun = Arc::new(Notify::new());
    let meter = Meter::new(MeterOptions::new());
    let address = serve(app(&begun), meter).await;
    let before_response = send_raw(address, &request("/pending")).await;
    begun.notified().await;
    assert_eq!(classes(meter), IN_FLIGHT);
    drop(before_response);
    settles(CANCELLED, || classes(meter)).await;

    let mut midway = send_raw(address, &request("/pending-body")).await;
    read_until(&mut midway, "begun").await;
    assert_eq!(meter.in_flight(), 1);
    drop(midway);
    settles(
        Classes {
            cancelled: 2,
            ..NONE
        },
        || classes(meter),
    )
    .await;
}

#[tokio::test]
async fn upgrade_request_finishes_with_its_response() {
    let closed = Arc::new(Notify::new());
    let meter = Meter::new(MeterOptions::new());
    let address = serve(app(&closed), meter).await;
    let head = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    let mut stream = send_raw(address, head).await;
    assert!(
        read_until(&mut stream, "\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 101")
    );
    stream.write_all(b"hello").await.unwrap();
    assert_eq!(read_until(&mut stream, "hello").await, "hello");
    assert_eq!(classes(meter), OK);
    drop(stream);
    closed.notified().await;
    settles(OK, || classes(meter)).await;
}

#[tokio::test]
async fn http2_stream_is_counted_in_one_class() {
    let begun = Arc::new(Notify::new());
    let meter = Meter::new(MeterOptions::new());
    let address = serve(app(&begun), meter).await;
    let socket = std::net::TcpStream::connect(address).unwrap();
    socket.set_nonblocking(true).unwrap();
    let shutdown_handle = socket.try_clone().unwrap();
    let io = TokioIo::new(TcpStream::from_std(socket).unwrap());
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let get = |path: &str| {
        Request::get(format!("http://here{path}"))
            .body(String::new())
            .unwrap()
    };
    let mut expected = NONE;

    for path in ["/text", "/none", "/stream"] {
        client
            .send_request(get(path))
            .await
            .unwrap()
            .into_body()
            .collect()
            .await
            .unwrap();
        expected.ok += 1;
        settles(expected, || classes(meter)).await;
    }
    let head = Request::head("http://here/stream")
        .body(String::new())
        .unwrap();
    client
        .send_request(head)
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap();
    expected.ok += 1;
    settles(expected, || classes(meter)).await;

    // The reset may overtake the head.
    match client.send_request(get("/fails")).await {
        Ok(response) => drop(response.into_body().collect().await.unwrap_err()),
        Err(error) => assert!(!error.is_canceled(), "{error}"),
    }
    expected.body_error += 1;
    settles(expected, || classes(meter)).await;

    assert_eq!(
        client.send_request(get("/panic")).await.unwrap().status(),
        500
    );
    expected.panic += 1;
    settles(expected, || classes(meter)).await;

    // A stream is reset before the response, then another midway. The connection stays open.
    let early = tokio::spawn(client.send_request(get("/pending")));
    begun.notified().await;
    assert_eq!(meter.in_flight(), 1);
    early.abort();
    expected.cancelled += 1;
    settles(expected, || classes(meter)).await;

    let mut midway = client
        .send_request(get("/pending-body"))
        .await
        .unwrap()
        .into_body();
    assert_eq!(
        midway.frame().await.unwrap().unwrap().into_data().unwrap(),
        "begun"
    );
    assert_eq!(meter.in_flight(), 1);
    drop(midway);
    expected.cancelled += 1;
    settles(expected, || classes(meter)).await;

    // The connection is shut down with two streams in flight.
    let first = client.send_request(get("/pending-body")).await.unwrap();
    let second = client.send_request(get("/pending-body")).await.unwrap();
    eventually(2, || meter.in_flight()).await;
    shutdown_handle.shutdown(std::net::Shutdown::Both).unwrap();
    expected.cancelled += 2;
    settles(expected, || classes(meter)).await;
    drop((first, second));
}

#[tokio::test]
async fn streamed_response_stays_in_flight_until_complete() {
    let (sender, receiver) = tokio::sync::mpsc::channel::<&'static str>(1);
    let receiver = Arc::new(std::sync::Mutex::new(Some(receiver)));
    let stream = move || async move {
        let mut receiver = receiver.lock().unwrap().take().unwrap();
        let next = move |cx: &mut std::task::Context<'_>| {
            receiver
                .poll_recv(cx)
                .map(|text| text.map(Ok::<_, std::io::Error>))
        };
        Body::from_stream(futures_util::stream::poll_fn(next))
    };
    let meter = Meter::new(MeterOptions::new());
    let address = serve(Router::new().route("/live", get(stream)), meter).await;
    let mut client = send_raw(address, &request("/live")).await;
    for text in ["one", "two", "three"] {
        sender.send(text).await.unwrap();
        read_until(&mut client, text).await;
        assert_eq!(classes(meter), IN_FLIGHT);
    }
    drop(sender);
    read_until(&mut client, "0\r\n\r\n").await;
    eventually(OK, || classes(meter)).await;
}

//! Tests of readiness and shutdown, as the endpoints show them.

use std::time::Duration;

use axum::http::{Request, StatusCode};
use axum::routing::get;
use healing_tower::CheckOptions;
use http_body_util::BodyExt as _;

use crate::app::{app, builder, get_from};
use crate::http::{self, heal, wait_until};

#[tokio::test]
async fn readiness_follows_start_drain_and_checks() {
    let healing = builder("ready")
        .local_with(
            "warm",
            CheckOptions::default()
                .readiness(true)
                .interval(Duration::from_millis(20)),
            {
                let calls = std::sync::atomic::AtomicU32::new(0);
                move || {
                    let cold = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 3;
                    async move { if cold { Err("cold") } else { Ok(()) } }
                }
            },
        )
        .build();
    let router = healing.wrap(app());
    let (status, unready) = get_from(&router, "/readyz", None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        unready["reasons"][0]
            .as_str()
            .unwrap()
            .contains("not started"),
        "{unready}"
    );

    let care = healing.start_care().unwrap();
    wait_until("the check passes", || async {
        (http::get(care, "/readyz").await.status == 200).then_some(())
    })
    .await;
    assert_eq!(
        get_from(&router, "/readyz", None).await.0,
        StatusCode::OK,
        "app port and care port agree"
    );

    assert_eq!(heal(care, "drain").await.status, 200);
    assert_eq!(http::get(care, "/readyz").await.status, 503);
    assert_eq!(
        get_from(&router, "/readyz", None).await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(
        http::get(care, "/livez").await.status,
        200,
        "a drain does not fail liveness"
    );
    let health = http::get(care, "/health").await.json();
    assert_eq!(
        (&health["draining"], &health["started"]),
        (&true.into(), &true.into())
    );
    assert_eq!(heal(care, "undrain").await.status, 200);
    assert_eq!(http::get(care, "/readyz").await.status, 200);
}

#[tokio::test]
async fn instance_is_not_ready_until_every_start_guard_is_dropped() {
    let builder = builder("starts").version("1.2.3");
    let (one, other) = (builder.starting(), builder.starting());
    let healing = builder.build();
    let care = healing.start_care().unwrap();
    let started = async || {
        let health = http::get(care, "/health").await.json();
        assert_eq!(health["version"], "1.2.3");
        let starting = health
            .get("starting")
            .is_some_and(|starting| starting == true);
        (starting, health["started"] == true)
    };
    wait_until("the runtime ticks", || async {
        let ready = http::get(care, "/readyz?verbose").await;
        assert_eq!(ready.status, 503, "{ready:?}");
        (ready.json()["reasons"] == serde_json::json!(["starting"])).then_some(())
    })
    .await;
    assert_eq!(started().await, (true, false));
    assert_eq!(http::get(care, "/livez").await.status, 200);
    drop(one);
    assert_eq!(started().await, (true, false), "another guard exists");
    std::thread::spawn(move || drop(other)).join().unwrap();
    assert_eq!(http::get(care, "/readyz").await.status, 200);
    assert_eq!(started().await, (false, true));
}

#[tokio::test]
async fn request_shutdown_stops_server_gracefully() {
    let healing = builder("shutdown")
        .lame_duck(Duration::from_millis(50))
        .build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let served = healing.clone();
    let server = tokio::spawn(async move { served.serve(listener, app()).await });
    let care = wait_until("the server is up", || async { healing.care_addr() }).await;
    wait_until("the instance is ready", || async {
        (http::get(care, "/readyz").await.status == 200).then_some(())
    })
    .await;
    healing.request_shutdown();
    assert_eq!(http::get(care, "/readyz").await.status, 503);
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn http2_authority_is_host_and_shutdown_finishes_streams() {
    use hyper_util::rt::{TokioExecutor, TokioIo};

    let healing = builder("h2").lame_duck(Duration::ZERO).build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (begun, resume) = (
        std::sync::Arc::new(tokio::sync::Notify::new()),
        std::sync::Arc::new(tokio::sync::Notify::new()),
    );
    let (started, wait) = (begun.clone(), resume.clone());
    let slow = get(move || async move {
        started.notify_one();
        wait.notified().await;
        "finished"
    });
    let served = healing.clone();
    let server =
        tokio::spawn(async move { served.serve(listener, app().route("/slow", slow)).await });

    let stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let get = |path: &str| {
        let request = Request::get(format!("http://{addr}{path}"))
            .body(String::new())
            .unwrap();
        let mut sender = sender.clone();
        async move {
            let response = sender.send_request(request).await?;
            let body = response.into_body().collect().await?.to_bytes();
            Ok::<_, hyper::Error>(String::from_utf8_lossy(&body).into_owned())
        }
    };
    let health: serde_json::Value = serde_json::from_str(&get("/health").await.unwrap()).unwrap();
    assert_eq!(health["app"], "h2", "a local client by its authority");

    let in_flight = tokio::spawn(get("/slow"));
    begun.notified().await;
    healing.request_shutdown();
    wait_until("the listener is closed", || async {
        tokio::net::TcpStream::connect(addr)
            .await
            .is_err()
            .then_some(())
    })
    .await;
    resume.notify_one();
    assert_eq!(in_flight.await.unwrap().unwrap(), "finished");
    server.await.unwrap().unwrap();
}

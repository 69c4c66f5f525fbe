//! The endpoints at both doors.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use healing_tower::{Builder, CheckOptions, Healing};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::http::{self, heal, until};

fn builder(name: &str) -> Builder {
    Healing::builder(name)
        .care_bind("127.0.0.1:0".parse().unwrap())
        .leave_sigterm()
}

fn app() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

/// One request to the router, from `peer`, as a server with peer addresses would hand it on.
async fn ask(router: &Router, path: &str, peer: Option<&str>) -> (StatusCode, serde_json::Value) {
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

#[tokio::test]
async fn the_front_door_is_constant_and_not_counted() {
    let healing = builder("front").build();
    let router = healing.wrap(app());
    for path in ["/healthz", "/livez"] {
        let answer = ask(&router, path, None).await;
        assert_eq!(
            answer,
            (StatusCode::OK, serde_json::json!({"status": "ok"}))
        );
    }
    ask(&router, "/metrics", None).await;
    ask(&router, "/health", None).await;
    assert_eq!(
        healing.meter().totals().requests_total,
        Some(0),
        "ours are not the app's"
    );
    ask(&router, "/", None).await;
    assert_eq!(healing.meter().totals().requests_total, Some(1));
}

#[tokio::test]
async fn what_no_route_matches_is_counted_with_and_without_a_fallback() {
    let healing = builder("unmatched").build();
    let router = healing.wrap(app());
    assert_eq!(
        ask(&router, "/nowhere", None).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(healing.meter().totals().requests_total, Some(1));

    let healing = builder("fallback").build();
    let own = app().fallback(|| async { (StatusCode::NOT_FOUND, axum::Json("the app's own")) });
    let router = healing.wrap(own);
    assert_eq!(ask(&router, "/nowhere", None).await.1, "the app's own");
    assert_eq!(healing.meter().totals().requests_total, Some(1));
    assert_eq!(ask(&router, "/healthz", None).await.0, StatusCode::OK);
    assert_eq!(healing.meter().totals().requests_total, Some(1));
}

#[tokio::test]
async fn strangers_see_the_originals_five_fields_and_neighbours_all() {
    let healing = builder("privacy").build();
    healing.start_care().unwrap();
    let router = healing.wrap(app());
    let five = [
        "cpu_usage",
        "error_count",
        "memory_usage",
        "status",
        "uptime",
    ];
    for stranger in [
        None,
        Some("10.1.2.3:4"),
        Some("[::ffff:10.1.2.3]:4"),
        Some("[2001:db8::1]:4"),
    ] {
        let (status, health) = ask(&router, "/health", stranger).await;
        assert_eq!(status, StatusCode::OK);
        let fields: Vec<_> = health.as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, five, "{stranger:?}");
    }
    for neighbour in ["127.0.0.1:4", "[::1]:4", "[::ffff:127.0.0.1]:4"] {
        let (_, health) = ask(&router, "/health", Some(neighbour)).await;
        assert_eq!(health["instance_id"], healing.instance_id(), "{neighbour}");
        assert_eq!(health["app"], "privacy");
        assert_eq!(health["requests_total"], 0);
    }
}

#[tokio::test]
async fn the_care_port_tells_everything() {
    let healing = builder("everything")
        .soft_heal("cache", || async { Ok::<(), String>(()) })
        .dependency("db", || async { Err("connection refused") })
        .build();
    let care = healing.start_care().unwrap();
    assert_eq!(healing.care_addr(), Some(care));
    assert_eq!(healing.start_care().unwrap(), care, "started once");
    let health = until("vitals, a tick and a result", || async {
        let health = http::get(care, "/health").await.json();
        let complete = health["cpu_usage"].is_number()
            && health["runtime"]["stalled"] == false
            && health["checks"][0]["state"] == "failing";
        complete.then_some(health)
    })
    .await;
    assert_eq!(health["schema"], 1);
    assert_eq!(health["pid"], std::process::id());
    assert_eq!(health["started"], true);
    assert_eq!(health["draining"], false);
    assert_eq!(health["checks"][0]["kind"], "dependency");
    assert_eq!(health["checks"][0]["error"], "connection refused");
    assert_eq!(health["hooks"][0]["name"], "cache");
    assert!(health["memory_usage"].as_f64().unwrap() > 0.0);
    assert!(health["hour_of_day"].as_u64().unwrap() < 24);
    let parsed: healing_tower::health::Health =
        serde_json::from_value(health).expect("its own schema");
    assert!(
        parsed
            .vitals
            .is_some_and(|vitals| vitals.memory_limit_bytes.is_some())
    );

    assert_eq!(http::get(care, "/livez").await.status, 200);
    let ready = http::get(care, "/readyz?verbose").await;
    assert_eq!(
        ready.status, 200,
        "a check without opt-in is shown, not heeded: {ready:?}"
    );
    assert_eq!(ready.json()["checks"][0]["state"], "failing");
    assert_eq!(
        http::get(care, "/healthz").await.status,
        404,
        "the front door is the app's"
    );
    let metrics = http::get(care, "/metrics").await;
    for line in [
        "healing_app_info{app=\"everything\"",
        "healing_app_check_up{check=\"db\",kind=\"dependency\"} 0",
        "healing_app_hook_runs_total{hook=\"cache\"} 0",
        "healing_app_cpu_seconds_total ",
        "healing_app_memory_limit_bytes ",
        "healing_app_runtime_stalled 0",
        "healing_app_ready 1",
    ] {
        assert!(metrics.body.contains(line), "{line} in {}", metrics.body);
    }
    let post = http::raw(
        care,
        b"POST /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(post.await.unwrap().status, 405);
}

#[tokio::test]
async fn readiness_follows_start_lease_and_checks() {
    let healing = builder("ready")
        .local_with(
            "warm",
            CheckOptions::default()
                .readiness(true)
                .interval(Duration::from_millis(20)),
            {
                let asked = std::sync::atomic::AtomicU32::new(0);
                move || {
                    let cold = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 3;
                    async move { if cold { Err("cold") } else { Ok(()) } }
                }
            },
        )
        .build();
    let router = healing.wrap(app());
    let (status, unready) = ask(&router, "/readyz", None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        unready["reasons"][0]
            .as_str()
            .unwrap()
            .contains("not started"),
        "{unready}"
    );

    let care = healing.start_care().unwrap();
    until("it is warm", || async {
        (http::get(care, "/readyz").await.status == 200).then_some(())
    })
    .await;
    assert_eq!(
        ask(&router, "/readyz", None).await.0,
        StatusCode::OK,
        "both doors agree"
    );

    assert_eq!(heal(care, "drain").await.status, 200);
    assert_eq!(http::get(care, "/readyz").await.status, 503);
    assert_eq!(
        ask(&router, "/readyz", None).await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(
        http::get(care, "/livez").await.status,
        200,
        "draining is not dying"
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
async fn error_texts_of_checks_are_not_for_strangers() {
    let healing = builder("secrets")
        .dependency("db", || async { Err("no route to 10.9.8.7") })
        .build();
    let mut events = healing.check_events();
    healing.start_care().unwrap();
    events.next().await.expect("the first result");
    let router = healing.wrap(app());
    let (_, near) = ask(&router, "/readyz?verbose", Some("127.0.0.1:4")).await;
    assert_eq!(near["checks"][0]["error"], "no route to 10.9.8.7");
    let (_, far) = ask(&router, "/readyz?verbose", Some("10.1.2.3:4")).await;
    assert_eq!(far["checks"][0]["state"], "failing");
    assert!(far["checks"][0].get("error").is_none(), "{far}");
}

#[tokio::test]
async fn a_busy_care_port_is_an_error_at_the_start() {
    let first = builder("first").build();
    let taken = first.start_care().unwrap();
    let second = Healing::builder("second")
        .care_bind(taken)
        .leave_sigterm()
        .build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = second.serve(listener, app()).await.expect_err("busy");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    let told = error.to_string();
    assert!(
        told.contains(&taken.to_string()) && told.contains("HEALING_CARE_BIND"),
        "{told}"
    );
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_errors_at_the_start() {
    let twice = builder("twice")
        .dependency("db", || async { Ok::<(), String>(()) })
        .local("db", || async { Ok::<(), String>(()) })
        .build();
    assert!(
        twice
            .start_care()
            .expect_err("two")
            .to_string()
            .contains("\"db\"")
    );
    let tokenless = builder("tokenless").token_file("/nowhere/token").build();
    assert!(
        tokenless
            .start_care()
            .expect_err("no file")
            .to_string()
            .contains("/nowhere/token")
    );
}

#[tokio::test]
async fn two_instances_live_in_one_process() {
    let (one, two) = (builder("one").build(), builder("two").build());
    let (care_one, care_two) = (one.start_care().unwrap(), two.start_care().unwrap());
    let router = one.wrap(app());
    ask(&router, "/", None).await;
    heal(care_two, "drain").await;
    let (first, second) = (
        http::get(care_one, "/health").await.json(),
        http::get(care_two, "/health").await.json(),
    );
    assert_ne!(first["instance_id"], second["instance_id"]);
    assert_eq!(
        (&first["requests_total"], &second["requests_total"]),
        (&1.into(), &0.into())
    );
    assert_eq!(
        (&first["draining"], &second["draining"]),
        (&false.into(), &true.into())
    );

    drop((one, router));
    until(
        "the first care thread ends with its last handle",
        || async {
            http::try_get(care_one, "/livez")
                .await
                .is_err()
                .then_some(())
        },
    )
    .await;
    assert_eq!(http::get(care_two, "/livez").await.status, 200);
}

#[tokio::test]
async fn a_path_can_be_left_to_the_app() {
    let healing = builder("omits").omit("/metrics").build();
    let own = app().route("/metrics", get(|| async { axum::Json("the app's own") }));
    let router = healing.wrap(own);
    assert_eq!(ask(&router, "/metrics", None).await.1, "the app's own");
    assert_eq!(ask(&router, "/healthz", None).await.0, StatusCode::OK);
    let care = healing.start_care().unwrap();
    assert!(
        http::get(care, "/metrics")
            .await
            .body
            .contains("healing_app_info")
    );
}

#[tokio::test]
async fn a_path_that_the_app_has_too_is_a_panic_before_the_start() {
    use axum::routing::{any, post};

    let other = || async { "the app's own" };
    for path in ["/healthz", "/livez", "/readyz", "/health", "/metrics"] {
        for own in [get(other), post(other), any(other)] {
            let healing = builder("collides").build();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (served, app) = (healing.clone(), app().route(path, own));
            let server = tokio::spawn(async move { served.serve(listener, app).await });
            let limit = Duration::from_secs(20);
            let ended = tokio::time::timeout(limit, server).await.expect("an end");
            assert!(ended.expect_err("a collision").is_panic(), "{path}");
            assert_eq!(healing.care_addr(), None, "nothing was started");
        }
    }
}

#[tokio::test]
async fn other_methods_are_told_which_to_use() {
    let healing = builder("methods").heal_on_app_port().build();
    let router = healing.wrap(app());
    for (path, allowed) in [
        ("/metrics", "GET, HEAD"),
        ("/healthz", "GET, HEAD"),
        ("/heal", "POST"),
    ] {
        for method in ["DELETE", "OPTIONS", "PURGE", "TRACE"] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .body(Body::empty());
            let answer = router.clone().oneshot(request.unwrap()).await.unwrap();
            assert_eq!(
                answer.status(),
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
            let allow: Vec<_> = answer.headers().get_all("allow").iter().collect();
            assert_eq!(allow, [allowed], "{method} {path}");
        }
    }
    let head = Request::head("/healthz").body(Body::empty()).unwrap();
    assert_eq!(router.oneshot(head).await.unwrap().status(), StatusCode::OK);
    assert_eq!(healing.meter().totals().requests_total, Some(0));
}

#[test]
fn whose_a_path_is_can_be_asked_for_every_request() {
    let healing = builder("owner").omit("/metrics").build();
    for (path, ours) in [
        ("/healthz", true),
        ("/livez", true),
        ("/readyz", true),
        ("/health", true),
        ("/metrics", false),
        ("/heal", false),
        ("/health/", false),
        ("/", false),
        ("", false),
    ] {
        let mut owned = None;
        let counted = allocation_counter::measure(|| owned = Some(healing.owns(path)));
        assert_eq!((owned, counted.count_total), (Some(ours), 0), "{path}");
    }
    assert!(builder("heals").heal_on_app_port().build().owns("/heal"));
}

#[tokio::test]
async fn an_orderly_end_can_be_asked_for() {
    let healing = builder("asked")
        .lame_duck(Duration::from_millis(50))
        .build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let served = healing.clone();
    let server = tokio::spawn(async move { served.serve(listener, app()).await });
    let care = until("it serves", || async { healing.care_addr() }).await;
    until("it is ready", || async {
        (http::get(care, "/readyz").await.status == 200).then_some(())
    })
    .await;
    healing.request_shutdown();
    assert_eq!(http::get(care, "/readyz").await.status, 503);
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn endless_times_are_no_panic() {
    let healing = builder("endless")
        .stall_after(Duration::MAX)
        .lame_duck(Duration::MAX)
        .drain_deadline(Duration::MAX)
        .condemned_wait(Duration::MAX)
        .build();
    let care = healing.start_care().unwrap();
    assert_eq!(heal(care, "restart_service").await.status, 200);
    assert_eq!(
        http::get(care, "/livez").await.status,
        503,
        "condemned, and still there"
    );
    assert_eq!(http::get(care, "/health").await.status, 200);
}

#[tokio::test]
async fn over_http_2_the_authority_is_the_host_and_open_streams_are_finished() {
    use hyper_util::rt::{TokioExecutor, TokioIo};

    let healing = builder("h2").lame_duck(Duration::ZERO).build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (begun, go_on) = (
        std::sync::Arc::new(tokio::sync::Notify::new()),
        std::sync::Arc::new(tokio::sync::Notify::new()),
    );
    let (tell, wait) = (begun.clone(), go_on.clone());
    let slow = get(move || async move {
        tell.notify_one();
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
    assert_eq!(health["app"], "h2", "a neighbour by its authority");

    let open = tokio::spawn(get("/slow"));
    begun.notified().await;
    healing.request_shutdown();
    until("no more connections", || async {
        tokio::net::TcpStream::connect(addr)
            .await
            .is_err()
            .then_some(())
    })
    .await;
    go_on.notify_one();
    assert_eq!(open.await.unwrap().unwrap(), "finished");
    server.await.unwrap().unwrap();
}

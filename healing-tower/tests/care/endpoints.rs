//! Tests of the endpoints on the app port and the care port.

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

use crate::http::{self, heal, wait_until};

fn builder(name: &str) -> Builder {
    Healing::builder(name)
        .care_bind("127.0.0.1:0".parse().unwrap())
        .leave_sigterm()
}

fn app() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

/// Sends one request to the router, with the peer address that a server would attach.
async fn get_from(
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

#[tokio::test]
async fn front_door_is_constant_and_not_counted() {
    let healing = builder("front").build();
    let router = healing.wrap(app());
    for path in ["/healthz", "/livez"] {
        let response = get_from(&router, path, None).await;
        assert_eq!(
            response,
            (StatusCode::OK, serde_json::json!({"status": "ok"}))
        );
    }
    get_from(&router, "/metrics", None).await;
    get_from(&router, "/health", None).await;
    assert_eq!(
        healing.meter().totals().requests_total,
        Some(0),
        "healing's endpoints are not counted"
    );
    get_from(&router, "/", None).await;
    assert_eq!(healing.meter().totals().requests_total, Some(1));
}

#[tokio::test]
async fn unmatched_request_is_counted_with_and_without_fallback() {
    let healing = builder("unmatched").build();
    let router = healing.wrap(app());
    assert_eq!(
        get_from(&router, "/nowhere", None).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(healing.meter().totals().requests_total, Some(1));

    let healing = builder("fallback").build();
    let own = app().fallback(|| async { (StatusCode::NOT_FOUND, axum::Json("the app's own")) });
    let router = healing.wrap(own);
    assert_eq!(get_from(&router, "/nowhere", None).await.1, "the app's own");
    assert_eq!(healing.meter().totals().requests_total, Some(1));
    assert_eq!(get_from(&router, "/healthz", None).await.0, StatusCode::OK);
    assert_eq!(healing.meter().totals().requests_total, Some(1));
}

#[tokio::test]
async fn health_shows_five_fields_to_remote_peers_and_all_to_local_ones() {
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
    for remote in [
        None,
        Some("10.1.2.3:4"),
        Some("[::ffff:10.1.2.3]:4"),
        Some("[2001:db8::1]:4"),
    ] {
        let (status, health) = get_from(&router, "/health", remote).await;
        assert_eq!(status, StatusCode::OK);
        let fields: Vec<_> = health.as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, five, "{remote:?}");
    }
    for local in ["127.0.0.1:4", "[::1]:4", "[::ffff:127.0.0.1]:4"] {
        let (_, health) = get_from(&router, "/health", Some(local)).await;
        assert_eq!(health["instance_id"], healing.instance_id(), "{local}");
        assert_eq!(health["app"], "privacy");
        assert_eq!(health["requests_total"], 0);
    }
}

#[tokio::test]
async fn care_port_serves_complete_health_and_metrics() {
    let healing = builder("everything")
        .soft_heal("cache", || async { Ok::<(), String>(()) })
        .dependency("db", || async { Err("connection refused") })
        .build();
    let care = healing.start_care().unwrap();
    assert_eq!(healing.care_addr(), Some(care));
    assert_eq!(healing.start_care().unwrap(), care, "started once");
    let health = wait_until("vitals, a tick and a check result", || async {
        let health = http::get(care, "/health").await.json();
        let complete = health["cpu_usage"].is_number()
            && health["runtime"]["stalled"] == false
            && health["checks"][0]["state"] == "failing";
        complete.then_some(health)
    })
    .await;
    assert_eq!(health["schema"], 2);
    assert_eq!(health["pid"], std::process::id());
    assert_eq!(health["started"], true);
    assert_eq!(health["draining"], false);
    assert_eq!(health["checks"][0]["kind"], "dependency");
    assert_eq!(health["checks"][0]["error"], "connection refused");
    assert_eq!(health["hooks"][0]["name"], "cache");
    assert!(health["memory_usage"].as_f64().unwrap() > 0.0);
    assert!(health["hour_of_day"].as_u64().unwrap() < 24);
    let parsed: healing_tower::health::Health =
        serde_json::from_value(health).expect("a valid `Health`");
    assert!(
        parsed
            .vitals
            .is_some_and(|vitals| vitals.memory_limit_bytes.is_some())
    );

    assert_eq!(http::get(care, "/livez").await.status, 200);
    let ready = http::get(care, "/readyz?verbose").await;
    assert_eq!(
        ready.status, 200,
        "a check without opt-in does not affect readiness: {ready:?}"
    );
    assert_eq!(ready.json()["checks"][0]["state"], "failing");
    assert_eq!(
        http::get(care, "/healthz").await.status,
        404,
        "the front door is on the app port only"
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
    let post = http::send_raw(
        care,
        b"POST /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(post.await.unwrap().status, 405);
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn health_shows_heads_routes_workers_and_optional_dependencies() {
    let optional = CheckOptions::default().optional(true);
    let working = || async { Ok::<(), String>(()) };
    let healing = builder("figures")
        .dependency("db", working)
        .dependency_with("cache", optional.clone(), working)
        .local_with("pool", optional, working)
        .build();
    let care = healing.start_care().unwrap();
    let router = healing.wrap(app());
    get_from(&router, "/", None).await;
    let health = wait_until("a tick of the meter, and the vitals", || async {
        let health = http::get(care, "/health").await.json();
        let complete = health["peak_goodput"].is_number()
            && health["routes"][0]["route"] == "/"
            && health["runtime"]["workers"].is_number()
            && health["vitals"].is_object();
        complete.then_some(health)
    })
    .await;
    for (field, value) in [
        ("answered_total", 1),
        ("answered_errors_total", 0),
        ("cancelled_before_head_total", 0),
        ("waiting", 0),
    ] {
        assert_eq!(health[field], value, "{field}");
    }
    assert_eq!(health["runtime"]["workers"], 3);
    let route = serde_json::json!({
        "method": "GET", "route": "/", "begun_total": 1, "answered_total": 1, "errors_total": 0,
    });
    assert_eq!(health["routes"], serde_json::json!([route]));
    let checks = health["checks"].as_array().unwrap().iter();
    let optional: Vec<_> = checks.map(|check| check["optional"] == true).collect();
    assert_eq!(
        optional,
        [false, true, false],
        "only dependencies are optional"
    );
    if cfg!(target_os = "linux") && std::path::Path::new("/proc/self/schedstat").exists() {
        let vitals = &health["vitals"];
        assert!(
            vitals["run_queue_wait_seconds_total"].is_number(),
            "{vitals}"
        );
        let busiest = vitals["busiest_thread_cpu_seconds_total"].as_f64().unwrap();
        assert!(busiest > 0.0, "{vitals}");
    }
}

#[tokio::test]
async fn check_error_texts_are_hidden_from_remote_peers() {
    let healing = builder("secrets")
        .dependency("db", || async { Err("no route to 10.9.8.7") })
        .build();
    let mut events = healing.check_events();
    healing.start_care().unwrap();
    events.next().await.expect("the first result");
    let router = healing.wrap(app());
    let (_, local) = get_from(&router, "/readyz?verbose", Some("127.0.0.1:4")).await;
    assert_eq!(local["checks"][0]["error"], "no route to 10.9.8.7");
    let (_, remote) = get_from(&router, "/readyz?verbose", Some("10.1.2.3:4")).await;
    assert_eq!(remote["checks"][0]["state"], "failing");
    assert!(remote["checks"][0].get("error").is_none(), "{remote}");
}

#[tokio::test]
async fn occupied_care_port_fails_start() {
    let first = builder("first").build();
    let taken = first.start_care().unwrap();
    let second = Healing::builder("second")
        .care_bind(taken)
        .leave_sigterm()
        .build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = second.serve(listener, app()).await.expect_err("busy");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    let message = error.to_string();
    assert!(
        message.contains(&taken.to_string()) && message.contains("HEALING_CARE_BIND"),
        "{message}"
    );
}

#[tokio::test]
async fn invalid_settings_fail_start() {
    let twice = builder("twice")
        .dependency("db", || async { Ok::<(), String>(()) })
        .local("db", || async { Ok::<(), String>(()) })
        .build();
    assert!(
        twice
            .start_care()
            .expect_err("duplicate name")
            .to_string()
            .contains("\"db\"")
    );
    let tokenless = builder("tokenless").token_file("/nowhere/token").build();
    assert!(
        tokenless
            .start_care()
            .expect_err("missing token file")
            .to_string()
            .contains("/nowhere/token")
    );
}

#[tokio::test]
async fn instances_are_independent_in_one_process() {
    let (one, two) = (builder("one").build(), builder("two").build());
    let (care_one, care_two) = (one.start_care().unwrap(), two.start_care().unwrap());
    let router = one.wrap(app());
    get_from(&router, "/", None).await;
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
    wait_until(
        "the first care thread exits with its last handle",
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
async fn omitted_path_is_served_by_app() {
    let healing = builder("omits").omit("/metrics").build();
    let own = app().route("/metrics", get(|| async { axum::Json("the app's own") }));
    let router = healing.wrap(own);
    assert_eq!(get_from(&router, "/metrics", None).await.1, "the app's own");
    assert_eq!(get_from(&router, "/healthz", None).await.0, StatusCode::OK);
    let care = healing.start_care().unwrap();
    assert!(
        http::get(care, "/metrics")
            .await
            .body
            .contains("healing_app_info")
    );
}

#[tokio::test]
async fn path_collision_panics_before_start() {
    use axum::routing::{any, post};

    let other = || async { "the app's own" };
    for path in ["/healthz", "/livez", "/readyz", "/health", "/metrics"] {
        for own in [get(other), post(other), any(other)] {
            let healing = builder("collides").build();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (served, app) = (healing.clone(), app().route(path, own));
            let server = tokio::spawn(async move { served.serve(listener, app).await });
            let limit = Duration::from_secs(20);
            let result = tokio::time::timeout(limit, server)
                .await
                .expect("the server panics in time");
            assert!(result.expect_err("a path collision").is_panic(), "{path}");
            assert_eq!(healing.care_addr(), None, "nothing was started");
        }
    }
}

#[tokio::test]
async fn wrong_method_is_rejected_with_allow_header() {
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
            let response = router.clone().oneshot(request.unwrap()).await.unwrap();
            assert_eq!(
                response.status(),
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
            let allow: Vec<_> = response.headers().get_all("allow").iter().collect();
            assert_eq!(allow, [allowed], "{method} {path}");
        }
    }
    let head = Request::head("/healthz").body(Body::empty()).unwrap();
    assert_eq!(router.oneshot(head).await.unwrap().status(), StatusCode::OK);
    assert_eq!(healing.meter().totals().requests_total, Some(0));
}

#[test]
fn owns_does_not_allocate() {
    let healing = builder("owner").omit("/metrics").build();
    for (path, owned) in [
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
        let mut owns = None;
        let counted = allocation_counter::measure(|| owns = Some(healing.owns(path)));
        assert_eq!((owns, counted.count_total), (Some(owned), 0), "{path}");
    }
    assert!(builder("heals").heal_on_app_port().build().owns("/heal"));
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
async fn maximum_durations_do_not_panic() {
    let healing = builder("unlimited")
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
        "condemned, but still serving"
    );
    assert_eq!(http::get(care, "/health").await.status, 200);
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

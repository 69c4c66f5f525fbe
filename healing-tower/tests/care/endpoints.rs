//! Tests of the endpoints on the app port and the care port.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use healing_tower::CheckOptions;
use tower::ServiceExt as _;

use crate::app::{app, builder, get_from};
use crate::http::{self, wait_until};

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

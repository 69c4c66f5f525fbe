//! Tests of the assignment of requests to series.

use axum::body::Body;
use axum::routing::{get, post};
use axum::{Router, extract::Request};
use healing_tower::{HealingLayer, Meter, MeterOptions};
use tower::ServiceExt;

fn app() -> Router {
    let users = Router::new().route("/{id}", get(|| async {}).delete(|| async {}));
    let api = Router::new()
        .nest("/users", users)
        .route("/items", post(|| async {}));
    Router::new().route("/", get(|| async {})).nest("/api", api)
}

async fn request_path(app: &Router, method: &str, path: &str) {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap();
}

/// Makes requests and returns the resulting series, as `method route status count`.
async fn series(options: MeterOptions, requests: &[(&str, &str)]) -> Vec<String> {
    let meter = Meter::new(options);
    let app = app().layer(HealingLayer::new(meter).for_axum());
    for (method, path) in requests {
        request_path(&app, method, path).await;
    }
    rendered_series(meter)
}

fn rendered_series(meter: Meter) -> Vec<String> {
    let mut text = String::new();
    meter.write_metrics(&mut text);
    let mut series: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("http_server_request_duration_seconds_count"))
        .map(|line| {
            line.split('"')
                .skip(1)
                .step_by(2)
                .collect::<Vec<_>>()
                .join(" ")
                + line.rsplit('}').next().unwrap()
        })
        .collect();
    series.sort();
    series
}

#[tokio::test]
async fn nested_routers_yield_full_template() {
    let requests = [
        ("GET", "/"),
        ("GET", "/api/users/1"),
        ("GET", "/api/users/2"),
        ("DELETE", "/api/users/2"),
    ];
    assert_eq!(
        series(MeterOptions::new(), &requests).await,
        [
            "DELETE /api/users/{id} 200 1",
            "GET / 200 1",
            "GET /api/users/{id} 200 2"
        ]
    );
}

/// axum allocates the template of a nested *service* for each request, at the address of the previous one.
#[tokio::test]
async fn templates_at_reused_address_stay_distinct() {
    let meter = Meter::new(MeterOptions::new());
    let parts: Vec<_> = (10..40).map(|part| format!("part-{part}")).collect();
    let mut users = Router::new();
    for part in &parts {
        users = users.route(&format!("/{{id}}/{part}"), get(|| async {}));
    }
    let users = users.layer(HealingLayer::new(meter).for_axum());
    let app = Router::new().nest_service("/users", users).with_state(());
    for _ in 0..10 {
        for part in &parts {
            request_path(&app, "GET", &format!("/users/1/{part}")).await;
        }
    }
    let expected = |part| format!("GET /users/{{id}}/{part} 200 10");
    let expected: Vec<_> = parts.iter().map(expected).collect();
    assert_eq!(rendered_series(meter), expected);
}

#[tokio::test]
async fn unmatched_paths_share_one_series() {
    let requests = [
        ("GET", "/a"),
        ("GET", "/b?c"),
        ("GET", "/api/d"),
        ("GET", "/api/users/1/2"),
    ];
    assert_eq!(
        series(MeterOptions::new(), &requests).await,
        ["GET unmatched 404 4"]
    );
}

#[tokio::test]
async fn unknown_methods_share_one_series() {
    let requests = [("PURGE", "/"), ("X", "/"), ("PATCH", "/")];
    assert_eq!(
        series(MeterOptions::new(), &requests).await,
        ["PATCH / 405 1", "_OTHER / 405 2"]
    );
}

#[tokio::test]
async fn routes_beyond_cap_share_route_other() {
    let requests = [
        ("GET", "/"),
        ("POST", "/api/items"),
        ("GET", "/api/users/1"),
        ("GET", "/"),
    ];
    assert_eq!(
        series(MeterOptions::new().routes(1), &requests).await,
        ["GET / 200 2", "GET other 200 1", "POST other 200 1"]
    );
}

#[tokio::test]
async fn route_of_rule_replaces_matched_path() {
    let by_header = MeterOptions::new()
        .route_of(|request| request.headers.get("x-none").map_or(Some("all"), |_| None));
    assert_eq!(
        series(by_header, &[("GET", "/"), ("GET", "/x")]).await,
        ["GET all 200 1", "GET all 404 1"]
    );
}

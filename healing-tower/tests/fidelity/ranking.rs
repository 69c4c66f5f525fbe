//! Tests of the routes in a health report.

use crate::support::eventually;
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use healing_tower::health::{MAX_ROUTES, RouteReport};
use healing_tower::{HealingLayer, Meter, MeterOptions, SkipMetrics};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use std::convert::Infallible;
use std::future::pending;
use std::time::{Duration, Instant};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

/// Meter with a clock of its own, over a service that responds with the requested status on any path.
struct Metered {
    meter: Meter,
    now: Instant,
}

impl Metered {
    fn new(routes: usize) -> Self {
        let options = MeterOptions::new()
            .routes(routes)
            .route_of(|request| Some(request.uri.path()));
        Self {
            meter: Meter::new(options),
            now: Instant::now(),
        }
    }

    fn service(
        &self,
    ) -> impl Service<Request<StatusCode>, Response: Sized, Error = Infallible> + use<> {
        HealingLayer::new(self.meter).layer(service_fn(async |request: Request<StatusCode>| {
            let mut response = Response::new(Full::<Bytes>::default());
            *response.status_mut() = request.into_body();
            Ok(response)
        }))
    }

    async fn call(&self, path: &str, status: u16, requests: u64) {
        for _ in 0..requests {
            let status = StatusCode::from_u16(status).unwrap();
            let request = Request::get(path).body(status).unwrap();
            assert!(self.service().oneshot(request).await.is_ok());
        }
    }

    /// Lets time pass, with ticks in it.
    fn pass(&mut self, seconds: u32) {
        for _ in 0..4 * seconds {
            self.now += Duration::from_millis(250);
            self.meter.tick(self.now);
        }
    }

    fn routes(&self) -> Vec<String> {
        let routes = self.meter.routes();
        assert!(routes.len() <= MAX_ROUTES);
        routes.into_iter().map(|report| report.route).collect()
    }
}

#[tokio::test]
async fn failing_route_is_reported_before_the_busiest() {
    let mut app = Metered::new(100);
    for route in 0..30 {
        app.call(&format!("/busy/{route}"), 200, 40 + route).await;
    }
    app.call("/rare", 200, 1).await;
    app.call("/failing", 503, 3).await;
    assert_eq!(app.routes(), [""; 0], "empty before the first tick");
    app.pass(1);
    let busiest = (21..30).rev().map(|route| format!("/busy/{route}"));
    let expected: Vec<_> = ["/failing".to_owned()].into_iter().chain(busiest).collect();
    assert_eq!(app.routes(), expected);
    let failing = RouteReport {
        method: "GET".to_owned(),
        route: "/failing".to_owned(),
        begun_total: 3,
        answered_total: 3,
        errors_total: 3,
    };
    assert_eq!(app.meter.routes()[0], failing);
}

#[tokio::test]
async fn route_that_begins_to_fail_replaces_those_of_an_hour_ago() {
    let mut app = Metered::new(100);
    for route in 0..10 {
        app.call(&format!("/old/{route}"), 500, 50).await;
    }
    app.pass(1);
    app.now += Duration::from_secs(3600);
    app.call("/new", 500, 2).await;
    app.pass(1);
    assert_eq!(app.routes()[0], "/new");
    assert_eq!(app.routes().len(), MAX_ROUTES);
}

#[tokio::test]
async fn failing_route_is_found_among_thousands() {
    let mut app = Metered::new(5000);
    for route in 0..4000 {
        app.call(&format!("/busy/{route}"), 200, 2).await;
    }
    app.call("/failing", 500, 1).await;
    // A tick visits the fewer routes the more cores there are.
    let mut seconds = 0;
    while app.routes().first().is_none_or(|route| route != "/failing") {
        app.pass(1);
        seconds += 1;
        assert!(seconds <= 300, "not found: {:?}", app.routes());
    }
}

#[tokio::test]
async fn hanging_route_is_reported_as_failing() {
    let meter = Meter::new(MeterOptions::new());
    let app = Router::new()
        .route("/hangs", get(pending::<()>))
        .route("/", get(|| async { "text" }))
        .layer(HealingLayer::new(meter));
    let call = |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        tokio::spawn(app.clone().oneshot(request))
    };
    for _ in 0..20 {
        call("/").await.unwrap().unwrap();
    }
    let hanging = call("/hangs");
    eventually(1, || meter.waiting()).await;
    meter.tick(Instant::now());
    let reported = || {
        let reports = meter.routes().into_iter();
        let counts = reports.map(|r| (r.route, r.begun_total, r.answered_total, r.errors_total));
        counts.collect::<Vec<_>>()
    };
    let usual = ("/".to_owned(), 20, 20, 0);
    let hangs = ("/hangs".to_owned(), 1, 0, 0);
    assert_eq!(reported(), [hangs.clone(), usual]);
    hanging.abort();
    eventually(0, || meter.waiting()).await;
    assert_eq!(reported()[0], hangs, "cancelled before its head");
}

#[tokio::test]
async fn excluded_request_has_not_begun() {
    let meter = Meter::new(MeterOptions::new());
    let skipped = || async { (axum::Extension(SkipMetrics), "text") };
    let app = Router::new()
        .route("/", get(skipped))
        .layer(HealingLayer::new(meter));
    let request = Request::get("/").body(Body::empty()).unwrap();
    app.oneshot(request).await.unwrap();
    meter.tick(Instant::now());
    assert_eq!(meter.routes(), []);
}

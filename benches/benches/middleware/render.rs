//! Rendering of `/metrics` with ten thousand histograms, compared with the `prometheus` crate. Labels,
//! buckets and observations are the same on both sides.

use crate::times::cpu_nanos;
use axum::body::Body;
use futures_util::FutureExt;
use healing_tower::{HealingLayer, Meter, MeterOptions};
use http::{Request, Response, StatusCode};
use prometheus::{HistogramOpts, HistogramVec, Registry, TextEncoder};
use std::convert::Infallible;
use tower::{Layer, Service, service_fn};

const ROUTES: usize = 2_000;
const STATUSES: [u16; 5] = [200, 201, 400, 404, 500];
const ROUNDS: usize = 7;
const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// Returns the CPU time of `prometheus` divided by that of the meter.
pub(crate) fn measure() -> f64 {
    let (meter, registry) = (meter(), registry());
    let (mut ours, mut theirs) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        let before = cpu_nanos();
        let mut text = String::new();
        meter.write_metrics(&mut text);
        ours = ours.min(cpu_nanos() - before);
        assert_eq!(series(&text), ROUTES * STATUSES.len());

        let before = cpu_nanos();
        let text = TextEncoder::new()
            .encode_to_string(&registry.gather())
            .unwrap();
        theirs = theirs.min(cpu_nanos() - before);
        assert_eq!(series(&text), ROUTES * STATUSES.len());
    }
    let ms = |nanos: f64| nanos / 1e6;
    println!(
        "/metrics with 10,000 histograms: {:.1} ms, prometheus {:.1} ms",
        ms(ours),
        ms(theirs)
    );
    theirs / ours
}

fn series(text: &str) -> usize {
    text.lines().filter(|line| line.contains("_count{")).count()
}

fn route(index: usize) -> String {
    format!("/api/v1/things/{index}/{{id}}")
}

fn meter() -> Meter {
    let options = MeterOptions::new()
        .routes(ROUTES)
        .buckets(BOUNDS)
        .route_of(|request| Some(request.uri.path()));
    let meter = Meter::new(options);
    let mut service = HealingLayer::new(meter).layer(service_fn(|request: Request<StatusCode>| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = request.into_body();
        std::future::ready(Ok::<_, Infallible>(response))
    }));
    for index in 0..ROUTES {
        for status in STATUSES {
            let request = Request::get(route(index).replace(['{', '}'], ""));
            let request = request.body(StatusCode::from_u16(status).unwrap()).unwrap();
            service.call(request).now_or_never().unwrap().unwrap();
        }
    }
    meter
}

fn registry() -> Registry {
    let options = HistogramOpts::new(
        "http_server_request_duration_seconds",
        "Duration of HTTP requests until the end of the response body.",
    );
    let labels = [
        "http_request_method",
        "http_route",
        "http_response_status_code",
    ];
    let histograms = HistogramVec::new(options.buckets(BOUNDS.to_vec()), &labels).unwrap();
    for index in 0..ROUTES {
        for status in STATUSES {
            let labels = [
                "GET",
                &route(index).replace(['{', '}'], ""),
                &status.to_string(),
            ];
            histograms.with_label_values(&labels).observe(0.000_001);
        }
    }
    let registry = Registry::new();
    registry.register(Box::new(histograms)).unwrap();
    registry
}

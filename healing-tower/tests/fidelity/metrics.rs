//! Tests of the content and format of the page at `/metrics` (CI also checks pages of a running pair with
//! `promtool`).

use crate::support::*;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use axum::{Router, extract::Path};
use healing_tower::{Healing, HealingLayer, Meter, MeterOptions};
use http::{StatusCode, header};
use http_body_util::BodyExt;
use prometheus::{IntCounterVec, Opts, Registry, TextEncoder};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};
use tower::ServiceExt;

/// One sample: name, labels, value.
type Sample = (String, BTreeMap<String, String>, f64);

/// Parses the text format and rejects everything that Prometheus or `promtool check metrics` would:
/// samples outside their family, repeated families or series, malformed names, labels or numbers,
/// counters without `_total`, histograms that are not cumulative or lack `+Inf`, sum or count.
fn parse(text: &str) -> Vec<Sample> {
    assert!(text.ends_with('\n') && !text.contains("\n\n"), "lines");
    let mut samples: Vec<Sample> = Vec::new();
    let mut families = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let (mut family, mut kind) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(families.insert(name.to_owned()), "{name} is repeated");
            assert!(!help.is_empty(), "{name} has no help");
            (family, kind) = (name.to_owned(), String::new());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, declared) = rest.split_once(' ').unwrap();
            assert_eq!(name, family);
            assert!(
                ["counter", "gauge", "histogram"].contains(&declared),
                "{line}"
            );
            assert_eq!(declared == "counter", name.ends_with("_total"), "{line}");
            kind = declared.to_owned();
        } else {
            let sample = sample(line);
            let suffixes: &[&str] = if kind == "histogram" {
                &["_bucket", "_sum", "_count"]
            } else {
                &[""]
            };
            assert!(
                suffixes
                    .iter()
                    .any(|suffix| sample.0 == format!("{family}{suffix}")),
                "{line}"
            );
            assert!(
                seen.insert(format!("{:?}{:?}", sample.0, sample.1)),
                "{line} is repeated"
            );
            assert!(kind == "gauge" || sample.2 >= 0.0, "{line}");
            samples.push(sample);
        }
    }
    check_histograms(&samples);
    samples
}

fn sample(line: &str) -> Sample {
    let (name, mut rest) = line.split_at(line.find(['{', ' ']).unwrap());
    let is_name = |text: &str| {
        !text.is_empty()
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !text.starts_with(|c: char| c.is_ascii_digit())
    };
    assert!(is_name(name), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        let mut inside = inside;
        rest = loop {
            let (label, after) = inside.split_once("=\"").unwrap();
            assert!(is_name(label), "{line}");
            let mut value = String::new();
            let mut characters = after.char_indices();
            let end = loop {
                match characters.next().unwrap() {
                    (end, '"') => break end,
                    (_, '\\') => value.push(match characters.next().unwrap().1 {
                        'n' => '\n',
                        same @ ('"' | '\\') => same,
                        other => panic!("\\{other} in {line}"),
                    }),
                    (_, other) => value.push(other),
                }
            };
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            let after = &after[end + 1..];
            match after.strip_prefix(',') {
                Some(next) => inside = next,
                None => break after.strip_prefix('}').unwrap(),
            }
        };
    }
    let value = rest.strip_prefix(' ').unwrap();
    let value = if value == "+Inf" {
        f64::INFINITY
    } else {
        value.parse().unwrap()
    };
    (name.to_owned(), labels, value)
}

fn check_histograms(samples: &[Sample]) {
    let mut series: HashMap<String, Vec<(f64, f64)>> = HashMap::new();
    for (name, labels, value) in samples {
        let Some(name) = name.strip_suffix("_bucket") else {
            continue;
        };
        let mut labels = labels.clone();
        let bound = labels.remove("le").unwrap();
        let bound = if bound == "+Inf" {
            f64::INFINITY
        } else {
            bound.parse().unwrap()
        };
        series
            .entry(format!("{name}{labels:?}"))
            .or_default()
            .push((bound, *value));
    }
    for (key, buckets) in series {
        assert!(
            buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1),
            "{key} {buckets:?}"
        );
        let &(bound, all) = buckets.last().unwrap();
        assert_eq!(bound, f64::INFINITY, "{key}");
        let of = |suffix| {
            samples.iter().find(|(name, labels, _)| {
                name.strip_suffix(suffix)
                    .is_some_and(|name| key == format!("{name}{labels:?}"))
            })
        };
        assert_eq!(of("_count").unwrap().2, all, "{key}");
        assert!(of("_sum").is_some(), "{key}");
    }
}

fn app() -> Router {
    Router::new()
        .route(
            "/items/{id}",
            get(|Path(id): Path<u32>| async move { id.to_string() }),
        )
        .route("/500", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("!")
                }
            }),
        )
        .route(
            "/fails",
            get(|| async { ScriptedBody::new([Step::Data("a"), Step::Fail]).boxed() }),
        )
}

async fn get_page(app: &Router, path: &str) -> (http::response::Parts, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (head, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    (head, String::from_utf8(body.to_vec()).unwrap())
}

fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    let mut found = samples.iter().filter(|(of, having, _)| {
        of == name && labels.iter().all(|(label, text)| having[*label] == *text)
    });
    let value = found
        .next()
        .unwrap_or_else(|| panic!("no {name} {labels:?}"))
        .2;
    assert!(found.next().is_none(), "{name} {labels:?} is ambiguous");
    value
}

#[tokio::test]
async fn metrics_page_is_complete_and_well_formed() {
    let healing = Healing::builder("shop").build();
    let own = IntCounterVec::new(Opts::new("orders_total", "Orders."), &["kind"]).unwrap();
    healing.registry().register(Box::new(own.clone())).unwrap();
    own.with_label_values(&["new\n\"and\" \\odd"]).inc_by(3);
    let app = healing.wrap(app());

    for path in ["/items/1", "/items/2", "/500", "/panic", "/fails", "/none"] {
        get_page(&app, path).await;
    }
    for probe in ["/healthz", "/livez", "/readyz", "/health", "/metrics"] {
        get_page(&app, probe).await;
    }
    let (head, page) = get_page(&app, "/metrics").await;
    assert_eq!(
        head.headers[header::CONTENT_TYPE],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let samples = parse(&page);
    let count = |method, route, status| {
        let labels = [
            ("http_request_method", method),
            ("http_route", route),
            ("http_response_status_code", status),
        ];
        value(
            &samples,
            "http_server_request_duration_seconds_count",
            &labels,
        )
    };
    assert_eq!(count("GET", "/items/{id}", "200"), 2.0);
    assert_eq!(count("GET", "/500", "500"), 1.0);
    assert_eq!(count("GET", "/panic", "500"), 1.0);
    assert_eq!(count("GET", "/fails", "200"), 1.0);
    assert_eq!(count("GET", "unmatched", "404"), 1.0);
    let all: f64 = samples
        .iter()
        .filter(|(name, ..)| name == "http_server_request_duration_seconds_count")
        .map(|sample| sample.2)
        .sum();
    assert_eq!(all, 6.0, "probes are not counted");
    assert_eq!(value(&samples, "http_server_active_requests", &[]), 0.0);
    assert_eq!(value(&samples, "healing_app_errors_total", &[]), 3.0);
    assert_eq!(value(&samples, "healing_app_panics_total", &[]), 1.0);
    assert_eq!(value(&samples, "healing_app_cancelled_total", &[]), 0.0);
    assert_eq!(value(&samples, "healing_app_body_errors_total", &[]), 1.0);
    assert_eq!(
        value(&samples, "orders_total", &[("kind", "new\n\"and\" \\odd")]),
        3.0
    );
}

#[tokio::test]
async fn probes_are_not_counted_inside_layer() {
    let healing = Healing::builder("shop").build();
    // The wiring is wrong, because the layer also covers healing's own routes.
    let app = app().merge(healing.router()).layer(healing.layer());
    for probe in ["/healthz", "/livez", "/readyz", "/health", "/metrics"] {
        get_page(&app, probe).await;
    }
    assert_eq!(classes(healing.meter()), NONE);
    get_page(&app, "/items/1").await;
    assert_eq!(classes(healing.meter()), OK);
}

#[tokio::test]
async fn collector_matches_written_metrics() {
    let meter = Meter::new(MeterOptions::new().buckets([0.5, 0.1, 3.0]));
    let app = app().layer(HealingLayer::new(meter));
    for path in ["/items/1", "/500", "/none", "/panic"] {
        get_page(&app, path).await;
    }
    let registry = Registry::new();
    registry.register(Box::new(meter.collector())).unwrap();
    let collected = TextEncoder::new()
        .encode_to_string(&registry.gather())
        .unwrap();
    let mut written = String::new();
    meter.write_metrics(&mut written);
    let sorted = |text: &str| {
        let mut samples = parse(text);
        samples.sort_by_key(|(name, labels, _)| format!("{name}{labels:?}"));
        samples
    };
    assert_eq!(sorted(&collected), sorted(&written));
    assert!(written.contains("le=\"0.1\"") && written.contains("le=\"3\""));
}

#[test]
fn histogram_has_no_series_without_requests() {
    let meter = Meter::new(MeterOptions::new());
    let mut text = String::new();
    meter.write_metrics(&mut text);
    let names: Vec<_> = parse(&text).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(
        names,
        [
            "http_server_active_requests",
            "healing_app_oldest_in_flight_request_seconds",
            "healing_app_errors_total",
            "healing_app_panics_total",
            "healing_app_cancelled_total",
            "healing_app_body_errors_total",
        ]
    );
}

#[tokio::test]
async fn extreme_options_do_not_break_counting() {
    let options = MeterOptions::new().routes(usize::MAX).buckets([
        f64::MIN_POSITIVE,
        0.1,
        f64::MAX,
        f64::INFINITY,
    ]);
    let meter = Meter::new(options);
    let app = app().layer(HealingLayer::new(meter));
    for path in ["/items/1", "/500", "/panic", "/none"] {
        get_page(&app, path).await;
    }
    assert_eq!(meter.totals().requests_total, Some(4));
    let mut page = String::new();
    meter.write_metrics(&mut page);
    assert!(page.contains("le=\"0.1\"} 1\n"), "{page}");
}

#[tokio::test]
async fn windows_and_gauges_follow_ticks() {
    let meter = Meter::new(MeterOptions::new());
    let app = app().layer(HealingLayer::new(meter));
    let begun = Instant::now();
    assert_eq!(meter.windows(), [], "absent before the first tick");
    meter.tick(begun);
    let pending = Router::new()
        .route("/", get(|| async { std::future::pending::<()>().await }))
        .layer(HealingLayer::new(meter));
    let request = Request::get("/").body(Body::empty()).unwrap();
    let in_flight = tokio::spawn(pending.oneshot(request));
    eventually(1, || meter.in_flight()).await;
    for path in ["/items/1", "/items/2", "/500", "/panic"] {
        get_page(&app, path).await;
    }
    // The caller supplies the clock, so twenty seconds pass at once.
    (1..=20).for_each(|second| meter.tick(begun + Duration::from_secs(second)));
    let age = meter.oldest_in_flight().unwrap().as_secs_f64();
    assert!((19.0..=20.0).contains(&age), "{age}");
    let [short, long] = meter.windows().try_into().unwrap();
    assert_eq!(
        (short.seconds, short.request_rate, short.error_ratio),
        (10.0, 0.0, None)
    );
    assert_eq!(short.in_flight_peak, Some(1));
    assert!((long.request_rate - 4.0 / 20.0).abs() < 0.01, "{long:?}");
    assert_eq!(
        (long.error_ratio, long.panic_ratio),
        (Some(0.5), Some(0.25))
    );
    assert!(long.p50_seconds.unwrap() <= long.p99_seconds.unwrap());

    assert_eq!(meter.error_count(), 2);
    assert_eq!(meter.reset_errors(), 2);
    assert_eq!((meter.error_count(), meter.reset_errors()), (0, 0));
    assert_eq!(meter.totals().errors_total, Some(2), "totals are not reset");
    let latency = meter.latency();
    assert_eq!(latency.counts.iter().sum::<u64>(), 4);

    in_flight.abort();
    eventually(0, || meter.in_flight()).await;
    meter.tick(begun + Duration::from_secs(21));
    assert_eq!(meter.oldest_in_flight(), None);
}

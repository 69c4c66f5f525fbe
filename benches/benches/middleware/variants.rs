//! Variants that are compared: one app in different layers.

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use axum_prometheus::PrometheusMetricLayer;
use healing_benches::layered::{Layered, NoopLayer, healing};
use healing_tower::TrackBody;
use prometheus::{HistogramOpts, HistogramVec, IntGauge, Registry};
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Instant;
use tower::{Layer, Service};
use tower_http::trace::TraceLayer;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
/// Layer around the app.
pub(crate) enum Variant {
    Bare,
    Noop,
    Healing,
    ByHand,
    Trace,
    AxumPrometheus,
    /// The no-op layer, and the body read to its end.
    NoopRead,
    /// The body tracked and read to its end.
    HealingTracked,
}

impl Variant {
    pub(crate) const ALL: [Self; 8] = [
        Self::Bare,
        Self::Noop,
        Self::Healing,
        Self::ByHand,
        Self::Trace,
        Self::AxumPrometheus,
        Self::NoopRead,
        Self::HealingTracked,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Noop => "no-op layer",
            Self::Healing => "healing-tower",
            Self::ByHand => "prometheus by hand",
            Self::Trace => "TraceLayer, no subscriber",
            Self::AxumPrometheus => "axum-prometheus",
            Self::NoopRead => "no-op layer, body read",
            Self::HealingTracked => "healing-tower, body tracked",
        }
    }

    fn reads_body(self) -> bool {
        matches!(self, Self::NoopRead | Self::HealingTracked)
    }
}

/// One figure per variant.
pub(crate) struct PerVariant([f64; Variant::ALL.len()]);

impl PerVariant {
    pub(crate) fn from_fn(figure: impl Fn(Variant) -> f64) -> Self {
        Self(Variant::ALL.map(figure))
    }

    pub(crate) fn get(&self, variant: Variant) -> f64 {
        self.0[variant as usize]
    }

    /// Keeps the smaller figure.
    pub(crate) fn keep_best(&mut self, variant: Variant, figure: f64) {
        let best = &mut self.0[variant as usize];
        *best = best.min(figure);
    }
}

/// Returns the app in a variant's layer.
pub(crate) fn app(variant: Variant) -> Layered {
    let app = healing_benches::layered::app();
    let router = match variant {
        Variant::Bare => app,
        Variant::Noop | Variant::NoopRead => app.layer(NoopLayer),
        Variant::Healing => app.layer(healing(TrackBody::Unsized)),
        Variant::HealingTracked => app.layer(healing(TrackBody::Always)),
        Variant::ByHand => app.layer(ByHandLayer::new()),
        Variant::Trace => app.layer(TraceLayer::new_for_http()),
        Variant::AxumPrometheus => app.layer(axum_prometheus()),
    };
    Layered::new(router, variant.reads_body())
}

/// Returns the layer of axum-prometheus with its recorder installed, without which its macros do nothing.
/// The recorder is global, so it is installed once.
fn axum_prometheus() -> PrometheusMetricLayer<'static> {
    static LAYER: OnceLock<PrometheusMetricLayer<'static>> = OnceLock::new();
    LAYER
        .get_or_init(|| PrometheusMetricLayer::pair().0)
        .clone()
}

/// A hand-written layer over the `prometheus` crate: a labelled histogram and a gauge.
#[derive(Clone)]
struct ByHandLayer {
    durations: HistogramVec,
    active: IntGauge,
}

impl ByHandLayer {
    fn new() -> Self {
        let options = HistogramOpts::new("http_server_request_duration_seconds", "Duration.");
        let durations = HistogramVec::new(options, &["method", "route", "status"]).unwrap();
        let active = IntGauge::new("http_server_active_requests", "Active.").unwrap();
        let registry = Registry::new();
        registry.register(Box::new(durations.clone())).unwrap();
        registry.register(Box::new(active.clone())).unwrap();
        Self { durations, active }
    }
}

#[derive(Clone)]
struct ByHand<S> {
    inner: S,
    layer: ByHandLayer,
}

impl<S> Layer<S> for ByHandLayer {
    type Service = ByHand<S>;

    fn layer(&self, inner: S) -> ByHand<S> {
        ByHand {
            inner,
            layer: self.clone(),
        }
    }
}

impl<S> Service<Request> for ByHand<S>
where
    S: Service<Request, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let ByHandLayer { durations, active } = self.layer.clone();
        active.inc();
        let started = Instant::now();
        let method = request.method().clone();
        let path = request.extensions().get::<MatchedPath>().cloned();
        let future = self.inner.call(request);
        Box::pin(async move {
            let response = future.await?;
            let route = path.as_ref().map_or("", MatchedPath::as_str);
            durations
                .with_label_values(&[method.as_str(), route, response.status().as_str()])
                .observe(started.elapsed().as_secs_f64());
            active.dec();
            Ok(response)
        })
    }
}

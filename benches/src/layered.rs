//! Small axum app in the layer that is measured.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use futures_util::FutureExt;
use healing_tower::{Axum, HealingLayer, Meter, MeterOptions, TrackBody};
use http_body_util::BodyExt;
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// Returns the app, which has one route with a parameter and a small response of known size.
pub fn app() -> Router {
    Router::new().route("/users/{id}", get(|| async { "small response" }))
}

/// Returns the healing layer.
#[must_use]
pub fn healing(track: TrackBody) -> HealingLayer<Axum> {
    HealingLayer::new(Meter::new(MeterOptions::new().track_body(track))).for_axum()
}

/// App in its layer, with its state. A router without state would call `Layer::layer` for each request.
#[derive(Debug)]
pub struct Layered {
    router: Router,
    reads_body: bool,
}

impl Layered {
    /// Wraps an app. The body of each response is read completely, or dropped.
    #[must_use]
    pub fn new(router: Router, reads_body: bool) -> Self {
        Self {
            router: router.with_state(()),
            reads_body,
        }
    }

    /// Sends one request.
    ///
    /// # Panics
    ///
    /// Panics if the status of the response is not 200.
    #[allow(clippy::panic, clippy::unwrap_used)] // a bench must stop when the app fails
    pub fn call(&mut self) {
        let request = Request::get("/users/17").body(Body::empty()).unwrap();
        let response: Response = self.router.call(request).now_or_never().unwrap().unwrap();
        assert_eq!(response.status(), 200);
        if self.reads_body {
            let mut body = response.into_body();
            while body.frame().now_or_never().unwrap().is_some() {}
        }
    }
}

/// Layer that does nothing. It gives the baseline cost, because axum boxes the service and the future of
/// any layer.
#[derive(Debug, Clone)]
pub struct NoopLayer;

/// Service of [`NoopLayer`].
#[derive(Debug, Clone)]
pub struct Noop<S>(S);

impl<S> Layer<S> for NoopLayer {
    type Service = Noop<S>;

    fn layer(&self, inner: S) -> Noop<S> {
        Noop(inner)
    }
}

impl<S: Service<R>, R> Service<R> for Noop<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}

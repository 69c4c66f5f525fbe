//! The layer.

use crate::body::Generic;
use crate::meter::Meter;
use crate::service::HealingService;
use std::fmt;
use std::marker::PhantomData;
use tower::Layer;

/// Counts every request of the service that it wraps: see [the crate's documentation](crate).
///
/// Works on any `Service<Request<B>>` whose response is an `http::Response`. `K` is the type of the
/// response body that comes out: [`Generic`] for [`ResponseBody`](crate::ResponseBody), or
/// [`Axum`](crate::Axum) for axum's own.
///
/// ```
/// use healing_tower::{HealingLayer, Meter, MeterOptions};
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let meter = Meter::new(MeterOptions::new());
/// let handler = |_: Request<()>| async {
///     Ok::<_, std::convert::Infallible>(Response::new(Full::<bytes::Bytes>::from("hi")))
/// };
/// let service = ServiceBuilder::new().layer(HealingLayer::new(meter)).service(service_fn(handler));
/// service.oneshot(Request::new(())).await.unwrap();
/// assert_eq!(meter.totals().requests_total, Some(1));
/// assert_eq!(meter.in_flight(), 0);
/// # });
/// ```
///
/// # Hazards
///
/// Only what is inside is counted. A middleware that is added outside of this layer and answers by
/// itself (a rate limiter, an authenticator) does so unseen; one that is added inside is part of the
/// request. On an axum `Router`, `layer` covers the routes added before it. Each layer counts for
/// itself: a request that passes two of one meter ([`Healing::wrap`](crate::Healing::wrap) adds one)
/// counts twice. What axum serves by `nest_service` or a fallback has no route template: it is
/// `unmatched` unless [`route_of`](crate::MeterOptions::route_of) names it.
pub struct HealingLayer<K = Generic> {
    meter: Meter,
    kind: PhantomData<fn() -> K>,
}

impl HealingLayer {
    /// A layer that counts into this meter.
    #[must_use]
    pub fn new(meter: Meter) -> Self {
        Self {
            meter,
            kind: PhantomData,
        }
    }

    /// The layer for axum's `Router`: the body that comes out is axum's own, so that it need not be
    /// boxed again.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use healing_tower::{HealingLayer, Meter, MeterOptions};
    ///
    /// let layer = HealingLayer::new(Meter::new(MeterOptions::new())).for_axum();
    /// let app: Router = Router::new().route("/", get(|| async { "hi" })).layer(layer);
    /// ```
    #[cfg(feature = "axum")]
    #[must_use]
    pub fn for_axum(self) -> HealingLayer<crate::body::Axum> {
        HealingLayer {
            meter: self.meter,
            kind: PhantomData,
        }
    }
}

impl<S, K> Layer<S> for HealingLayer<K> {
    type Service = HealingService<S, K>;

    fn layer(&self, inner: S) -> Self::Service {
        HealingService::new(inner, self.meter)
    }
}

impl<K> Clone for HealingLayer<K> {
    fn clone(&self) -> Self {
        Self {
            meter: self.meter,
            kind: PhantomData,
        }
    }
}

impl<K> fmt::Debug for HealingLayer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealingLayer")
            .field("meter", &self.meter)
            .finish()
    }
}

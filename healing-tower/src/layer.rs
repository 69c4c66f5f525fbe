//! Tower layer.

use crate::body::Generic;
use crate::meter::Meter;
use crate::service::HealingService;
use std::fmt;
use std::marker::PhantomData;
use tower::Layer;

/// Layer that counts every request of the wrapped service; see [the crate's documentation](crate).
///
/// It wraps any `Service<Request<B>>` whose response is an `http::Response`. `K` selects the
/// response body of the wrapped service: [`Generic`] for [`ResponseBody`](crate::ResponseBody), or
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
/// Responses of a middleware outside this layer (a rate limiter, an authenticator) are not counted; a
/// middleware inside is part of the request. On an axum `Router`, `layer` covers the routes added before
/// it. Layers count independently, so a request that passes two layers of one meter
/// ([`Healing::wrap`](crate::Healing::wrap) adds one) counts twice. Requests that axum serves by
/// `nest_service` or a fallback have no route template. They are counted as `unmatched` unless
/// [`route_of`](crate::MeterOptions::route_of) returns one.
pub struct HealingLayer<K = Generic> {
    meter: Meter,
    kind: PhantomData<fn() -> K>,
}

impl HealingLayer {
    /// Returns a layer that counts into this meter.
    #[must_use]
    pub fn new(meter: Meter) -> Self {
        Self {
            meter,
            kind: PhantomData,
        }
    }

    /// Returns the layer for axum's `Router`, which keeps axum's body type and so does not box a body
    /// again unless it is tracked.
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

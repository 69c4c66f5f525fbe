//! Service that creates the guard of each request and calls the wrapped service.

use crate::body::{BodyKind, Generic};
use crate::future::ResponseFuture;
use crate::meter::{Inner, Meter, RequestGuard, RequestHead, Route};
use http::{Request, Response};
use http_body::Body;
use std::fmt;
use std::marker::PhantomData;
use std::task::{Context, Poll};
use tower::Service;

/// Service made by [`HealingLayer`](crate::HealingLayer).
pub struct HealingService<S, K = Generic> {
    inner: S,
    meter: &'static Inner,
    kind: PhantomData<fn() -> K>,
}

impl<S, K> HealingService<S, K> {
    pub(crate) fn new(inner: S, meter: Meter) -> Self {
        Self {
            inner,
            meter: meter.inner(),
            kind: PhantomData,
        }
    }

    /// Returns the wrapped service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns the wrapped service, mutably.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Unwraps the service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, K, B, R> Service<Request<B>> for HealingService<S, K>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
    K: BodyKind<R>,
{
    type Response = Response<K::Body>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, K>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    // Never inlined, so that the future is written to its destination and not copied there.
    #[inline(never)]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut guard = start(self.meter, &request);
        let inner = self.inner.call(request);
        if let Some(guard) = &mut guard {
            guard.leave_app_code();
        }
        ResponseFuture::new(inner, guard)
    }
}

/// Creates the guard of a request, unless its path is excluded.
#[inline]
fn start<B>(meter: &'static Inner, request: &Request<B>) -> Option<RequestGuard> {
    let options = meter.options();
    if !options.exclude.is_empty() && options.excludes(request.uri().path()) {
        return None;
    }
    let route = match &options.route_of {
        None => matched_route(meter, request),
        Some(rule) => meter.route(rule(&RequestHead {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        })),
    };
    Some(RequestGuard::new(meter, route, request))
}

/// Returns the route that axum matched.
#[cfg(feature = "axum")]
#[inline]
fn matched_route<B>(meter: &'static Inner, request: &Request<B>) -> &'static Route {
    match request.extensions().get() {
        Some(path) => meter.route_of_path(path),
        None => meter.route(None),
    }
}

#[cfg(not(feature = "axum"))]
#[inline]
fn matched_route<B>(meter: &'static Inner, _: &Request<B>) -> &'static Route {
    meter.route(None)
}

impl<S: Clone, K> Clone for HealingService<S, K> {
    #[inline]
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            meter: self.meter,
            kind: PhantomData,
        }
    }
}

impl<S: fmt::Debug, K> fmt::Debug for HealingService<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealingService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

//! Options of request counting.

use http::{Extensions, HeaderMap, Method, StatusCode, Uri};
use std::fmt;
use std::sync::Arc;

/// Options of a [`Meter`](crate::Meter): routes, excluded paths, the error rule, panics, bodies.
///
/// ```
/// use healing_tower::{MeterOptions, TrackBody};
///
/// let options = MeterOptions::new()
///     .routes(100)
///     .exclude("/internal/*")
///     .errors(|response| response.status.is_server_error() && response.status != 503)
///     .track_body(TrackBody::Always);
/// ```
#[derive(Clone)]
pub struct MeterOptions {
    pub(crate) routes: usize,
    pub(crate) exclude: Vec<Pattern>,
    pub(crate) bounds: Vec<f64>,
    pub(crate) errors: Option<ErrorRule>,
    pub(crate) grpc_errors: Option<GrpcErrorRule>,
    pub(crate) route_of: Option<RouteRule>,
    pub(crate) reraise_panics: bool,
    pub(crate) track_body: TrackBody,
}

type ErrorRule = Arc<dyn Fn(&ResponseHead<'_>) -> bool + Send + Sync>;
type GrpcErrorRule = Arc<dyn Fn(u8) -> bool + Send + Sync>;
type RouteRule = Arc<dyn for<'a> Fn(&RequestHead<'a>) -> Option<&'a str> + Send + Sync>;

/// Selection of the response bodies that are tracked until they are complete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TrackBody {
    /// Bodies whose size is unknown beforehand or above 64 KiB: streams, generated bodies, gRPC, files,
    /// proxied responses. A smaller body of exact size is assumed to be in memory already, so its
    /// request finishes with the response head.
    #[default]
    Unsized,
    /// Every body. A client that disconnects while a body of known size is being sent then counts as
    /// cancelled, and the duration includes the time to send it. This costs one more allocation per
    /// body.
    Always,
    /// No body. A request finishes with the response head, and failures midway are not counted.
    Never,
}

/// Head of a request, for [`MeterOptions::route_of`].
#[derive(Debug)]
pub struct RequestHead<'a> {
    /// Method of the request.
    pub method: &'a Method,
    /// Target of the request.
    pub uri: &'a Uri,
    /// Headers of the request.
    pub headers: &'a HeaderMap,
    /// Extensions of the request.
    pub extensions: &'a Extensions,
}

/// Head of a response, for [`MeterOptions::errors`].
#[derive(Debug)]
pub struct ResponseHead<'a> {
    /// Status code of the response.
    pub status: StatusCode,
    /// Headers of the response.
    pub headers: &'a HeaderMap,
    /// Extensions of the response.
    pub extensions: &'a Extensions,
}

/// Pattern of an excluded path: an exact path or a prefix.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    text: String,
    prefix: bool,
}

impl Pattern {
    pub(crate) fn matches(&self, path: &str) -> bool {
        if self.prefix {
            path.starts_with(&self.text)
        } else {
            path == self.text
        }
    }
}

/// Bucket bounds, in seconds, that OpenTelemetry recommends for `http.server.request.duration`.
const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

impl Default for MeterOptions {
    fn default() -> Self {
        Self {
            routes: 256,
            exclude: Vec::new(),
            bounds: BOUNDS.to_vec(),
            errors: None,
            grpc_errors: None,
            route_of: None,
            reraise_panics: false,
            track_body: TrackBody::Unsized,
        }
    }
}

impl MeterOptions {
    /// Returns the defaults: 256 routes, no path excluded, 5xx and 408 are errors, panics become a 500.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of routes with series of their own (65,536 at most). Later routes are counted as
    /// `http_route="other"`.
    #[must_use]
    pub fn routes(mut self, cap: usize) -> Self {
        self.routes = cap;
        self
    }

    /// Excludes a path from every count. `/status` excludes that path alone, `/internal/*` all paths that
    /// begin with `/internal/`. Healing's own endpoints are always excluded.
    #[must_use]
    pub fn exclude(mut self, path: impl Into<String>) -> Self {
        let mut text = path.into();
        let prefix = text.ends_with('*');
        if prefix {
            text.pop();
        }
        self.exclude.push(Pattern { text, prefix });
        self
    }

    /// Sets the upper bounds of the histogram's buckets, in seconds. They are sorted; bounds that are not
    /// finite and above zero are dropped.
    #[must_use]
    pub fn buckets(mut self, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.bounds = bounds
            .into_iter()
            .filter(|b| b.is_finite() && *b > 0.0)
            .collect();
        self.bounds.sort_by(f64::total_cmp);
        self.bounds.dedup();
        self
    }

    /// Sets the rule for responses that are errors; by default 5xx, which includes 504, and 408. Panics, failed
    /// bodies and errors of the service itself are always errors.
    ///
    /// A 408 or 504 counts if it passes this layer, because the app or a layer inside this one responds with
    /// it, for example `tower-http`'s `TimeoutLayer`, or because the app forwards it. It does not count if it
    /// comes from outside. A time-out layer outside drops the request, which then counts as cancelled, and
    /// the server's own 408 for a slow request head is never seen.
    #[must_use]
    pub fn errors(
        mut self,
        rule: impl Fn(&ResponseHead<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.errors = Some(Arc::new(rule));
        self
    }

    /// Sets the rule for gRPC status codes, in trailers or headers, that are errors. By default they
    /// are the server errors of OpenTelemetry: `UNKNOWN` 2, `DEADLINE_EXCEEDED` 4, `UNIMPLEMENTED` 12,
    /// `INTERNAL` 13, `UNAVAILABLE` 14, `DATA_LOSS` 15. A malformed status is always an error.
    #[cfg(feature = "grpc")]
    #[must_use]
    pub fn grpc_errors(mut self, rule: impl Fn(u8) -> bool + Send + Sync + 'static) -> Self {
        self.grpc_errors = Some(Arc::new(rule));
        self
    }

    /// Sets the rule for a request's route template; by default axum's `MatchedPath`. Return templates,
    /// never raw paths, because each text uses one of the [`routes`](Self::routes). `None` is counted as
    /// `unmatched`.
    #[must_use]
    pub fn route_of(
        mut self,
        rule: impl for<'a> Fn(&RequestHead<'a>) -> Option<&'a str> + Send + Sync + 'static,
    ) -> Self {
        self.route_of = Some(Arc::new(rule));
        self
    }

    /// Resumes a caught panic after counting it, for apps with a panic handler in an outer layer. By default
    /// a panic becomes a 500.
    #[must_use]
    pub fn reraise_panics(mut self, reraise: bool) -> Self {
        self.reraise_panics = reraise;
        self
    }

    /// Selects the bodies that are tracked until they are complete.
    #[must_use]
    pub fn track_body(mut self, track: TrackBody) -> Self {
        self.track_body = track;
        self
    }
}

impl MeterOptions {
    /// Returns `true` if a path is excluded.
    pub(crate) fn excludes(&self, path: &str) -> bool {
        self.exclude.iter().any(|pattern| pattern.matches(path))
    }
}

impl fmt::Debug for MeterOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MeterOptions")
            .field("routes", &self.routes)
            .field("exclude", &self.exclude)
            .field("bounds", &self.bounds)
            .field("errors", &self.errors.as_ref().map(|_| "custom"))
            .field("grpc_errors", &self.grpc_errors.as_ref().map(|_| "custom"))
            .field("route_of", &self.route_of.as_ref().map(|_| "custom"))
            .field("reraise_panics", &self.reraise_panics)
            .field("track_body", &self.track_body)
            .finish()
    }
}

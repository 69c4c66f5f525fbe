//! Construction of the endpoints' responses.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

use crate::future::SkipMetrics;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const PROMETHEUS: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Response of every endpoint.
pub(crate) type EndpointResponse = Response<Full<Bytes>>;

/// Serialises `data` as JSON.
pub(super) fn json(code: StatusCode, data: &impl Serialize) -> EndpointResponse {
    match serde_json::to_vec(data) {
        Ok(text) => with_type(code, JSON, text.into()),
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// Returns 200 and `{"status":"ok"}`, without serialisation.
pub(super) fn ok() -> EndpointResponse {
    let text = Bytes::from_static(br#"{"status":"ok"}"#);
    with_type(StatusCode::OK, JSON, text)
}

/// Returns 200 and a page in Prometheus' text format.
pub(super) fn prometheus(page: Bytes) -> EndpointResponse {
    with_type(StatusCode::OK, PROMETHEUS, page)
}

/// Returns a line of plain text.
pub(super) fn plain(code: StatusCode, text: &str) -> EndpointResponse {
    with_type(code, TEXT, Bytes::from(format!("{text}\n")))
}

/// Returns 405 with the allowed methods.
pub(super) fn method_not_allowed(allowed: &'static str) -> EndpointResponse {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, &format!("use {allowed}"));
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

fn with_type(code: StatusCode, content_type: HeaderValue, body: Bytes) -> EndpointResponse {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A probe is not one of the app's requests, even if the layer is outside healing's router.
    response.extensions_mut().insert(SkipMetrics);
    response
}

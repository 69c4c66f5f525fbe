//! gRPC status codes, with feature `grpc`. They are in the trailers, or in the headers of a response
//! without a body; the HTTP status of a failed call is 200.
//!
//! An error is a code that OpenTelemetry lists as a server error; `NOT_FOUND` and `INVALID_ARGUMENT`
//! are client errors, as 404 and 400 are.

use http::HeaderMap;

/// Returns `true` if these are the headers of a gRPC response.
#[inline]
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    cfg!(feature = "grpc")
        && headers
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// Returns the status code of a call: `None` if there is no status, `Some(None)` if it is invalid.
pub(crate) fn status(headers: &HeaderMap) -> Option<Option<u8>> {
    let text = headers.get("grpc-status")?.to_str().ok();
    Some(text.and_then(|text| text.parse().ok()))
}

/// Returns `true` for UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE and DATA_LOSS.
pub(crate) fn is_server_error(code: u8) -> bool {
    matches!(code, 2 | 4 | 12 | 13 | 14 | 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &'static str) -> Option<Option<u8>> {
        let value = http::HeaderValue::from_static(text);
        status(&HeaderMap::from_iter([(
            http::HeaderName::from_static("grpc-status"),
            value,
        )]))
    }

    #[test]
    fn status_is_a_code_or_invalid() {
        assert_eq!(status(&HeaderMap::new()), None);
        assert_eq!(code("14"), Some(Some(14)));
        for invalid in ["-1", "many", ""] {
            assert_eq!(code(invalid), Some(None), "{invalid}");
        }
    }

    #[test]
    fn server_errors_are_six_codes() {
        let errors: Vec<u8> = (0..=16).filter(|code| is_server_error(*code)).collect();
        assert_eq!(errors, [2, 4, 12, 13, 14, 15]);
    }
}

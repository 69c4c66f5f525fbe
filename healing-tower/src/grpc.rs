//! gRPC's own status, with feature `grpc`: in the trailers, or in the headers of a response that has
//! nothing else. The HTTP status of a failed call is 200.
//!
//! An error is a code that OpenTelemetry lists as the server's fault; `NOT_FOUND` or
//! `INVALID_ARGUMENT` is the caller's, as 404 and 400 are.

use http::HeaderMap;

/// Whether these are the headers of a gRPC response.
#[inline]
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    cfg!(feature = "grpc")
        && headers
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// Whether the call failed by the server's fault; nothing where no status is there.
pub(crate) fn failed(headers: &HeaderMap) -> Option<bool> {
    let status = headers.get("grpc-status")?.to_str().ok();
    // UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS; and nonsense.
    let code = status.and_then(|text| text.parse::<u8>().ok());
    Some(matches!(code, Some(2 | 4 | 12 | 13 | 14 | 15) | None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(text: &'static str) -> Option<bool> {
        let value = http::HeaderValue::from_static(text);
        failed(&HeaderMap::from_iter([(
            http::HeaderName::from_static("grpc-status"),
            value,
        )]))
    }

    #[test]
    fn the_servers_faults_are_errors() {
        assert_eq!(failed(&HeaderMap::new()), None);
        for fine in ["0", "1", "3", "5", "16"] {
            assert_eq!(status(fine), Some(false), "{fine}");
        }
        for fault in ["2", "4", "12", "13", "14", "15", "-1", "many"] {
            assert_eq!(status(fault), Some(true), "{fault}");
        }
    }
}

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

/// The status code of a call; nothing where none is there, and no code where it is nonsense.
pub(crate) fn status(headers: &HeaderMap) -> Option<Option<u8>> {
    let text = headers.get("grpc-status")?.to_str().ok();
    Some(text.and_then(|text| text.parse().ok()))
}

/// UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS.
pub(crate) fn is_the_servers_fault(code: u8) -> bool {
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
    fn a_status_is_a_code_or_nonsense() {
        assert_eq!(status(&HeaderMap::new()), None);
        assert_eq!(code("14"), Some(Some(14)));
        for nonsense in ["-1", "many", ""] {
            assert_eq!(code(nonsense), Some(None), "{nonsense}");
        }
    }

    #[test]
    fn the_servers_faults_are_errors() {
        let faults: Vec<u8> = (0..=16)
            .filter(|code| is_the_servers_fault(*code))
            .collect();
        assert_eq!(faults, [2, 4, 12, 13, 14, 15]);
    }
}

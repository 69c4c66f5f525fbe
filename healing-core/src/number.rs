//! Conversion of numbers.

/// Converts a count to a float.
#[allow(clippy::cast_precision_loss)] // real counts are below 2^53
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

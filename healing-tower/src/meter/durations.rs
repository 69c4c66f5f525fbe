//! Log-linear histogram of durations with four buckets per octave, so that the relative error of a quantile
//! is at most 1/8. It spans 65 µs to 69 s; durations outside count in the outermost buckets.

use healing_wire::health::Latency;

/// log2 of the smallest bound in nanoseconds (65.5 µs).
const LOWEST: u32 = 16;
/// log2 of the largest bound in nanoseconds (68.7 s).
const HIGHEST: u32 = 36;
/// Number of buckets: one below the lowest bound, four per octave, one above the highest.
pub(crate) const BUCKETS: usize = (HIGHEST - LOWEST) as usize * 4 + 2;

/// Number of requests per bucket.
pub(crate) type BucketCounts = [u64; BUCKETS];

/// Returns the bucket of a duration.
#[inline]
pub(crate) fn bucket(nanos: u64) -> usize {
    if nanos >> LOWEST == 0 {
        return 0;
    }
    let octave = nanos.ilog2();
    if octave >= HIGHEST {
        return BUCKETS - 1;
    }
    let quarter = (nanos >> (octave - 2)) & 3;
    (octave - LOWEST) as usize * 4 + quarter as usize + 1
}

/// Returns the lower bound of a bucket, in seconds (zero for the first).
pub(crate) fn lower_bound(bucket: usize) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    let (octave, quarter) = ((bucket - 1) / 4, (bucket - 1) % 4);
    let nanos = (1u64 << LOWEST << octave) / 4 * (4 + quarter as u64);
    nanos as f64 / 1e9
}

/// Returns the `q`-quantile in seconds, by linear interpolation inside its bucket; `None` without
/// requests.
pub(crate) fn quantile(counts: &BucketCounts, q: f64) -> Option<f64> {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return None;
    }
    let rank = q * total as f64;
    let mut below = 0.0;
    for (bucket, &count) in counts.iter().enumerate() {
        let count = count as f64;
        if count > 0.0 && below + count >= rank {
            let lower = lower_bound(bucket);
            if bucket == BUCKETS - 1 {
                return Some(lower);
            }
            let width = lower_bound(bucket + 1) - lower;
            return Some(lower + width * ((rank - below) / count).clamp(0.0, 1.0));
        }
        below += count;
    }
    None
}

/// Converts the histogram to the form of `/health`, with two buckets per octave.
pub(crate) fn latency(counts: &BucketCounts) -> Latency {
    // Bucket 0 stays single. The others are paired, and a pair's upper bound is the next pair's lower bound.
    let pairs = counts[1..BUCKETS - 1]
        .chunks(2)
        .map(|pair| pair.iter().sum());
    let uppers = (1..BUCKETS).step_by(2);
    Latency {
        bounds_seconds: uppers.map(lower_bound).collect(),
        counts: [counts[0]]
            .into_iter()
            .chain(pairs)
            .chain([counts[BUCKETS - 1]])
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_begins_at_its_lower_bound() {
        for index in 1..BUCKETS {
            let nanos = (4 + (index as u64 - 1) % 4) << (LOWEST as usize - 2 + (index - 1) / 4);
            assert_eq!(lower_bound(index), nanos as f64 / 1e9);
            assert_eq!(bucket(nanos), index);
            assert_eq!(bucket(nanos - 1), index - 1);
        }
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantile_error_is_below_an_eighth() {
        let mut counts = [0; BUCKETS];
        (1..=1000u64).for_each(|ms| counts[bucket(ms * 1_000_000)] += 1);
        let p50 = quantile(&counts, 0.5).unwrap();
        let p99 = quantile(&counts, 0.99).unwrap();
        assert!((p50 / 0.5 - 1.0).abs() < 0.125, "{p50}");
        assert!((p99 / 0.99 - 1.0).abs() < 0.125, "{p99}");
        assert_eq!(quantile(&[0; BUCKETS], 0.5), None);
    }

    #[test]
    fn wire_histogram_keeps_every_request() {
        let counts: BucketCounts = std::array::from_fn(|index| index as u64);
        let latency = latency(&counts);
        assert_eq!(latency.counts.len(), latency.bounds_seconds.len() + 1);
        assert_eq!(
            latency.counts.iter().sum::<u64>(),
            counts.iter().sum::<u64>()
        );
        assert!(latency.bounds_seconds.is_sorted());
        assert_eq!(latency.bounds_seconds[0], lower_bound(1));
        assert_eq!(latency.counts[0], counts[0]);
        assert_eq!(
            *latency.bounds_seconds.last().unwrap(),
            lower_bound(BUCKETS - 1)
        );
    }
}

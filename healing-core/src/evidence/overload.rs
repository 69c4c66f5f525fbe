//! Overload: far more load than usual, and latency rises with it. A restart makes this metastable
//! failure worse, because caches are cold and a replica is missing.

use crate::baseline::Traffic;
use crate::config::EvidenceConfig;

/// Returns `true` if the app is overloaded. `relative_traffic` is the ratio of its traffic to its
/// baseline.
pub(crate) fn detect(relative_traffic: Traffic, config: &EvidenceConfig) -> bool {
    let at_least = |value: Option<f64>, least: f64| value.is_some_and(|value| value >= least);
    at_least(relative_traffic.load, config.overload_load_ratio)
        && (at_least(relative_traffic.p50, config.overload_latency_ratio)
            || at_least(relative_traffic.p99, config.overload_latency_ratio))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overload_needs_high_load_and_high_latency() {
        let config = EvidenceConfig::default();
        let traffic = |load, p50| Traffic {
            load: Some(load),
            p50: Some(p50),
            p99: None,
        };
        assert!(detect(traffic(3.0, 4.0), &config));
        assert!(!detect(traffic(3.0, 1.0), &config), "latency is usual");
        assert!(
            !detect(traffic(1.0, 9.0), &config),
            "slow for another reason"
        );
        assert!(!detect(Traffic::default(), &config), "unknown");
    }
}

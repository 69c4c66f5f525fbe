//! Overload: far more load than usual, and latency rises with it. A restart (cold caches, fewer
//! replicas) makes this metastable failure worse.

use crate::baseline::Traffic;
use crate::config::EvidenceConfig;

/// Reports if the app is overloaded; `relative` is the ratio of its traffic to its baseline.
pub(crate) fn detect(relative: Traffic, config: &EvidenceConfig) -> bool {
    let at_least = |value: Option<f64>, least: f64| value.is_some_and(|value| value >= least);
    at_least(relative.load, config.overload_load_ratio)
        && (at_least(relative.p50, config.overload_latency_ratio)
            || at_least(relative.p99, config.overload_latency_ratio))
}

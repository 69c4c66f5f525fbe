//! Harm: do clients suffer? What happens inside an app is nobody's business while they do not.

use super::Signs;
use crate::config::EvidenceConfig;
use crate::features::{Feature, Features};

/// Requests fail by the error rules, or take several times as long as this app's usually do.
pub(crate) fn shows(features: &Features, signs: Signs, config: &EvidenceConfig) -> bool {
    signs.any()
        || features
            .get(Feature::P50Ratio)
            .is_some_and(|times| f64::from(times) >= config.harm_latency_ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_or_slow_answers_are_harm_and_unknown_ones_are_not() {
        let config = EvidenceConfig::default();
        let fails = Signs {
            ratio: true,
            ..Signs::default()
        };
        let takes = |times: f64| [(Feature::P50Ratio, times)].into_iter().collect();
        assert!(shows(&Features::EMPTY, fails, &config));
        assert!(shows(&takes(2.0), Signs::default(), &config));
        assert!(!shows(&takes(1.9), Signs::default(), &config));
        assert!(!shows(&Features::EMPTY, Signs::default(), &config));
    }
}

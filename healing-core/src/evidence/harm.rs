//! Harm: clients see errors or high latency. Without that, runtime lag and CPU saturation do not count.

use super::ErrorSignal;
use crate::config::EvidenceConfig;
use crate::features::{Feature, Features};

/// Returns `true` if an error rule holds, or requests take several times as long as usual for this app.
pub(crate) fn detect(features: &Features, errors: ErrorSignal, config: &EvidenceConfig) -> bool {
    errors.is_present()
        || features
            .get(Feature::P50Ratio)
            .is_some_and(|times| f64::from(times) >= config.harm_latency_ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_high_latency_are_harm_but_unknown_figures_are_not() {
        let config = EvidenceConfig::default();
        let failing = ErrorSignal {
            ratio: true,
            ..ErrorSignal::default()
        };
        let slow = |times: f64| [(Feature::P50Ratio, times)].into_iter().collect();
        assert!(detect(&Features::EMPTY, failing, &config));
        assert!(detect(&slow(2.0), ErrorSignal::default(), &config));
        assert!(!detect(&slow(1.9), ErrorSignal::default(), &config));
        assert!(!detect(&Features::EMPTY, ErrorSignal::default(), &config));
    }
}

//! Harm: clients suffer, by errors or by latency. Without it a state inside the app is no symptom.

use super::ErrorSignal;
use crate::config::EvidenceConfig;
use crate::features::{Feature, Features};

/// Reports if requests fail by the error rules, or take several times as long as usual for this app.
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
        let fails = ErrorSignal {
            ratio: true,
            ..ErrorSignal::default()
        };
        let takes = |times: f64| [(Feature::P50Ratio, times)].into_iter().collect();
        assert!(detect(&Features::EMPTY, fails, &config));
        assert!(detect(&takes(2.0), ErrorSignal::default(), &config));
        assert!(!detect(&takes(1.9), ErrorSignal::default(), &config));
        assert!(!detect(&Features::EMPTY, ErrorSignal::default(), &config));
    }
}

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

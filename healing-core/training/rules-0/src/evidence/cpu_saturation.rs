//! CPU saturation: the CPU is used up at no more than the usual load, and clients suffer: threads
//! spin. More load than usual is a matter of scaling, and at night a job may use the CPU.
//!
//! # Hazards
//!
//! Requests that have become more expensive (another mix, more data) look the same. A restart does not
//! help there; probation finds out, and it is not repeated.

use crate::config::EvidenceConfig;
use crate::features::{Feature, Features};

/// Reports if the CPU is saturated. `harm`: clients suffer.
pub(crate) fn detect(features: &Features, harm: bool, config: &EvidenceConfig) -> bool {
    let [cpu, load] =
        [Feature::CpuUsage, Feature::LoadRatio].map(|f| features.get(f).map(f64::from));
    let saturated = cpu.is_some_and(|percent| percent >= config.cpu_saturation_percent);
    let usual = load.is_some_and(|times| times <= config.usual_load_ratio);
    harm && saturated && usual && !is_batch_hour(features, config)
}

/// Reports if the hour is within `batch_hours`, which may include midnight.
fn is_batch_hour(features: &Features, config: &EvidenceConfig) -> bool {
    let [from, to] = config.batch_hours.map(f32::from);
    features.get(Feature::HourOfDay).is_some_and(|hour| {
        if from <= to {
            (from..to).contains(&hour)
        } else {
            hour >= from || hour < to
        }
    })
}

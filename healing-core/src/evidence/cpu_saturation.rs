//! CPU saturation: the CPU is fully used at no more than the usual load, and clients are harmed, for
//! example because threads spin. More load than usual calls for scaling, and in the batch hours jobs may
//! use the CPU.
//!
//! # Hazards
//!
//! Requests that have become more expensive (another mix, more data) look the same. A restart does not
//! help then. The treatment is judged ineffective and not repeated.

use crate::config::EvidenceConfig;
use crate::features::{Feature, Features};

/// Returns `true` if the CPU is saturated. `harm` is set if clients are harmed.
pub(crate) fn detect(features: &Features, harm: bool, config: &EvidenceConfig) -> bool {
    let [cpu, load] =
        [Feature::CpuUsage, Feature::LoadRatio].map(|f| features.get(f).map(f64::from));
    let saturated = cpu.is_some_and(|percent| percent >= config.cpu_saturation_percent);
    let usual = load.is_some_and(|times| times <= config.usual_load_ratio);
    harm && saturated && usual && !is_batch_hour(features, config)
}

/// Returns `true` if the hour is within `batch_hours`, which may include midnight.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn detects(cpu: f64, load: Option<f64>, hour: u8) -> bool {
        let mut features: Features = [(Feature::CpuUsage, cpu)].into_iter().collect();
        features.set_option(Feature::LoadRatio, load);
        features.set(Feature::HourOfDay, hour);
        detect(&features, true, &EvidenceConfig::default())
    }

    #[test]
    fn cpu_saturation_is_a_symptom_at_usual_load_only() {
        assert!(detects(97.0, Some(1.0), 12));
        assert!(!detects(80.0, Some(1.0), 12));
        assert!(!detects(97.0, Some(2.0), 12), "more load calls for scaling");
        assert!(!detects(97.0, None, 12), "no baseline yet");
    }

    #[test]
    fn cpu_saturation_without_harm_is_not_a_symptom() {
        let features = [(Feature::CpuUsage, 100.0), (Feature::LoadRatio, 1.0)]
            .into_iter()
            .collect();
        assert!(!detect(&features, false, &EvidenceConfig::default()));
    }

    #[test]
    fn cpu_saturation_in_batch_hours_is_not_a_symptom() {
        assert!(!detects(97.0, Some(1.0), 3));
        assert!(detects(97.0, Some(1.0), 6));
        let mut features: Features = [(Feature::CpuUsage, 97.0), (Feature::LoadRatio, 1.0)]
            .into_iter()
            .collect();
        let config = |batch_hours| EvidenceConfig {
            batch_hours,
            ..EvidenceConfig::default()
        };
        features.set(Feature::HourOfDay, 23);
        assert!(!detect(&features, true, &config([22, 4])), "past midnight");
        features.set(Feature::HourOfDay, 4);
        assert!(detect(&features, true, &config([22, 4])));
        assert!(detect(&features, true, &config([0, 0])), "no batch hours");
    }
}

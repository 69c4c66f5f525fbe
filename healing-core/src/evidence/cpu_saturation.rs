//! The CPU is used up, at no more load than usual, and clients suffer: threads spin. More load than
//! usual is what scaling is for, and at night a job may have the CPU to itself.
//!
//! Hazard: requests that became dearer (another mix, more data) look the same. A restart does not help
//! there; probation says so, and it is not repeated.

use crate::config::EvidenceConfig;
use crate::features::{Feature, Features};

/// `harm`: clients suffer.
pub(crate) fn shows(features: &Features, harm: bool, config: &EvidenceConfig) -> bool {
    let [cpu, load] =
        [Feature::CpuUsage, Feature::LoadRatio].map(|f| features.get(f).map(f64::from));
    let used_up = cpu.is_some_and(|percent| percent >= config.cpu_saturation_percent);
    let usual = load.is_some_and(|times| times <= config.usual_load_ratio);
    harm && used_up && usual && !is_batch_hour(features, config)
}

/// Within `batch_hours`, which may go past midnight.
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

    fn spins(cpu: f64, load: Option<f64>, hour: u8) -> bool {
        let mut features: Features = [(Feature::CpuUsage, cpu)].into_iter().collect();
        features.set_option(Feature::LoadRatio, load);
        features.set(Feature::HourOfDay, hour);
        shows(&features, true, &EvidenceConfig::default())
    }

    #[test]
    fn a_used_up_cpu_is_a_symptom_at_usual_load_only() {
        assert!(spins(97.0, Some(1.0), 12));
        assert!(!spins(80.0, Some(1.0), 12));
        assert!(!spins(97.0, Some(2.0), 12), "the autoscaler's business");
        assert!(!spins(97.0, None, 12), "what is usual is not known yet");
    }

    #[test]
    fn without_harm_it_is_no_symptom() {
        let features = [(Feature::CpuUsage, 100.0), (Feature::LoadRatio, 1.0)]
            .into_iter()
            .collect();
        assert!(!shows(&features, false, &EvidenceConfig::default()));
    }

    #[test]
    fn at_night_it_may_be_a_job() {
        assert!(!spins(97.0, Some(1.0), 3));
        assert!(spins(97.0, Some(1.0), 6));
        let mut features: Features = [(Feature::CpuUsage, 97.0), (Feature::LoadRatio, 1.0)]
            .into_iter()
            .collect();
        let config = |batch_hours| EvidenceConfig {
            batch_hours,
            ..EvidenceConfig::default()
        };
        features.set(Feature::HourOfDay, 23);
        assert!(!shows(&features, true, &config([22, 4])), "past midnight");
        features.set(Feature::HourOfDay, 4);
        assert!(shows(&features, true, &config([22, 4])));
        assert!(shows(&features, true, &config([0, 0])), "none");
    }
}

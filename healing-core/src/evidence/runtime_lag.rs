//! Runtime lag: the runtime ticks, but late. Most of its workers are in blocking calls, and requests
//! wait for the remaining ones. A hook cannot free a blocked thread, but a restart does.
//!
//! The app must be the cause of the lag. A slow machine also slows the app's care thread, so a poll with
//! a slow response of the care port is not evidence.

use crate::config::EvidenceConfig;
use crate::features::{Feature, Features};

/// Minimum lag, in multiples of the care port's latency, to attribute it to the app rather than to a
/// slow machine.
const MIN_LAG_RATIO: f64 = 4.0;

/// Returns `true` if the runtime lags. `harm` is set if clients are harmed; `care_seconds` is the latency
/// of the care port.
pub(crate) fn detect(
    features: &Features,
    harm: bool,
    care_seconds: f64,
    config: &EvidenceConfig,
) -> bool {
    features.get(Feature::RuntimeLag).is_some_and(|lag| {
        let lag = f64::from(lag);
        harm && lag >= config.lag_threshold.as_secs_f64() && care_seconds * MIN_LAG_RATIO <= lag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lags(lag: f64, harm: bool, care_seconds: f64) -> bool {
        let features = [(Feature::RuntimeLag, lag)].into_iter().collect();
        detect(&features, harm, care_seconds, &EvidenceConfig::default())
    }

    #[test]
    fn lag_is_a_symptom_if_clients_are_harmed() {
        assert!(lags(0.5, true, 0.002));
        assert!(!lags(0.5, false, 0.002), "no client is harmed");
        assert!(!lags(0.05, true, 0.002), "usual on a busy machine");
    }

    #[test]
    fn lag_on_a_slow_machine_is_not_a_symptom() {
        assert!(!lags(0.5, true, 0.2));
    }

    #[test]
    fn lag_without_a_heartbeat_is_not_a_symptom() {
        assert!(!detect(
            &Features::EMPTY,
            true,
            0.0,
            &EvidenceConfig::default()
        ));
    }
}

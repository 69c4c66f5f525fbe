//! A runtime that ticks, but late: most of its workers sit in blocking calls, and requests wait for
//! the few that are left. No hook can free a blocked thread; a new process can.
//!
//! The lag must be the app's own. A machine that is merely slow is slow to the app's care thread too,
//! so a poll that the care port itself answered late says nothing.

use crate::config::EvidenceConfig;
use crate::features::{Feature, Features};

/// The care port must be this many times as quick as the runtime for the lag to be the app's own.
const QUICKER: f64 = 4.0;

/// `harm`: clients suffer. `care_seconds`: how long the care port took to answer.
pub(crate) fn shows(
    features: &Features,
    harm: bool,
    care_seconds: f64,
    config: &EvidenceConfig,
) -> bool {
    features.get(Feature::RuntimeLag).is_some_and(|lag| {
        let lag = f64::from(lag);
        harm && lag >= config.lag_threshold.as_secs_f64() && care_seconds * QUICKER <= lag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late(lag: f64, harm: bool, care_seconds: f64) -> bool {
        let features = [(Feature::RuntimeLag, lag)].into_iter().collect();
        shows(&features, harm, care_seconds, &EvidenceConfig::default())
    }

    #[test]
    fn lag_is_a_symptom_where_clients_suffer() {
        assert!(late(0.5, true, 0.002));
        assert!(!late(0.5, false, 0.002), "nobody waits for it");
        assert!(!late(0.05, true, 0.002), "what a busy machine shows");
    }

    #[test]
    fn a_machine_that_is_slow_to_the_care_thread_too_says_nothing() {
        assert!(!late(0.5, true, 0.2));
    }

    #[test]
    fn an_app_without_a_heartbeat_is_not_late() {
        assert!(!shows(
            &Features::EMPTY,
            true,
            0.0,
            &EvidenceConfig::default()
        ));
    }
}

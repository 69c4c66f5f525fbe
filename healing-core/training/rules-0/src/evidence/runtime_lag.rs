//! Runtime lag: the runtime ticks, but late. Most of its workers are in blocking calls, and requests
//! wait for the few that are left. No hook can free a blocked thread; a new process can.
//!
//! The lag must be the app's own. A slow machine slows the app's care thread too, so a poll that the
//! care port itself answered late is no evidence.

use crate::config::EvidenceConfig;
use crate::features::{Feature, Features};

/// Ratio of the lag to the care port's latency from which the lag is the app's own.
const MIN_LAG_RATIO: f64 = 4.0;

/// Reports if the runtime lags. `harm`: clients suffer. `care_seconds`: latency of the care port.
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

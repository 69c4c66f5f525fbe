//! Splay: a random delay before a first restart that is not for a hang. A bad rollout makes all replicas
//! ill at the same moment; during the delay the app may recover, or another replica's restart may show
//! that restarting does not help.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rng::Rng;
use crate::time::Time;

/// Delay of the restart that is about to happen, if one is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct RestartSplay {
    until: Option<Time>,
}

impl RestartSplay {
    /// Reports if a restart that nothing else forbids must wait. The first call draws the delay.
    pub(super) fn holds(&mut self, now: Time, max: Duration, rng: &mut Rng) -> bool {
        let until = *self.until.get_or_insert_with(|| now + rng.up_to(max));
        now < until
    }

    /// Ends the delay.
    pub(super) fn reset(&mut self) {
        self.until = None;
    }
}

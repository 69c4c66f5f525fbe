//! Splay: a random delay before a first restart of a responsive app whose limit is not imminent. A bad
//! rollout makes all replicas unhealthy at the same time. During the delay the app may recover, or the
//! restart of another replica may show that restarting does not help.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rng::Rng;
use crate::time::Time;

/// Delay of the proposed restart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct RestartSplay {
    until: Option<Time>,
}

impl RestartSplay {
    /// Returns `true` if a restart without other vetoes must wait. The first call draws the delay.
    pub(super) fn is_active(&mut self, now: Time, max: Duration, rng: &mut Rng) -> bool {
        let until = *self.until.get_or_insert_with(|| now + rng.up_to(max));
        now < until
    }

    /// Clears the delay.
    pub(super) fn reset(&mut self) {
        self.until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splay_differs_between_replicas() {
        let at = |seconds| Time::default() + Duration::from_secs(seconds);
        let waits: Vec<u64> = (0..50)
            .map(|seed| {
                let (mut splay, mut rng) = (RestartSplay::default(), Rng::new(seed));
                (0..)
                    .find(|&s| !splay.is_active(at(s), Duration::from_secs(20), &mut rng))
                    .unwrap()
            })
            .collect();
        assert!(waits.iter().all(|&wait| wait <= 20));
        let early = waits.iter().filter(|&&wait| wait <= 10).count();
        assert!((15..=35).contains(&early), "{waits:?}");
    }
}

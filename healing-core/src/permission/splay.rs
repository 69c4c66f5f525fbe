//! A bad rollout makes all replicas ill at the same moment. Before a first restart that is not for a
//! hang each waits a random time and looks again; the app may have recovered, or another replica's
//! restart may have shown that restarting does not help.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rng::Rng;
use crate::time::Time;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RestartSplay {
    until: Option<Time>,
}

impl RestartSplay {
    /// Whether a restart that nothing else forbids must still wait. The first call draws the time.
    pub(crate) fn holds(&mut self, now: Time, most: Duration, rng: &mut Rng) -> bool {
        let until = *self.until.get_or_insert_with(|| now + rng.up_to(most));
        now < until
    }

    /// No such restart is about to happen any more.
    pub(crate) fn forget(&mut self) {
        self.until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_wait_for_different_times() {
        let at = |seconds| Time::default() + Duration::from_secs(seconds);
        let waits: Vec<u64> = (0..50)
            .map(|seed| {
                let (mut look, mut rng) = (RestartSplay::default(), Rng::new(seed));
                (0..)
                    .find(|&s| !look.holds(at(s), Duration::from_secs(20), &mut rng))
                    .unwrap()
            })
            .collect();
        assert!(waits.iter().all(|&wait| wait <= 20));
        let early = waits.iter().filter(|&&wait| wait <= 10).count();
        assert!((15..=35).contains(&early), "{waits:?}");
    }
}

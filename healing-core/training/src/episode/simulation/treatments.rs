//! Treatments: those under way, those carried out, and the capacity that they take.

use std::time::Duration;

use crate::episode::Carried;
use healing_core::decision::Action;

/// Record of the treatments.
#[derive(Debug, Default)]
pub(super) struct Treatments {
    /// Instance that is being healed softly.
    pub(super) healing: Option<u32>,
    /// Instance that is being restarted.
    pub(super) restarting: Option<u32>,
    /// Treatments in order.
    carried: Vec<Carried>,
    /// Time since which a treatment takes capacity.
    losing_since: Option<f64>,
    /// Time without capacity until then, in seconds.
    capacity_lost: f64,
}

// === impl Treatments ===

impl Treatments {
    /// Records a treatment that was carried out.
    pub(super) fn record(&mut self, now: f64, action: Action, helped: bool) {
        self.carried.push(Carried {
            at: Duration::from_secs_f64(now),
            action,
            helped,
        });
    }

    /// Begins the time without capacity, unless it has begun.
    pub(super) fn begin_loss(&mut self, now: f64) {
        self.losing_since.get_or_insert(now);
    }

    /// Ends the time without capacity.
    pub(super) fn end_loss(&mut self, now: f64) {
        if let Some(since) = self.losing_since.take() {
            self.capacity_lost += now - since;
        }
    }

    /// Returns the treatments, and the time without capacity at the end of the episode.
    pub(super) fn finish(mut self, now: f64) -> (Vec<Carried>, Duration) {
        self.end_loss(now);
        (self.carried, Duration::from_secs_f64(self.capacity_lost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_is_lost_from_the_first_begin_to_the_end() {
        let mut treatments = Treatments::default();
        treatments.begin_loss(10.0);
        treatments.begin_loss(12.0);
        treatments.end_loss(15.0);
        treatments.end_loss(20.0);
        treatments.begin_loss(30.0);
        assert_eq!(treatments.finish(31.0).1, Duration::from_secs(6));
    }
}

//! Record of one finished episode: the line of a results file.

use std::time::Duration;

use super::cost::cost;
use crate::episode::{Carried, EpisodeOutcome};
use healing_core::decision::Action;
use serde::{Deserialize, Serialize};

/// Identity of an episode under one decider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Name of the population.
    pub population: String,
    /// Seed that the population draws from.
    pub seed: u64,
    /// Name of the decider.
    pub decider: String,
}

/// One episode under one decider. Whole numbers only, so that a results file loses nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpisodeRecord {
    /// Identity of the episode.
    #[serde(flatten)]
    pub key: Key,
    /// Length of the episode, in milliseconds.
    pub duration_ms: u64,
    /// Requests that clients sent.
    pub requests: u64,
    /// Requests that failed for their client.
    pub failed: u64,
    /// Requests that would have failed under the best treatment.
    pub unavoidable: u64,
    /// Time without capacity because of a treatment, in milliseconds.
    pub capacity_lost_ms: u64,
    /// Time to recovery, in milliseconds.
    pub recovery_ms: Option<u64>,
    /// `true` if the app has a fault that a treatment can end.
    pub treatable: bool,
    /// Treatments as milliseconds, action and `true` if it helped.
    pub treatments: Vec<(u64, Action, bool)>,
}

impl EpisodeRecord {
    /// Returns the record of an outcome.
    #[must_use]
    pub fn new(key: Key, outcome: &EpisodeOutcome) -> Self {
        Self {
            key,
            duration_ms: milliseconds(outcome.duration),
            requests: outcome.requests,
            failed: outcome.failed,
            unavoidable: outcome.unavoidable,
            capacity_lost_ms: milliseconds(outcome.capacity_lost),
            recovery_ms: outcome.recovery.map(milliseconds),
            treatable: outcome.treatable,
            treatments: outcome
                .treatments
                .iter()
                .map(|carried| (milliseconds(carried.at), carried.action, carried.helped))
                .collect(),
        }
    }

    /// Returns the outcome, in whole milliseconds.
    #[must_use]
    pub fn outcome(&self) -> EpisodeOutcome {
        EpisodeOutcome {
            duration: Duration::from_millis(self.duration_ms),
            requests: self.requests,
            failed: self.failed,
            unavoidable: self.unavoidable,
            capacity_lost: Duration::from_millis(self.capacity_lost_ms),
            recovery: self.recovery_ms.map(Duration::from_millis),
            treatments: self
                .treatments
                .iter()
                .map(|&(at, action, helped)| Carried {
                    at: Duration::from_millis(at),
                    action,
                    helped,
                })
                .collect(),
            treatable: self.treatable,
        }
    }

    /// Returns the cost, in failed requests.
    #[must_use]
    pub fn cost(&self) -> f64 {
        cost(&self.outcome())
    }

    /// Returns the number of treatments of this kind, and of those that helped.
    #[must_use]
    pub fn count(&self, action: Action) -> (u32, u32) {
        let of_kind = self
            .treatments
            .iter()
            .filter(|(_, kind, _)| *kind == action);
        of_kind.fold((0, 0), |(all, helped), (_, _, help)| {
            (all + 1, helped + u32::from(*help))
        })
    }

    /// Returns the length of the episode, in hours.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // far below 2⁵³
    pub fn hours(&self) -> f64 {
        self.duration_ms as f64 / 3_600_000.0
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn record(population: &str, seed: u64, decider: &str) -> EpisodeRecord {
        let key = Key {
            population: population.to_owned(),
            seed,
            decider: decider.to_owned(),
        };
        let outcome = EpisodeOutcome {
            duration: Duration::from_secs(3600),
            requests: 3600,
            failed: 10,
            recovery: Some(Duration::from_millis(1500)),
            treatments: vec![Carried {
                at: Duration::from_secs(5),
                action: Action::RestartService,
                helped: true,
            }],
            treatable: true,
            ..EpisodeOutcome::default()
        };
        EpisodeRecord::new(key, &outcome)
    }

    #[test]
    fn record_round_trips_through_json_and_outcome() {
        let record = record("incidents", u64::MAX, "rules");
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(
            serde_json::from_str::<EpisodeRecord>(&json).unwrap(),
            record
        );
        let again = EpisodeRecord::new(record.key.clone(), &record.outcome());
        assert_eq!(again, record);
    }

    #[test]
    fn record_counts_treatments_by_kind() {
        let record = record("incidents", 1, "rules");
        assert_eq!(record.count(Action::RestartService), (1, 1));
        assert_eq!(record.count(Action::ResetErrors), (0, 0));
        assert!((record.hours() - 1.0).abs() < 1e-12);
    }
}

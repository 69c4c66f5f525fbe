//! Votes and abstentions of the model, for the status page.

use std::collections::BTreeMap;
use std::time::SystemTime;

use healing_core::decision::ModelRecord;
use healing_core::features::FeatureSet;
use serde::Serialize;

/// Votes and abstentions of the model since the doctor started.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct ModelStatus {
    /// Number of polls in which the model voted.
    voted: u64,
    /// Number of polls in which it abstained, by reason.
    abstained: BTreeMap<&'static str, u64>,
    /// Share of the polls in which it voted, 0–1.
    voted_share: f64,
    last_abstention: Option<LastAbstention>,
    /// Features that were clamped to the trained range at the last poll.
    clamped: FeatureSet,
    /// Features that were absent at the last poll.
    absent: FeatureSet,
}

/// Time and reason of an abstention.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct LastAbstention {
    /// Time of the poll, as in the journal.
    at: String,
    reason: &'static str,
    explanation: String,
}

impl ModelStatus {
    /// Adds a poll.
    #[allow(clippy::cast_precision_loss)] // counts of polls
    pub(crate) fn add(&mut self, record: &ModelRecord, at: SystemTime) {
        match record.abstained {
            None => self.voted += 1,
            Some(reason) => {
                *self.abstained.entry(reason.as_str()).or_default() += 1;
                self.last_abstention = Some(LastAbstention {
                    at: humantime::format_rfc3339_millis(at).to_string(),
                    reason: reason.as_str(),
                    explanation: record.to_string(),
                });
            }
        }
        let polls = self.voted + self.abstained.values().sum::<u64>();
        self.voted_share = self.voted as f64 / polls as f64;
        self.clamped = record.clamped;
        self.absent = record.absent;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use healing_core::decision::Abstention;
    use healing_core::features::Feature;
    use serde_json::json;

    use super::*;

    #[test]
    fn model_status_has_share_and_last_abstention() {
        let mut status = ModelStatus::default();
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let silent = ModelRecord::abstained(Abstention::NoReport);
        status.add(&silent, at(0));
        let lacking = ModelRecord {
            absent: FeatureSet::of(&[Feature::InFlight]),
            ..ModelRecord::abstained(Abstention::AbsentFeature)
        };
        status.add(&lacking, at(5));
        let voted = ModelRecord {
            clamped: FeatureSet::of(&[Feature::MemoryUsage]),
            ..ModelRecord::default()
        };
        status.add(&voted, at(10));
        status.add(&voted, at(15));
        assert_eq!(
            serde_json::to_value(&status).unwrap(),
            json!({
                "voted": 2,
                "abstained": {"absent_feature": 1, "no_report": 1},
                "voted_share": 0.5,
                "last_abstention": {
                    "at": "1970-01-01T00:00:05.000Z",
                    "reason": "absent_feature",
                    "explanation": "no, because a feature that has no neutral value is absent; \
                                    absent: in_flight",
                },
                "clamped": ["memory_usage"],
                "absent": [],
            })
        );
    }
}

//! Instance of the app: the process that gives an answer.
//!
//! | answer | speaker |
//! |---|---|
//! | by the id of the instance before the known one | stale: late or out of order |
//! | by any other id than the known one, or an id where there was none, or none where there was one | a new instance |
//! | the first one that this process sees, by the known id or without any | first |
//! | same id, less uptime and smaller totals | stale |
//! | no ids, less uptime | a new instance |
//! | otherwise | the same instance |

use serde::{Deserialize, Serialize};

use crate::evidence::availability::Availability;

/// Known instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Instance {
    pub(super) id: Option<String>,
    /// Id of the instance before: its late answers are no restart.
    pub(super) previous: Option<String>,
    #[serde(default)]
    pub(super) availability: Availability,
}

/// Author of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    /// The first instance that this process sees.
    First,
    /// The known instance.
    Same,
    /// Another instance.
    New,
    /// The known instance or the one before, late.
    Stale,
}

/// Identity of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity<'a> {
    pub(super) id: Option<&'a str>,
    /// Seconds since the start of the process.
    pub(super) uptime: f64,
    /// Set if a total is smaller than in the latest answer.
    pub(super) totals_fell: bool,
}

/// Tolerance of uptimes in whole seconds, in seconds: less uptime within it is no restart.
const UPTIME_TOLERANCE: f64 = 1.5;

/// Returns the speaker by the table in the [module](self). `known_uptime` is that of the latest
/// answer; `None` before this process has seen one.
pub(super) fn identify(
    known: &Instance,
    known_uptime: Option<f64>,
    answer: Identity<'_>,
) -> Speaker {
    match (answer.id, known.id.as_deref(), known_uptime) {
        (Some(id), Some(known_id), _) if id != known_id => {
            if known.previous.as_deref() == Some(id) {
                Speaker::Stale
            } else {
                Speaker::New
            }
        }
        // Known from a saved state, or not at all.
        (_, _, None) => Speaker::First,
        (Some(_), None, _) | (None, Some(_), _) => Speaker::New,
        (_, _, Some(uptime)) if answer.uptime + UPTIME_TOLERANCE >= uptime => Speaker::Same,
        (Some(_), Some(_), _) if answer.totals_fell => Speaker::Stale,
        (Some(_), Some(_), _) => Speaker::Same,
        (None, None, _) => Speaker::New,
    }
}

// === impl Instance ===

impl Instance {
    /// Changes the id, and keeps the one before.
    pub(super) fn set_id(&mut self, id: Option<&str>) {
        if self.id.as_deref() == id {
            return;
        }
        if self.id.is_some() {
            self.previous = self.id.take();
        }
        self.id = id.map(str::to_owned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Identifies an answer after the ids `before`, oldest first, and an uptime of 100 s.
    fn speaker(
        before: &[Option<&str>],
        id: Option<&str>,
        uptime: f64,
        totals_fell: bool,
    ) -> Speaker {
        let mut known = Instance::default();
        for id in before {
            known.set_id(*id);
        }
        let answer = Identity {
            id,
            uptime,
            totals_fell,
        };
        identify(&known, Some(100.0), answer)
    }

    #[test]
    fn other_id_is_a_new_instance_unless_it_is_the_previous_one() {
        let before = [Some("a"), Some("b")];
        assert_eq!(speaker(&before, Some("c"), 1.0, true), Speaker::New);
        assert_eq!(speaker(&before, Some("a"), 200.0, false), Speaker::Stale);
        assert_eq!(speaker(&before, Some("b"), 105.0, false), Speaker::Same);
    }

    #[test]
    fn id_that_appears_or_disappears_is_a_new_instance() {
        assert_eq!(speaker(&[], Some("a"), 105.0, false), Speaker::New);
        assert_eq!(speaker(&[Some("a")], None, 105.0, false), Speaker::New);
    }

    #[test]
    fn less_uptime_of_the_same_id_is_stale_if_totals_fell_too() {
        assert_eq!(speaker(&[Some("a")], Some("a"), 90.0, true), Speaker::Stale);
        assert_eq!(speaker(&[Some("a")], Some("a"), 90.0, false), Speaker::Same);
        assert_eq!(speaker(&[Some("a")], Some("a"), 105.0, true), Speaker::Same);
    }

    #[test]
    fn less_uptime_without_ids_is_a_new_instance() {
        assert_eq!(speaker(&[], None, 90.0, false), Speaker::New);
        assert_eq!(speaker(&[], None, 98.5, false), Speaker::Same, "rounding");
    }

    #[test]
    fn first_answer_is_first_unless_the_saved_id_differs() {
        let mut known = Instance::default();
        known.set_id(Some("a"));
        let answer = |id| Identity {
            id,
            uptime: 5.0,
            totals_fell: false,
        };
        assert_eq!(identify(&known, None, answer(Some("a"))), Speaker::First);
        assert_eq!(identify(&known, None, answer(None)), Speaker::First);
        assert_eq!(identify(&known, None, answer(Some("b"))), Speaker::New);
        let unknown = Instance::default();
        assert_eq!(identify(&unknown, None, answer(Some("a"))), Speaker::First);
    }

    #[test]
    fn previous_id_is_kept_when_the_id_changes() {
        let mut instance = Instance::default();
        instance.set_id(Some("a"));
        instance.set_id(Some("a"));
        assert_eq!(instance.previous, None);
        instance.set_id(Some("b"));
        assert_eq!(instance.previous.as_deref(), Some("a"));
    }
}

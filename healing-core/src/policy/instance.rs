//! Instance of the app: the process that sends a health report.
//!
//! | report | match |
//! |---|---|
//! | has the id of the instance before the known one | stale: late or out of order |
//! | has another id than the known one, has an id but the known one has none, or the reverse | a new instance |
//! | is the first one since the sidecar started, with the known id or without ids | first |
//! | has the same id, less uptime and smaller totals | stale |
//! | has less uptime, and there are no ids | a new instance |
//! | any other | the same instance |

use serde::{Deserialize, Serialize};

use crate::evidence::availability::Availability;

/// Instance that sent the latest report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Instance {
    pub(super) id: Option<String>,
    /// Id of the instance before. Its late reports do not count as a restart.
    pub(super) previous: Option<String>,
    #[serde(default)]
    pub(super) availability: Availability,
    /// Set if the front door has answered since this instance started.
    #[serde(default)]
    pub(super) has_answered: bool,
}

/// Instance that sent a report, relative to the known one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InstanceMatch {
    /// The first instance since the sidecar started.
    First,
    /// The known instance.
    Same,
    /// Another instance.
    New,
    /// The known instance or the one before, in a late report.
    Stale,
}

/// Identity of the sender of a report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity<'a> {
    pub(super) id: Option<&'a str>,
    /// Seconds since the start of the process.
    pub(super) uptime: f64,
    /// Set if a total is smaller than in the latest report.
    pub(super) totals_fell: bool,
}

/// Tolerance for uptimes in whole seconds, in seconds. A smaller decrease does not count as a restart.
const UPTIME_TOLERANCE: f64 = 1.5;

/// Matches a report with the known instance by the table in the [module](self). `known_uptime` is the
/// uptime in the latest report, `None` before the first report since the sidecar started.
pub(super) fn identify(
    known: &Instance,
    known_uptime: Option<f64>,
    report: Identity<'_>,
) -> InstanceMatch {
    match (report.id, known.id.as_deref(), known_uptime) {
        (Some(id), Some(known_id), _) if id != known_id => {
            if known.previous.as_deref() == Some(id) {
                InstanceMatch::Stale
            } else {
                InstanceMatch::New
            }
        }
        // The known instance is from a saved state, or there is none.
        (_, _, None) => InstanceMatch::First,
        (Some(_), None, _) | (None, Some(_), _) => InstanceMatch::New,
        (_, _, Some(uptime)) if report.uptime + UPTIME_TOLERANCE >= uptime => InstanceMatch::Same,
        (Some(_), Some(_), _) if report.totals_fell => InstanceMatch::Stale,
        (Some(_), Some(_), _) => InstanceMatch::Same,
        (None, None, _) => InstanceMatch::New,
    }
}

// === impl Instance ===

impl Instance {
    /// Changes the id, and keeps the previous one.
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

    /// Matches a report after the ids `before`, oldest first, and an uptime of 100 s.
    fn matched(
        before: &[Option<&str>],
        id: Option<&str>,
        uptime: f64,
        totals_fell: bool,
    ) -> InstanceMatch {
        let mut known = Instance::default();
        for id in before {
            known.set_id(*id);
        }
        let report = Identity {
            id,
            uptime,
            totals_fell,
        };
        identify(&known, Some(100.0), report)
    }

    #[test]
    fn other_id_is_a_new_instance_unless_it_is_the_previous_one() {
        let before = [Some("a"), Some("b")];
        assert_eq!(matched(&before, Some("c"), 1.0, true), InstanceMatch::New);
        assert_eq!(
            matched(&before, Some("a"), 200.0, false),
            InstanceMatch::Stale
        );
        assert_eq!(
            matched(&before, Some("b"), 105.0, false),
            InstanceMatch::Same
        );
    }

    #[test]
    fn id_that_appears_or_disappears_is_a_new_instance() {
        assert_eq!(matched(&[], Some("a"), 105.0, false), InstanceMatch::New);
        assert_eq!(
            matched(&[Some("a")], None, 105.0, false),
            InstanceMatch::New
        );
    }

    #[test]
    fn less_uptime_of_the_same_id_is_stale_if_totals_fell_too() {
        assert_eq!(
            matched(&[Some("a")], Some("a"), 90.0, true),
            InstanceMatch::Stale
        );
        assert_eq!(
            matched(&[Some("a")], Some("a"), 90.0, false),
            InstanceMatch::Same
        );
        assert_eq!(
            matched(&[Some("a")], Some("a"), 105.0, true),
            InstanceMatch::Same
        );
    }

    #[test]
    fn less_uptime_without_ids_is_a_new_instance() {
        assert_eq!(matched(&[], None, 90.0, false), InstanceMatch::New);
        assert_eq!(
            matched(&[], None, 98.5, false),
            InstanceMatch::Same,
            "rounding"
        );
    }

    #[test]
    fn first_report_is_first_unless_the_saved_id_differs() {
        let mut known = Instance::default();
        known.set_id(Some("a"));
        let report = |id| Identity {
            id,
            uptime: 5.0,
            totals_fell: false,
        };
        assert_eq!(
            identify(&known, None, report(Some("a"))),
            InstanceMatch::First
        );
        assert_eq!(identify(&known, None, report(None)), InstanceMatch::First);
        assert_eq!(
            identify(&known, None, report(Some("b"))),
            InstanceMatch::New
        );
        let unknown = Instance::default();
        assert_eq!(
            identify(&unknown, None, report(Some("a"))),
            InstanceMatch::First
        );
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

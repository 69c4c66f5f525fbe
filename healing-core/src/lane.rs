//! Lane of an observation, by the results of its two probes.
//!
//! | care port ↓ front door → | responds | refuses | times out | invalid | not probed |
//! |---|---|---|---|---|---|
//! | responds, runtime stalled | stalled | stalled | stalled | stalled | stalled |
//! | responds | reported | reported, or refused once it has been ready | stalled | reported | reported |
//! | refuses | invalid | refused | stalled | invalid | refused |
//! | times out | invalid | refused | stalled | invalid | stalled |
//! | invalid | invalid | invalid | invalid | invalid | invalid |
//! | not probed | invalid | refused | stalled | invalid | invalid |
//!
//! # Hazards
//!
//! An invalid response is never a reason to restart, and it hides the state of the other port. For
//! example, a proxy that responds for the app must not look like an unresponsive app.

use crate::decision::{Lane, Reason};
use crate::health::Health;
use crate::observation::{Observation, ProbeResult};

/// Lane of an observation, with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Classified {
    pub(crate) lane: Lane,
    pub(crate) reason: Reason,
}

/// Returns the lane by the table in the [module](self).
pub(crate) fn classify(observation: &Observation) -> Classified {
    use ProbeResult::{Invalid, NotProbed, Refused, TimedOut, Valid};
    let of = |lane, reason| Classified { lane, reason };
    match (&observation.care, &observation.front_door) {
        (Valid(health, _), _) if is_stalled(health) => of(Lane::Stalled, Reason::RuntimeStalled),
        (Valid(..), TimedOut) => of(Lane::Stalled, Reason::FrontDoorHangs),
        (Valid(health, _), Refused) if serves(health) => of(Lane::Refused, Reason::AppDown),
        (Valid(..), _) => of(Lane::Reported, Reason::Healthy),
        (Invalid(_), _) => of(Lane::Invalid, Reason::InvalidAnswer),
        (Refused | TimedOut | NotProbed, TimedOut) | (TimedOut, NotProbed) => {
            of(Lane::Stalled, Reason::Unresponsive)
        }
        (Refused | TimedOut | NotProbed, Refused) | (Refused, NotProbed) => {
            of(Lane::Refused, Reason::AppDown)
        }
        (Refused | TimedOut | NotProbed, Valid(..) | Invalid(_)) | (NotProbed, NotProbed) => {
            of(Lane::Invalid, Reason::InvalidAnswer)
        }
    }
}

/// Returns `true` if the app reports that its runtime is stalled.
fn is_stalled(health: &Health) -> bool {
    health
        .runtime
        .as_ref()
        .is_some_and(|runtime| runtime.stalled)
}

/// Returns `true` if the app reports that it serves, so that its port should accept connections.
fn serves(health: &Health) -> bool {
    health.started == Some(true) && !health.draining && !health.condemned
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::health::Runtime;
    use crate::observation::{Circumstances, InvalidAnswer};

    fn lane(care: ProbeResult<Health>, front_door: ProbeResult<()>) -> Lane {
        let circumstances = Circumstances::default();
        classify(&Observation {
            sockets: None,
            care,
            front_door,
            circumstances,
        })
        .lane
    }

    const QUICK: Duration = Duration::from_millis(1);

    fn responds(started: bool, stalled: bool) -> ProbeResult<Health> {
        let runtime = Some(Runtime {
            stalled,
            ..Runtime::default()
        });
        ProbeResult::Valid(
            Health {
                started: Some(started),
                runtime,
                ..Health::default()
            },
            QUICK,
        )
    }

    #[test]
    fn report_is_classified_as_reported_unless_the_front_door_fails() {
        assert_eq!(
            lane(responds(true, false), ProbeResult::Valid((), QUICK)),
            Lane::Reported
        );
        assert_eq!(
            lane(responds(true, false), ProbeResult::TimedOut),
            Lane::Stalled
        );
        assert_eq!(
            lane(responds(true, true), ProbeResult::Valid((), QUICK)),
            Lane::Stalled
        );
        assert_eq!(
            lane(responds(true, false), ProbeResult::Refused),
            Lane::Refused
        );
        assert_eq!(
            lane(responds(false, false), ProbeResult::Refused),
            Lane::Reported,
            "still starting"
        );
    }

    #[test]
    fn missing_report_is_classified_by_the_front_door() {
        assert_eq!(
            lane(ProbeResult::Refused, ProbeResult::Refused),
            Lane::Refused
        );
        assert_eq!(
            lane(ProbeResult::TimedOut, ProbeResult::TimedOut),
            Lane::Stalled
        );
        assert_eq!(
            lane(ProbeResult::TimedOut, ProbeResult::Valid((), QUICK)),
            Lane::Invalid,
            "the front door responds"
        );
        assert_eq!(
            lane(ProbeResult::NotProbed, ProbeResult::NotProbed),
            Lane::Invalid
        );
    }

    #[test]
    fn invalid_response_is_classified_as_invalid_for_any_front_door() {
        for front in [
            ProbeResult::TimedOut,
            ProbeResult::Refused,
            ProbeResult::NotProbed,
            ProbeResult::Valid((), QUICK),
        ] {
            assert_eq!(
                lane(ProbeResult::Invalid(InvalidAnswer::Malformed), front),
                Lane::Invalid
            );
        }
    }
}

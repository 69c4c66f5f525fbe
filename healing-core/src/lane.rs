//! Lane of an observation, by the results of its two probes.
//!
//! | care port ↓ front door → | responds | refuses | times out | invalid | not probed |
//! |---|---|---|---|---|---|
//! | responds, runtime stalled | stalled | stalled | stalled | stalled | stalled |
//! | responds | reported | reported | reported | reported | reported |
//! | refuses | invalid | refused | refused | invalid | refused |
//! | refuses, but the process runs | invalid | refused | stalled | invalid | refused |
//! | times out | invalid | refused | stalled | invalid | stalled |
//! | invalid | invalid | invalid | invalid | invalid | invalid |
//! | not probed | invalid | refused | stalled | invalid | invalid |
//!
//! A runtime that does not tick, although requests succeed, is not stalled.
//!
//! A front door that fails while the runtime ticks does not hide the report; it is
//! [evidence](crate::evidence) of its own.
//!
//! A care port that *refuses* says that the process is gone, or has just been started: the care thread
//! listens for as long as the process that reported lives. The kernel accepts connections to the front
//! door for a process that has bound its port and not begun to serve, so a time-out there is no sign of a
//! hang. Only if the process that sent the latest report is known to run is it silent.
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

/// Verdict on a stall of the runtime, besides what the app says.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stall {
    /// Set if the report proves a stall before the app says so.
    pub(crate) proven: bool,
    /// Set if requests have succeeded since the report before. The runtime then ticks too rarely, because
    /// its workers are busy or wait for one another, but it makes progress.
    pub(crate) refuted: bool,
}

/// Returns the lane by the table in the [module](self).
pub(crate) fn classify(observation: &Observation, stall: Stall) -> Classified {
    use ProbeResult::{Invalid, NotProbed, Refused, TimedOut, Valid};
    let of = |lane, reason| Classified { lane, reason };
    let same_process = observation.circumstances.process_alive == Some(true);
    match (&observation.care, &observation.front_door) {
        (Valid(health, _), _) if !stall.refuted && (stall.proven || is_stalled(health)) => {
            of(Lane::Stalled, Reason::RuntimeStalled)
        }
        (Valid(..), _) => of(Lane::Reported, Reason::Healthy),
        (Invalid(_), _) => of(Lane::Invalid, Reason::InvalidAnswer),
        (Refused, TimedOut) if !same_process => of(Lane::Refused, Reason::AppDown),
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

/// Returns `true` if the process that sent the latest report has ended: nothing listens at the care port,
/// and the process is not known to run.
pub(crate) fn has_ended(observation: &Observation) -> bool {
    observation.care == ProbeResult::Refused
        && observation.circumstances.process_alive != Some(true)
}

/// Returns `true` if the app reports that its runtime is stalled.
fn is_stalled(health: &Health) -> bool {
    health
        .runtime
        .as_ref()
        .is_some_and(|runtime| runtime.stalled)
}

/// Returns `true` if the app reports that it serves, so that its port should accept connections.
pub(crate) fn serves(health: &Health) -> bool {
    health.started == Some(true) && !health.starting && !health.draining && !health.condemned
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::health::Runtime;
    use crate::observation::{Circumstances, InvalidAnswer};

    fn lane(care: ProbeResult<Health>, front_door: ProbeResult<()>) -> Lane {
        classify(&observation(care, front_door), Stall::default()).lane
    }

    fn observation(care: ProbeResult<Health>, front_door: ProbeResult<()>) -> Observation {
        Observation {
            sockets: None,
            care,
            front_door,
            circumstances: Circumstances::default(),
        }
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
    fn report_is_classified_as_reported_for_any_front_door_while_the_runtime_ticks() {
        for front_door in [
            ProbeResult::Valid((), QUICK),
            ProbeResult::TimedOut,
            ProbeResult::Refused,
        ] {
            let health = responds(true, false);
            assert_eq!(lane(health, front_door.clone()), Lane::Reported);
            assert_eq!(lane(responds(true, true), front_door), Lane::Stalled);
        }
    }

    #[test]
    fn success_of_requests_refutes_a_stall() {
        let refuted = Stall {
            proven: true,
            refuted: true,
        };
        for stalled in [true, false] {
            let late = observation(responds(true, stalled), ProbeResult::TimedOut);
            assert_eq!(classify(&late, refuted).lane, Lane::Reported);
        }
    }

    #[test]
    fn stall_may_be_proven_before_the_app_reports_it() {
        let hanging = observation(responds(true, false), ProbeResult::TimedOut);
        let proven = Stall {
            proven: true,
            refuted: false,
        };
        assert_eq!(classify(&hanging, proven).lane, Lane::Stalled);
        assert_eq!(classify(&hanging, Stall::default()).lane, Lane::Reported);
    }

    #[test]
    fn refusing_care_port_is_a_hang_only_of_a_process_that_is_known_to_run() {
        let mut gone = observation(ProbeResult::Refused, ProbeResult::TimedOut);
        assert_eq!(classify(&gone, Stall::default()).lane, Lane::Refused);
        assert!(has_ended(&gone));
        gone.circumstances.process_alive = Some(true);
        assert_eq!(classify(&gone, Stall::default()).lane, Lane::Stalled);
        assert!(!has_ended(&gone));
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

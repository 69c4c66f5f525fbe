//! Lane of an observation, by the results of its two probes.
//!
//! | care port ↓ front door → | answers | refuses | hangs | invalid | not probed |
//! |---|---|---|---|---|---|
//! | answers, runtime stalled | stalled | stalled | stalled | stalled | stalled |
//! | answers | reported | reported, or refused once it was ready | stalled | reported | reported |
//! | refuses | invalid | refused | stalled | invalid | refused |
//! | hangs | invalid | refused | stalled | invalid | stalled |
//! | invalid | invalid | invalid | invalid | invalid | invalid |
//! | not probed | invalid | refused | stalled | invalid | invalid |
//!
//! # Hazards
//!
//! An invalid answer is never a reason to restart, and it hides the state of the other port: a proxy
//! that answers for the app must not look like a wedge.

use crate::decision::{Lane, Reason};
use crate::health::Health;
use crate::observation::{Observation, ProbeResult};

/// Lane of an observation, with the reason that it gives.
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

fn is_stalled(health: &Health) -> bool {
    health
        .runtime
        .as_ref()
        .is_some_and(|runtime| runtime.stalled)
}

/// Reports if the app says that it serves, so that its port should accept connections.
fn serves(health: &Health) -> bool {
    health.started == Some(true) && !health.draining && !health.condemned
}

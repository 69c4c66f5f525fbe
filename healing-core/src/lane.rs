//! Which lane an observation takes: did the app answer, and if not, what does its silence mean?
//!
//! | care port ↓ front door → | answers | refuses | hangs | nonsense | not asked |
//! |---|---|---|---|---|---|
//! | answers, runtime stalled | stalled | stalled | stalled | stalled | stalled |
//! | answers | reported | reported, or refused once it was ready | stalled | reported | reported |
//! | refuses | invalid | refused | stalled | invalid | refused |
//! | hangs | invalid | refused | stalled | invalid | stalled |
//! | nonsense | invalid | invalid | invalid | invalid | invalid |
//! | not asked | invalid | refused | stalled | invalid | invalid |
//!
//! Hazard: nonsense is never a reason to restart, and it hides what the other port does: a proxy
//! that answers for the app must not look like a wedge.

use crate::decision::{Lane, Reason};
use crate::health::Health;
use crate::observation::{Answer, Observation};

/// The lane, with what the silence is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Classified {
    pub(crate) lane: Lane,
    pub(crate) silence: Reason,
}

pub(crate) fn classify(observation: &Observation) -> Classified {
    use Answer::{Invalid, NotAsked, Refused, TimedOut, Valid};
    let of = |lane, silence| Classified { lane, silence };
    match (&observation.care, &observation.front_door) {
        (Valid(health, _), _) if is_stalled(health) => of(Lane::Stalled, Reason::RuntimeStalled),
        (Valid(..), TimedOut) => of(Lane::Stalled, Reason::FrontDoorHangs),
        (Valid(health, _), Refused) if was_ready(health) => of(Lane::Refused, Reason::AppDown),
        (Valid(..), _) => of(Lane::Reported, Reason::Healthy),
        (Invalid(_), _) => of(Lane::Invalid, Reason::InvalidAnswer),
        (Refused | TimedOut | NotAsked, TimedOut) | (TimedOut, NotAsked) => {
            of(Lane::Stalled, Reason::AppSilent)
        }
        (Refused | TimedOut | NotAsked, Refused) | (Refused, NotAsked) => {
            of(Lane::Refused, Reason::AppDown)
        }
        (Refused | TimedOut | NotAsked, Valid(..) | Invalid(_)) | (NotAsked, NotAsked) => {
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

/// It says that it serves, so its port should accept connections.
fn was_ready(health: &Health) -> bool {
    health.started == Some(true) && !health.draining && !health.condemned
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::health::Runtime;
    use crate::observation::{Circumstances, InvalidAnswer};

    fn lane(care: Answer<Health>, front_door: Answer<()>) -> Lane {
        let circumstances = Circumstances::default();
        classify(&Observation {
            care,
            front_door,
            circumstances,
        })
        .lane
    }

    const QUICK: Duration = Duration::from_millis(1);

    fn answers(started: bool, stalled: bool) -> Answer<Health> {
        let runtime = Some(Runtime {
            stalled,
            ..Runtime::default()
        });
        Answer::Valid(
            Health {
                started: Some(started),
                runtime,
                ..Health::default()
            },
            QUICK,
        )
    }

    #[test]
    fn an_answer_decides_unless_clients_cannot_get_in() {
        assert_eq!(
            lane(answers(true, false), Answer::Valid((), QUICK)),
            Lane::Reported
        );
        assert_eq!(lane(answers(true, false), Answer::TimedOut), Lane::Stalled);
        assert_eq!(
            lane(answers(true, true), Answer::Valid((), QUICK)),
            Lane::Stalled
        );
        assert_eq!(lane(answers(true, false), Answer::Refused), Lane::Refused);
        assert_eq!(
            lane(answers(false, false), Answer::Refused),
            Lane::Reported,
            "still starting"
        );
    }

    #[test]
    fn silence_is_told_apart() {
        assert_eq!(lane(Answer::Refused, Answer::Refused), Lane::Refused);
        assert_eq!(lane(Answer::TimedOut, Answer::TimedOut), Lane::Stalled);
        assert_eq!(
            lane(Answer::TimedOut, Answer::Valid((), QUICK)),
            Lane::Invalid,
            "it serves"
        );
        assert_eq!(lane(Answer::NotAsked, Answer::NotAsked), Lane::Invalid);
    }

    #[test]
    fn nonsense_is_never_more_than_nonsense() {
        for front in [
            Answer::TimedOut,
            Answer::Refused,
            Answer::NotAsked,
            Answer::Valid((), QUICK),
        ] {
            assert_eq!(
                lane(Answer::Invalid(InvalidAnswer::Malformed), front),
                Lane::Invalid
            );
        }
    }
}

//! Class of a replay: right, or wrong in one of three ways.

use std::fmt;

use super::expected::Wanted;
use super::replay::Replay;

/// Class of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The decision is right.
    Right,
    /// A restart that is not justified.
    FalseRestart,
    /// A restart that would have helped was not done.
    Missed,
    /// A soft heal that is not justified.
    FalseSoftHeal,
}

/// Time after the fault from which one restart does no harm to an app that gets too much load, in seconds.
pub const LATE_SECONDS: f64 = 300.0;

/// Returns the class of a replay.
///
/// | wanted | right | false restart | missed | false soft heal |
/// |---|---|---|---|---|
/// | R | a restart after the fault | a restart before it | no restart | a soft heal before the fault |
/// | N | nothing | any restart | – | any soft heal |
/// | S | nothing, or soft heals after the fault | any restart | – | a soft heal before the fault |
/// | H | nothing, or one restart ≥ 300 s after the fault | any other restart | – | any soft heal |
/// | 1 | one restart | a second one | no restart | – |
///
/// Two faults of one replay are counted by the graver one: a false restart before all others.
#[must_use]
pub fn class(wanted: Wanted, replay: &Replay) -> Class {
    let restarts = replay.restarts().count();
    let restarted_from = |seconds: f64| {
        replay
            .first_restart()
            .is_some_and(|restart| restart.seconds >= seconds)
    };
    let first_soft_heal = replay.first_soft_heal().map(|soft| soft.seconds);
    let early_soft_heal = first_soft_heal.is_some_and(|seconds| seconds < 0.0);
    let (false_restart, missed, false_soft_heal) = match wanted {
        Wanted::Restart => (
            restarts > 0 && !restarted_from(0.0),
            restarts == 0,
            early_soft_heal,
        ),
        Wanted::Nothing => (restarts > 0, false, first_soft_heal.is_some()),
        Wanted::SoftHeal => (restarts > 0, false, early_soft_heal),
        Wanted::Hold => (
            restarts > 1 || (restarts == 1 && !restarted_from(LATE_SECONDS)),
            false,
            first_soft_heal.is_some(),
        ),
        Wanted::OneRestart => (restarts > 1, restarts == 0, false),
    };
    if false_restart {
        Class::FalseRestart
    } else if missed {
        Class::Missed
    } else if false_soft_heal {
        Class::FalseSoftHeal
    } else {
        Class::Right
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Right => "right",
            Self::FalseRestart => "false restart",
            Self::Missed => "missed",
            Self::FalseSoftHeal => "false soft heal",
        })
    }
}

#[cfg(test)]
mod tests {
    use healing_core::decision::{Action, Reason};

    use super::*;
    use crate::recordings::replay::Treated;

    /// Returns a replay with these treatments: seconds after the fault, restart or soft heal.
    fn replay(soft_heals: &[f64], restarts: &[f64]) -> Replay {
        let treated = |action, seconds: &f64| Treated {
            seconds: *seconds,
            action,
            reason: Reason::ErrorRatio,
        };
        let soft = soft_heals.iter().map(|s| treated(Action::ResetErrors, s));
        let hard = restarts.iter().map(|s| treated(Action::RestartService, s));
        Replay {
            treatments: soft.chain(hard).collect(),
        }
    }

    #[test]
    fn class_follows_the_table() {
        use Class::{FalseRestart, FalseSoftHeal, Missed, Right};
        for (wanted, soft_heals, restarts, expected) in [
            (Wanted::Restart, &[][..], &[15.0][..], Right),
            (Wanted::Restart, &[15.0], &[105.0], Right),
            (Wanted::Restart, &[15.0], &[], Missed),
            (Wanted::Restart, &[], &[-5.0, 15.0], FalseRestart),
            (Wanted::Restart, &[-5.0], &[15.0], FalseSoftHeal),
            (Wanted::Nothing, &[], &[], Right),
            (Wanted::Nothing, &[15.0], &[], FalseSoftHeal),
            (Wanted::Nothing, &[15.0], &[30.0], FalseRestart),
            (Wanted::SoftHeal, &[15.0], &[], Right),
            (Wanted::SoftHeal, &[], &[], Right),
            (Wanted::SoftHeal, &[-15.0], &[], FalseSoftHeal),
            (Wanted::SoftHeal, &[], &[300.0], FalseRestart),
            (Wanted::Hold, &[], &[], Right),
            (Wanted::Hold, &[], &[300.0], Right),
            (Wanted::Hold, &[], &[295.0], FalseRestart),
            (Wanted::Hold, &[], &[300.0, 400.0], FalseRestart),
            (Wanted::Hold, &[40.0], &[], FalseSoftHeal),
            (Wanted::OneRestart, &[5.0], &[30.0], Right),
            (Wanted::OneRestart, &[], &[30.0, 60.0], FalseRestart),
            (Wanted::OneRestart, &[], &[], Missed),
        ] {
            let replay = replay(soft_heals, restarts);
            assert_eq!(class(wanted, &replay), expected, "{wanted} {replay:?}");
        }
    }
}

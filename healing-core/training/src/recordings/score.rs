//! Score of a policy: the classes of its replays, counted over many runs.

use std::ops::AddAssign;

use healing_core::policy::Policy;

use super::class::{Class, class};
use super::collection::Run;
use super::completion::Detail;
use super::recording::{Phase, Recording};
use super::replay::replay;

/// Numbers of replays by class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    /// Number of right replays.
    pub right: usize,
    /// Number of replays with a false restart.
    pub false_restarts: usize,
    /// Number of replays that miss a restart.
    pub missed: usize,
    /// Number of replays with a false soft heal.
    pub false_soft_heals: usize,
}

/// Returns the score of the policies that `policy` makes, one for each run.
#[must_use]
pub fn score(
    runs: &[Run],
    phase: Phase,
    detail: Detail,
    policy: impl Fn(&Recording) -> Policy,
) -> Score {
    let mut score = Score::default();
    for run in runs {
        let replay = replay(policy(&run.recording), &run.recording, phase, detail);
        score += class(run.expected.wanted, &replay);
    }
    score
}

impl AddAssign<Class> for Score {
    fn add_assign(&mut self, class: Class) {
        let count = match class {
            Class::Right => &mut self.right,
            Class::FalseRestart => &mut self.false_restarts,
            Class::Missed => &mut self.missed,
            Class::FalseSoftHeal => &mut self.false_soft_heals,
        };
        *count += 1;
    }
}

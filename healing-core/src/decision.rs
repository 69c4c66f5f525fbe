//! What comes out of the policy: an action, and every reason for and against it.

use serde::{Deserialize, Serialize};

/// What the policy can choose. The discriminants are the forest's classes.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Action {
    /// Leave the app alone.
    #[default]
    NoAction = 0,
    /// Soft heal over `POST /heal`.
    ResetErrors = 1,
    /// Hard heal: the app container is restarted.
    RestartService = 2,
}

impl Action {
    /// All, by class.
    pub const ALL: [Self; 3] = [Self::NoAction, Self::ResetErrors, Self::RestartService];

    /// The word used in journal, metrics, page and docs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoAction => "no_action",
            Self::ResetErrors => "reset_errors",
            Self::RestartService => "restart_service",
        }
    }
}

/// Which lane the observation took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// The app answered: its figures decide.
    Reported,
    /// Nobody listens: starting, or dead and the supervisor's business.
    Refused,
    /// A wedge: the runtime does not tick, the front door hangs, or all time out.
    Stalled,
    /// Nonsense: observed and counted, never a restart by itself.
    Invalid,
}

/// Who proposed the action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// The random forest, held in check by evidence.
    Model,
    /// The compiled-in rules.
    Rules,
    /// The original system's literal rules, chosen on purpose.
    OriginalRules,
}

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was proposed.
    Quiet,
    /// Carry it out.
    Allowed,
    /// Something forbids it; see the vetoes.
    Vetoed,
}

/// How a treatment turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Healthy through probation.
    Recovered,
    /// The same symptom is still there.
    Ineffective,
    /// The app is worse off than before.
    Worse,
    /// It was never carried out (the doctor died before, or the app refused).
    Aborted,
}

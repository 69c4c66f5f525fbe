//! What comes out of the policy: an action, and every reason for and against it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::features::Features;
pub use crate::reason::{Reason, ReasonKind, Vetoes};

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
    NoProposal,
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

/// What [`Policy::step`](crate::policy::Policy::step) returns: what to do now, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The lane that the observation took.
    pub lane: Lane,
    /// What would be done if nothing forbade it.
    pub proposed: Action,
    /// What to carry out now; [`Action::NoAction`] when vetoed.
    pub action: Action,
    /// What became of the proposal.
    pub verdict: Verdict,
    /// The headline: the first veto where something forbids the action, else the evidence.
    pub reason: Reason,
    /// Why the action is proposed, or why none is.
    pub evidence: Reason,
    /// Everything that forbids the action.
    pub vetoes: Vetoes,
    /// Who proposed it.
    pub decided_by: DecidedBy,
    /// The model's view of the three actions, by class; absent where it was not or could not be asked.
    pub probabilities: Option<[f64; 3]>,
    /// What the figures were.
    pub features: Features,
    /// The app makes no progress: restart it without draining.
    pub wedged: bool,
    /// Restarts that are still allowed in the budget's time.
    pub budget_remaining: u32,
    /// An earlier treatment that was judged at this step.
    pub concluded: Option<Conclusion>,
}

/// How a treatment turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conclusion {
    /// What had been done.
    pub action: Action,
    /// How it went.
    pub outcome: Outcome,
    /// From the treatment to healthy; where the app did not recover, to this judgement.
    pub recovery: Duration,
}

/// A report of the caller to [`Policy::report_treatment`](crate::policy::Policy::report_treatment).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Treatment {
    /// What was done.
    pub action: Action,
    /// How far it went.
    pub result: TreatmentResult,
}

/// How far a treatment went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TreatmentResult {
    /// It begins: the budget is spent now, whatever comes of it. Tell it once for each treatment.
    Started,
    /// It was carried out. `Done` without `Started` counts as both.
    Done,
    /// The app refused it or it failed midway.
    Failed,
    /// It was never carried out.
    Aborted,
}

macro_rules! words {
    ($($type:ident { $($variant:ident $word:literal),+ })+) => {$(
        impl $type {
            /// The word used in journal, metrics, page and docs.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}

words! {
    Lane { Reported "reported", Refused "refused", Stalled "stalled", Invalid "invalid" }
    DecidedBy { Model "model", Rules "rules", OriginalRules "original_rules" }
    Verdict { NoProposal "no_proposal", Allowed "allowed", Vetoed "vetoed" }
    Outcome { Recovered "recovered", Ineffective "ineffective", Worse "worse", Aborted "aborted" }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

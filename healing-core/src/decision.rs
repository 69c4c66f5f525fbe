//! Output of the policy: an action, and the reasons for and against it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::features::Features;
pub use crate::model_record::{Abstention, ModelRecord};
pub use crate::reason::{Reason, ReasonKind, Vetoes};

/// Action that the policy can choose. The discriminants are the classes of a model.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Action {
    /// No treatment.
    #[default]
    NoAction = 0,
    /// Soft heal over `POST /heal`.
    ResetErrors = 1,
    /// Hard heal: a restart of the app container.
    RestartService = 2,
}

impl Action {
    /// All actions, by class.
    pub const ALL: [Self; 3] = [Self::NoAction, Self::ResetErrors, Self::RestartService];

    /// Returns the name in journal, metrics, page and docs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoAction => "no_action",
            Self::ResetErrors => "reset_errors",
            Self::RestartService => "restart_service",
        }
    }
}

/// Class of an observation, by its two probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// The app sends health reports, and their figures are evaluated.
    Reported,
    /// Connections are refused: the app is starting, or is dead and restarted by its supervisor.
    Refused,
    /// The runtime does not tick, the front door times out, or the app is unresponsive.
    Stalled,
    /// A response is invalid. It is counted, but never a reason to restart.
    Invalid,
}

/// Source of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// The model, bounded by the evidence.
    Model,
    /// The compiled-in rules.
    Rules,
    /// The original system's rules, unchanged, for comparison.
    OriginalRules,
}

/// Result of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was proposed.
    NoProposal,
    /// The action is to be carried out.
    Allowed,
    /// The vetoes forbid the action.
    Vetoed,
}

/// Outcome of a treatment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The app was healthy throughout its probation.
    Recovered,
    /// The symptom persists.
    Ineffective,
    /// The app is worse than before.
    Worse,
    /// The treatment was never carried out, because the doctor exited first or the app refused it.
    Aborted,
}

/// Result of [`Policy::step`](crate::policy::Policy::step): the action to carry out, and its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Lane of the observation.
    pub lane: Lane,
    /// Action that the evidence justifies, before permission is evaluated.
    pub proposed: Action,
    /// Action to carry out; [`Action::NoAction`] if vetoed.
    pub action: Action,
    /// Result of the proposal.
    pub verdict: Verdict,
    /// Most severe veto if the action is vetoed, otherwise the evidence.
    pub reason: Reason,
    /// Reason for the proposed action or for proposing none.
    pub evidence: Reason,
    /// All vetoes of the action.
    pub vetoes: Vetoes,
    /// Source of the proposal.
    pub decided_by: DecidedBy,
    /// Probabilities of the three actions by the model, by class; `None` if it did not classify.
    pub probabilities: Option<[f64; 3]>,
    /// Part of the model; `None` if the proposer is no model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelRecord>,
    /// Features of the poll.
    pub features: Features,
    /// Set if the app makes no progress and should be restarted without draining.
    pub wedged: bool,
    /// Number of restarts that the budget still allows.
    pub budget_remaining: u32,
    /// Conclusion of an earlier treatment, if this poll determines its outcome.
    pub concluded: Option<Conclusion>,
}

/// Conclusion of a treatment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conclusion {
    /// Action that was carried out.
    pub action: Action,
    /// Outcome of the action.
    pub outcome: Outcome,
    /// Time from the treatment until the app was healthy, or until this conclusion if it did not recover.
    pub recovery: Duration,
}

/// Report about a treatment, which the caller passes to
/// [`Policy::report_treatment`](crate::policy::Policy::report_treatment).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreatmentReport {
    /// Action of the treatment.
    pub action: Action,
    /// Progress of the action.
    pub result: TreatmentResult,
}

/// Progress of a treatment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TreatmentResult {
    /// The treatment has started, and the budget is spent regardless of the outcome. It is reported once
    /// per treatment.
    Started,
    /// The treatment was carried out. `Done` without `Started` counts as both.
    Done,
    /// The app refused the treatment, or it failed midway.
    Failed,
    /// The treatment was never carried out.
    Aborted,
}

macro_rules! words {
    ($($type:ident { $($variant:ident $word:literal),+ })+) => {$(
        impl $type {
            /// Returns the name in journal, metrics, page and docs.
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

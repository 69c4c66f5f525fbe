//! Reason codes: for an action, against an action, or for taking none.
//!
//! The codes are the same in journal, metrics, page and docs, and never change their meaning.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! reasons {
    ($($(#[$section:meta])* $variant:ident $code:literal $kind:ident $doc:literal;)+) => {
        /// Reason of a decision. Vetoes come first, the most severe one first.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Reason { $(#[doc = $doc] $variant,)+ }

        impl Reason {
            /// All reasons, vetoes first.
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$variant),+];

            /// Returns the stable code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// Returns an explanation in one sentence.
            #[must_use]
            pub fn explain(self) -> &'static str {
                match self { $(Self::$variant => $doc),+ }
            }

            /// Returns the kind of the reason.
            #[must_use]
            pub fn kind(self) -> ReasonKind {
                match self { $(Self::$variant => ReasonKind::$kind),+ }
            }
        }
    };
}

/// Kind of a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReasonKind {
    /// Forbids an action.
    Veto,
    /// Justifies an action.
    Evidence,
    /// Explains why no action is proposed.
    NoAction,
}

reasons! {
    StateUnavailable "state_unavailable" Veto
        "The state cannot be saved, and a restart that cannot be recorded is not allowed.";
    Paused "paused" Veto "An operator has paused healing.";
    Draining "draining" Veto "The app or its pod is shutting down.";
    Observe "observe" Veto "In observe mode actions are only reported.";
    StartupGrace "startup_grace" Veto "The app has only just started, or has not been ready yet.";
    DependencyDown "dependency_down" Veto
        "A required dependency fails, so no treatment of this app would help.";
    CpuSaturated "cpu_saturated" Veto
        "The app's requests use up its CPU, and a treatment would not change that.";
    Starved "starved" Veto
        "The app cannot get the CPU that it needs, because of its quota or a busy node, and a treatment would not change that.";
    Saturated "saturated" Veto
        "More requests arrive than the app has proved it can serve, and a treatment would not change that.";
    RestartDoesNotHelp "restart_does_not_help" Veto
        "The last restart did not halve the impairment, so it is not repeated.";
    Escalation "escalation" Veto
        "A treatment that failed is not repeated, and no stronger one is justified.";
    Cooldown "cooldown" Veto "The last treatment is too recent.";
    BudgetExhausted "budget_exhausted" Veto
        "The number of restarts that the budget allows has been reached.";
    Splay "splay" Veto
        "A first restart waits for a random time, so that replicas do not restart together.";

    ErrorCount "error_count" Evidence "Several requests fail, and they are a relevant share of all requests.";
    ErrorRatio "error_ratio" Evidence "Too large a share of the requests fails.";
    WorstRoute "worst_route" Evidence "One route fails entirely, although it has worked before.";
    SoftHealFailed "soft_heal_failed" Evidence "Soft heals did not help and requests still fail.";
    Impaired "impaired" Evidence
        "The app's goodput is far below the demand that it has proved it can serve.";
    NoGoodput "no_goodput" Evidence "No request succeeds.";
    LastResort "last_resort" Evidence
        "Goodput has been almost gone for minutes, so one restart is tried although load is the cause.";
    RepeatedPanics "repeated_panics" Evidence
        "Handlers panic repeatedly, because state in the app's memory is broken.";
    LimitForecast "limit_forecast" Evidence "Memory or file descriptors will reach their limit soon.";
    RuntimeStalled "runtime_stalled" Evidence "The app's runtime does not tick, so no request makes progress.";
    FrontDoorHangs "front_door_hangs" Evidence
        "The app's port times out while its runtime ticks, and load does not explain that.";
    FrontDoorRefused "front_door_refused" Evidence
        "The app's port refuses connections, although it was open and the process lives.";
    Unresponsive "unresponsive" Evidence "Neither the app's port nor its care port responds in time.";
    AppDown "app_down" Evidence "The app refuses connections.";

    Healthy "healthy" NoAction "There is no symptom.";
    Starting "starting" NoAction
        "The app has not been ready yet, or its port has not answered since it started.";
    InvalidAnswer "invalid_answer" NoAction
        "The app's response is invalid, which alone is not a reason to act.";
    InsufficientEvidence "insufficient_evidence" NoAction
        "There is a symptom, but not often or long enough yet.";
    AwaitingChecks "awaiting_checks" NoAction
        "There is a symptom, but the dependencies have not been checked since it started.";
    AwaitingLowLoad "awaiting_low_load" NoAction
        "A limit will be reached, but there is time to wait for low load.";
    ResourceUseOnly "resource_use_only" NoAction "High CPU or memory usage alone is not a symptom, but may call for scaling.";
    UsualErrors "usual_errors" NoAction
        "The share of errors is usual for this app, because treatments did not change it.";
    NeverAvailable "never_available" NoAction
        "This instance has never been available, so a restart would not help.";
    ModelDeclined "model_declined" NoAction
        "There is a symptom, but by the model's votes doing nothing has the lowest expected cost.";
    Probation "probation" NoAction "The last treatment is in progress or on probation.";
    AttemptsExhausted "attempts_exhausted" NoAction "Every treatment failed, so an operator is needed.";
    DoctorLate "doctor_late" NoAction
        "The doctor itself was late, so that the poll says nothing about the app.";
    StaleAnswer "stale_answer" NoAction "The response is out of order and is ignored.";
}

impl Reason {
    /// Returns `true` if the reason forbids an action.
    #[must_use]
    pub fn is_veto(self) -> bool {
        self.kind() == ReasonKind::Veto
    }

    /// Returns `true` if the reason follows from the impairment.
    pub(crate) fn is_impairment(self) -> bool {
        matches!(
            self,
            Self::Impaired | Self::NoGoodput | Self::LastResort | Self::FrontDoorHangs
        )
    }

    /// Returns `true` if the reason is a loss of goodput, which load may explain.
    pub(crate) fn is_loss_of_goodput(self) -> bool {
        let errors = matches!(
            self,
            Self::ErrorCount | Self::ErrorRatio | Self::SoftHealFailed
        );
        errors || self.is_impairment()
    }

    /// Returns the reason with a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == code)
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_code(&code)
            .ok_or_else(|| D::Error::custom(format_args!("unknown reason code `{code}`")))
    }
}

/// Set of vetoes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Vetoes(u16);

// === impl Vetoes ===

impl Vetoes {
    /// Empty set.
    pub const NONE: Self = Self(0);

    /// Adds a veto. Other reasons are ignored.
    pub fn insert(&mut self, reason: Reason) {
        if reason.is_veto() {
            self.0 |= 1 << reason as u8;
        }
    }

    /// Adds a veto if the condition holds.
    pub fn insert_if(&mut self, condition: bool, reason: Reason) {
        if condition {
            self.insert(reason);
        }
    }

    /// Returns `true` if the set contains a veto.
    #[must_use]
    pub fn contains(self, reason: Reason) -> bool {
        reason.is_veto() && self.0 & (1 << reason as u8) != 0
    }

    /// Returns the set without some vetoes.
    #[must_use]
    pub(crate) fn without(self, reasons: &[Reason]) -> Self {
        let mut rest = Self::NONE;
        for reason in self.iter().filter(|reason| !reasons.contains(reason)) {
            rest.insert(reason);
        }
        rest
    }

    /// Returns `true` if there is no veto.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Iterates over the vetoes, the most severe first.
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        Reason::ALL
            .into_iter()
            .filter(move |&reason| self.contains(reason))
    }

    /// Returns the most severe veto.
    #[must_use]
    pub fn headline(self) -> Option<Reason> {
        self.iter().next()
    }
}

impl std::ops::BitOr for Vetoes {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl std::fmt::Debug for Vetoes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Serializes as a list of codes, the most severe veto first.
impl Serialize for Vetoes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Vetoes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut vetoes = Self::NONE;
        for reason in Vec::<Reason>::deserialize(deserializer)? {
            vetoes.insert(reason);
        }
        Ok(vetoes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_explained() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.as_str()), Some(reason));
            assert!(reason.explain().ends_with('.'));
        }
        assert_eq!(Reason::ALL.iter().filter(|r| r.is_veto()).count(), 14);
    }

    #[test]
    fn headline_is_the_most_severe_veto() {
        let mut vetoes = Vetoes::NONE;
        vetoes.insert(Reason::Cooldown);
        vetoes.insert(Reason::DependencyDown);
        vetoes.insert(Reason::Healthy); // not a veto
        assert_eq!(vetoes.headline(), Some(Reason::DependencyDown));
        assert_eq!(vetoes.iter().count(), 2);
        let json = serde_json::to_string(&vetoes).unwrap();
        assert_eq!(json, r#"["dependency_down","cooldown"]"#);
        assert_eq!(serde_json::from_str::<Vetoes>(&json).unwrap(), vetoes);
    }
}

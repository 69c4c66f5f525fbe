//! Reason codes: why an action is proposed, why it is forbidden, or why nothing is proposed.
//!
//! The codes are the same in journal, metrics, page and docs, and never change their meaning.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! reasons {
    ($($(#[$section:meta])* $variant:ident $code:literal $kind:ident $doc:literal;)+) => {
        /// Why. Vetoes come first, in the order in which the headline is chosen.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Reason { $(#[doc = $doc] $variant,)+ }

        impl Reason {
            /// All, vetoes first.
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$variant),+];

            /// The stable code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// One sentence for people.
            #[must_use]
            pub fn explain(self) -> &'static str {
                match self { $(Self::$variant => $doc),+ }
            }

            /// What sort of reason it is.
            #[must_use]
            pub fn kind(self) -> ReasonKind {
                match self { $(Self::$variant => ReasonKind::$kind),+ }
            }
        }
    };
}

/// What a reason speaks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReasonKind {
    /// Forbids an action.
    Veto,
    /// Speaks for an action.
    Evidence,
    /// Says why none is proposed.
    NoAction,
}

reasons! {
    StateUnavailable "state_unavailable" Veto
        "The state cannot be written, and a restart that cannot be remembered is not allowed.";
    Paused "paused" Veto "An operator has paused healing.";
    Draining "draining" Veto "The app or its pod is shutting down.";
    Observe "observe" Veto "In observe mode actions are only reported.";
    StartupGrace "startup_grace" Veto "The app has only just started, or has not been ready yet.";
    DependencyDown "dependency_down" Veto
        "A declared dependency fails: no treatment of this app would help.";
    Overload "overload" Veto
        "The app gets far more load than usual and slows down with it: a restart would make that worse.";
    Escalation "escalation" Veto "What failed before is not repeated, and nothing stronger is justified.";
    Cooldown "cooldown" Veto "The last treatment is too recent.";
    BudgetExhausted "budget_exhausted" Veto "There were as many restarts lately as are allowed.";
    Splay "splay" Veto
        "A first restart waits a random time and looks again, so that replicas do not restart together.";

    ErrorCount "error_count" Evidence "Several errors, and a relevant share of the requests.";
    ErrorRatio "error_ratio" Evidence "Too large a share of many requests fails.";
    SoftHealFailed "soft_heal_failed" Evidence "Soft heals did not help and requests still fail.";
    RepeatedPanics "repeated_panics" Evidence
        "Handlers go on panicking: something in the app's memory is broken.";
    RuntimeLag "runtime_lag" Evidence
        "The app's runtime ticks late, and requests with it: most of its workers are blocked.";
    CpuSaturated "cpu_saturated" Evidence
        "The CPU is used up at no more than the usual load, and clients suffer.";
    LimitForecast "limit_forecast" Evidence "Memory or file descriptors will hit their limit soon.";
    RuntimeStalled "runtime_stalled" Evidence "The app's runtime does not tick: no request makes progress.";
    FrontDoorHangs "front_door_hangs" Evidence "The app's port hangs while its care port answers.";
    Unresponsive "unresponsive" Evidence "Neither the app's port nor its care port answers in time.";
    AppDown "app_down" Evidence "The app accepts no connection.";

    Healthy "healthy" NoAction "No symptom.";
    Starting "starting" NoAction "The app has not been ready yet: its supervisor's business.";
    InvalidAnswer "invalid_answer" NoAction "The app's answer makes no sense; that alone is no reason to act.";
    InsufficientEvidence "insufficient_evidence" NoAction
        "There is a symptom, but not often or not long enough yet.";
    AwaitingChecks "awaiting_checks" NoAction
        "There is a symptom, but the dependencies have not been checked since it began.";
    AwaitingLowLoad "awaiting_low_load" NoAction
        "A limit will be hit; there is time to wait for a quiet moment.";
    ResourceUseOnly "resource_use_only" NoAction "High CPU or memory alone is no symptom: scaling is not healing.";
    NeverAvailable "never_available" NoAction
        "This instance has not worked since it started: another start of the same would not either.";
    ModelDeclined "model_declined" NoAction "There is a symptom, but by the model's votes no action pays.";
    Probation "probation" NoAction "The last treatment is being verified.";
    AttemptsExhausted "attempts_exhausted" NoAction "Every treatment failed: an operator is needed.";
    StaleAnswer "stale_answer" NoAction "The answer is out of order: nothing is to be learned from it.";
}

impl Reason {
    /// Whether it forbids an action.
    #[must_use]
    pub fn is_veto(self) -> bool {
        self.kind() == ReasonKind::Veto
    }

    /// The reason of that code.
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

/// A set of vetoes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Vetoes(u16);

// === impl Vetoes ===

impl Vetoes {
    /// None.
    pub const NONE: Self = Self(0);

    /// Adds one. Reasons that are no vetoes are ignored.
    pub fn insert(&mut self, reason: Reason) {
        if reason.is_veto() {
            self.0 |= 1 << reason as u8;
        }
    }

    /// Adds one if the condition holds.
    pub fn insert_if(&mut self, condition: bool, reason: Reason) {
        if condition {
            self.insert(reason);
        }
    }

    /// Whether it is among them.
    #[must_use]
    pub fn contains(self, reason: Reason) -> bool {
        reason.is_veto() && self.0 & (1 << reason as u8) != 0
    }

    /// Whether nothing forbids the action.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All of them, the headline first.
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        Reason::ALL
            .into_iter()
            .filter(move |&reason| self.contains(reason))
    }

    /// The one to name first.
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

/// A list of codes, the headline first.
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

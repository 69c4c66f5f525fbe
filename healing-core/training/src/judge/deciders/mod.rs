//! Deciders under comparison, by name.
//!
//! | decider | decisions |
//! |---|---|
//! | `nothing` | no treatment, ever |
//! | `liveness` | a Kubernetes liveness probe on the front door, at its defaults |
//! | `rules` | the policy with the compiled-in rules |
//! | `trend` | the hand-written trend rule on the policy's features, with a plain cooldown and a restart budget |
//! | `forest` | the policy with the default model, which decides within the evidence |
//! | `rules_0`, `trend_0`, `forest_0` | the same three, frozen in the crate `healing-rules-0` |
//! | `cpu_80`, `blind` | controls: a harmful decider and a blind one, which the judge must show as such |
//!
//! All policies have the default settings and act in the mode `enforce`.

mod controls;
mod frozen;
mod guard;
mod liveness;
mod policy;
mod trend;

use self::controls::{Blind, Cpu80};
use self::frozen::FrozenPolicy;
use self::liveness::Liveness;
use self::policy::LivePolicy;
use self::trend::Trend;
use crate::episode::Decider;
use healing_core::decision::Action;
use healing_core::observation::{Now, Observation};

macro_rules! deciders {
    ($($variant:ident $name:literal;)+) => {
        /// Decider under comparison.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)] // the table in the module
        pub enum DeciderName { $($variant,)+ }

        impl DeciderName {
            /// All deciders, in the order of tables.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// Returns the name in commands and tables.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

deciders! {
    Nothing "nothing";
    Liveness "liveness";
    Rules0 "rules_0";
    Trend0 "trend_0";
    Forest0 "forest_0";
    Rules "rules";
    Trend "trend";
    Forest "forest";
    Cpu80 "cpu_80";
    Blind "blind";
}

impl DeciderName {
    /// Reference of the paired differences.
    pub const REFERENCE: Self = Self::Rules0;

    /// Returns the decider with this name; `None` where there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|decider| decider.as_str() == name)
    }

    /// Reports if the decider is a control, which runs only where it is named.
    #[must_use]
    pub fn is_control(self) -> bool {
        matches!(self, Self::Cpu80 | Self::Blind)
    }

    /// Returns a decider without any knowledge. The seed gives its jitter.
    #[must_use]
    pub fn build(self, seed: u64) -> Box<dyn Decider> {
        match self {
            Self::Nothing => Box::new(Nothing),
            Self::Liveness => Box::new(Liveness::default()),
            Self::Rules0 => Box::new(FrozenPolicy::rules(seed)),
            Self::Trend0 => Box::new(Trend::new(FrozenPolicy::rules(seed))),
            Self::Forest0 => Box::new(FrozenPolicy::forest(seed)),
            Self::Rules => Box::new(LivePolicy::rules(seed)),
            Self::Trend => Box::new(Trend::new(LivePolicy::rules(seed))),
            Self::Forest => Box::new(LivePolicy::forest(seed)),
            Self::Cpu80 => Box::new(Cpu80),
            Self::Blind => Box::new(Blind::new(seed)),
        }
    }
}

/// Decider that never acts.
struct Nothing;

impl Decider for Nothing {
    fn poll(&mut self, _: Now, _: &Observation) -> Action {
        Action::NoAction
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::testing::{Fault, actions};

    #[test]
    fn deciders_are_found_by_name() {
        for decider in DeciderName::ALL {
            assert_eq!(DeciderName::from_name(decider.as_str()), Some(decider));
        }
        assert_eq!(DeciderName::from_name("rules_9"), None);
    }

    #[test]
    fn decider_nothing_never_acts() {
        assert_eq!(actions(DeciderName::Nothing, Fault::Hung, 600), vec![]);
    }

    #[test]
    fn policies_and_trend_restart_a_hung_app() {
        use DeciderName::{Forest, Forest0, Rules, Rules0, Trend, Trend0};
        for decider in [Rules, Forest, Trend, Rules0, Forest0, Trend0] {
            let log = actions(decider, Fault::Hung, 120);
            let (second, action) = log[0];
            assert_eq!(action, Action::RestartService, "{}", decider.as_str());
            assert!((60..=80).contains(&second), "{} {second}", decider.as_str());
        }
    }
}

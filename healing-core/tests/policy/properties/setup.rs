//! Policies under test: settings from strict to permissive, and hostile models.

use std::time::Duration;

use healing_core::config::{ModelRole, PolicyConfig};
use healing_core::decision::Abstention;
use healing_core::features::Features;
use healing_core::model::{Classification, Classifier, Votes};
use healing_core::observation::Now;
use healing_core::policy::{Policy, PolicyState, Proposer};

/// Votes of a hostile model.
#[derive(Debug, Clone, Copy)]
pub(super) enum HostileVotes {
    /// All votes are for a restart.
    Restart,
    /// The votes are random.
    Random,
    /// Half of the feature sets cannot be classified.
    SometimesNone,
    /// The sum of the votes is `u32::MAX`.
    Extreme,
}

/// Classifier whose votes depend only on the bits of the features and a seed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hostile {
    votes: HostileVotes,
    pub(super) seed: u8,
}

impl Classifier for Hostile {
    fn classify(&self, features: &Features) -> Classification {
        let bits = features
            .iter()
            .fold(u32::from(self.seed), |hash, (feature, value)| {
                (hash ^ value.to_bits() ^ feature as u32).wrapping_mul(0x9E37_79B1)
            });
        let votes = match self.votes {
            HostileVotes::Restart => Ok(Votes([0, 0, u32::MAX])),
            HostileVotes::Random => Ok(Votes([bits & 0xFF, bits >> 8 & 0xFF, bits >> 16 & 0xFF])),
            HostileVotes::SometimesNone if bits & 1 == 0 => Err(Abstention::AbsentFeature),
            HostileVotes::SometimesNone | HostileVotes::Extreme => Ok(Votes([0, bits, !bits])),
        };
        votes.into()
    }
}

/// Policy under test.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setup {
    pub(super) proposer: ProposerKind,
    pub(super) demo_profile: bool,
    pub(super) permissive: bool,
    pub(super) seed: u64,
}

/// Kind of the proposer under test.
#[derive(Debug, Clone, Copy)]
pub(super) enum ProposerKind {
    Rules,
    Original,
    Model(Hostile),
}

impl Setup {
    /// Derives a setup from a random number.
    pub(super) fn of(number: u8) -> Self {
        let seed = number / 6;
        let votes = match seed % 4 {
            0 => HostileVotes::Restart,
            1 => HostileVotes::Random,
            2 => HostileVotes::SometimesNone,
            _ => HostileVotes::Extreme,
        };
        Self {
            proposer: match number % 6 {
                0 => ProposerKind::Rules,
                1 => ProposerKind::Original,
                _ => ProposerKind::Model(Hostile { votes, seed }),
            },
            demo_profile: number & 1 != 0,
            permissive: number & 2 != 0,
            seed: number.into(),
        }
    }

    fn proposer(self) -> Proposer {
        match self.proposer {
            ProposerKind::Rules => Proposer::Rules,
            ProposerKind::Original => Proposer::Original,
            ProposerKind::Model(model) => Proposer::Model(Box::new(model)),
        }
    }

    pub(super) fn policy(self) -> Policy {
        Policy::new(config(self), self.proposer(), self.seed)
    }

    pub(super) fn restore(self, state: PolicyState, now: Now) -> Policy {
        Policy::restore(config(self), self.proposer(), state, now)
    }
}

/// Returns settings, from strict to permissive. The guards must hold with all of them.
pub(super) fn config(setup: Setup) -> PolicyConfig {
    let mut config = if setup.demo_profile {
        PolicyConfig::demo()
    } else {
        PolicyConfig::default()
    };
    // The model must decide, because an advising model has no effect.
    config.model = ModelRole::Decides;
    if setup.permissive {
        config.evidence.soft_sustain_for = Duration::ZERO;
        config.evidence.hard_sustain_for = Duration::ZERO;
        config.evidence.ratio_requests = 1;
        config.evidence.hang_timeout = Duration::from_secs(1);
        config.evidence.refused_timeout = Duration::from_secs(1);
        config.outcome.probation = Duration::from_secs(1);
        config.permission.hard_cooldown = Duration::ZERO;
        config.permission.soft_cooldown = Duration::ZERO;
        config.permission.splay = Duration::ZERO;
        config.permission.soft_attempts = 1;
        config.permission.hard_attempts = 99;
    }
    config
}

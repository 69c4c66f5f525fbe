//! Interpreter of scenario scripts.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use healing_core::config::{ModelRole, PolicyConfig};
use healing_core::decision::{Action, Reason};
use healing_core::policy::{Policy, Proposer};

use crate::log::Log;
use crate::script::{Case, ProposerSpec};
use crate::values::Change;
use crate::world::{App, FixedVotes, World};

/// Result of one case.
pub(crate) struct Run {
    pub(crate) log: String,
    /// Reasons of all decisions.
    pub(crate) reasons: BTreeSet<Reason>,
    /// Description of the treatments, if they are not the expected ones.
    pub(crate) mismatch: Option<String>,
}

/// Runs a case.
pub(crate) fn run(case: &Case) -> Run {
    let mut world = world(case);
    let mut log = Log::new(case.name.as_deref());
    for change in &case.initial {
        change.apply(&mut world);
    }
    let mut timed: VecDeque<(Duration, Vec<Change>)> = case.timed.iter().cloned().collect();
    for phase in &case.phases {
        while world.elapsed < phase.until {
            let next = phase
                .every
                .map_or(phase.until, |every| world.elapsed + every);
            while let Some((time, changes)) = timed.pop_front_if(|(time, _)| *time < next) {
                world.advance(time.saturating_sub(world.elapsed));
                for change in &changes {
                    change.apply(&mut world);
                }
                log.changes(world.elapsed, &changes);
            }
            world.advance(next - world.elapsed);
            if phase.every.is_none() {
                continue;
            }
            let decision = world.observe();
            log.decision(world.elapsed, &decision);
            for (treatment, delay, changes) in &case.after {
                if decision.action == *treatment && decision.action != Action::NoAction {
                    let time = world.elapsed + *delay;
                    let index = timed.partition_point(|(other, _)| *other <= time);
                    timed.insert(index, (time, changes.clone()));
                }
            }
        }
    }
    let treatments: Vec<_> = world
        .actions()
        .into_iter()
        .map(|(_, action)| action)
        .collect();
    let mismatch = (case.expect.as_ref() != Some(&treatments)).then(|| {
        format!(
            "{}: expected {:?}, but carried out {treatments:?}",
            case.name.as_deref().unwrap_or("treatments"),
            case.expect.as_deref().unwrap_or_default()
        )
    });
    let reasons = world
        .decisions
        .iter()
        .flat_map(|(_, decision)| {
            let vetoes = decision.vetoes.iter();
            vetoes.chain([decision.reason, decision.evidence])
        })
        .collect();
    Run {
        log: log.finish(),
        reasons,
        mismatch,
    }
}

fn world(case: &Case) -> World {
    let mut config = if case.demo {
        PolicyConfig::demo()
    } else {
        PolicyConfig::default()
    };
    let proposer = match case.proposer {
        ProposerSpec::Rules => Proposer::Rules,
        ProposerSpec::Original => Proposer::Original,
        ProposerSpec::Model { vote, decides } => {
            if decides {
                config.model = ModelRole::Decides;
            }
            Proposer::Model(Box::new(FixedVotes(vote)))
        }
    };
    let policy = Policy::new(config, proposer, 7);
    let mut world = World::of(App::healthy(0.0), policy, Duration::from_secs(5));
    if let Some(clock) = case.clock {
        let midnight = world.now.wall.as_secs() / 86_400 * 86_400;
        world.now.wall = Duration::from_secs(midnight + clock);
    }
    world
}

//! Interpreter of scenario scripts.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use healing_core::config::{ModelRole, PolicyConfig};
use healing_core::decision::{Action, Reason};
use healing_core::policy::{Policy, Proposer};

use crate::log::Log;
use crate::script::{Case, ProposerSpec, Script};
use crate::values::Change;
use crate::world::{App, FixedVotes, World};

/// Result of one case.
pub(crate) struct Run {
    pub(crate) log: String,
    /// Reasons of all decisions.
    pub(crate) reasons: BTreeSet<Reason>,
    /// Descriptions of treatments that are not as expected.
    pub(crate) mismatches: Vec<String>,
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
        mismatches: mismatches(case, &world.actions()),
    }
}

/// Compares the treatments with what the case expects.
fn mismatches(case: &Case, carried_out: &[(f64, Action)]) -> Vec<String> {
    let name = case.name.as_deref().unwrap_or("treatments");
    let mut mismatches = Vec::new();
    let treatments: Vec<_> = carried_out.iter().map(|(_, action)| *action).collect();
    if case.expect.as_ref() != Some(&treatments) {
        let expected = case.expect.as_deref().unwrap_or_default();
        mismatches.push(format!(
            "{name}: expected {expected:?}, but carried out {treatments:?}"
        ));
    }
    for span in &case.spans {
        let times: Vec<f64> = carried_out
            .iter()
            .filter(|(_, action)| *action == span.action)
            .map(|(time, _)| *time)
            .collect();
        let (action, first, last) = (span.action, span.first, span.last);
        let min = span.min.as_secs_f64();
        match (times.get(first - 1), times.get(last - 1)) {
            (Some(from), Some(to)) if to - from >= min => {}
            (Some(from), Some(to)) => mismatches.push(format!(
                "{name}: {action} {first} to {last} span {}s, but at least {min}s are expected",
                to - from
            )),
            _ => mismatches.push(format!(
                "{name}: {action} {first} to {last}: only {} were carried out",
                times.len()
            )),
        }
    }
    mismatches
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

#[test]
fn span_below_its_minimum_is_a_mismatch() {
    let found = |min| {
        let line = format!("poll every 5s until 1s\nexpect no_action\nexpect-span {min}");
        let mut case = Script::parse(&line).unwrap().cases.remove(0);
        case.expect = Some(vec![Action::ResetErrors; 3]);
        mismatches(
            &case,
            &[5.0, 10.0, 100.0].map(|time| (time, Action::ResetErrors)),
        )
    };
    assert!(found("reset_errors 1 to 3 at least 95s").is_empty());
    assert_eq!(
        found("reset_errors 2 to 3 at least 91s"),
        ["treatments: reset_errors 2 to 3 span 90s, but at least 91s are expected"]
    );
    assert_eq!(
        found("reset_errors 3 to 4 at least 1s"),
        ["treatments: reset_errors 3 to 4: only 3 were carried out"]
    );
    assert_eq!(
        found("restart_service 1 to 2 at least 1s"),
        ["treatments: restart_service 1 to 2: only 0 were carried out"]
    );
}

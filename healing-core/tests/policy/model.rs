//! Votes of a model in decisions. `scenarios/model.scenario` tests the decisions themselves.

use std::time::Duration;

use healing_core::config::{ModelRole, PolicyConfig};
use healing_core::decision::{Action, DecidedBy};
use healing_core::policy::{Policy, Proposer};

use crate::world::{App, FixedVotes, World, actions};

fn world_with_votes(votes: Option<Action>, role: ModelRole) -> World {
    let config = PolicyConfig {
        model: role,
        ..PolicyConfig::default()
    };
    let proposer = Proposer::Model(Box::new(FixedVotes(votes)));
    let policy = Policy::new(config, proposer, 7);
    World::of(App::healthy(100.0), policy, Duration::from_secs(5))
}

#[test]
fn votes_of_an_advising_model_are_recorded() {
    let mut world = world_with_votes(Some(Action::NoAction), ModelRole::Advises);
    world.run(60.0);
    world.app.failing = 0.5;
    let decisions = world.run(30.0);
    assert_eq!(actions(&decisions), [Action::ResetErrors]);
    assert!(decisions[0].probabilities.unwrap()[0] > 0.9);
}

#[test]
fn rules_decide_without_probabilities_if_the_model_cannot_classify() {
    let mut world = world_with_votes(None, ModelRole::Decides);
    world.run(60.0);
    world.app.failing = 0.5;
    let decisions = world.run(30.0);
    assert_eq!(actions(&decisions), [Action::ResetErrors]);
    assert_eq!(
        (decisions[0].decided_by, decisions[0].probabilities),
        (DecidedBy::Rules, None)
    );
}

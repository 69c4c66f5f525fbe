//! Votes of a model in decisions. `scenarios/model.scenario` tests the decisions themselves.

use std::time::Duration;

use healing_core::config::{ModelRole, PolicyConfig};
use healing_core::decision::{Action, DecidedBy, Lane};
use healing_core::features::{Feature, FeatureSet};
use healing_core::policy::{Policy, Proposer};

use crate::world::{App, FixedVotes, World, actions};

fn world_with_votes(votes: Option<Action>, role: ModelRole) -> World {
    let proposer = Proposer::Model(Box::new(FixedVotes(votes)));
    world_with(proposer, role, App::healthy(100.0))
}

fn world_with(proposer: Proposer, role: ModelRole, app: App) -> World {
    let config = PolicyConfig {
        model: role,
        ..PolicyConfig::default()
    };
    World::of(
        app,
        Policy::new(config, proposer, 7),
        Duration::from_secs(5),
    )
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

/// The figures of a small service at night: 0 % of CPU, little memory, hardly a request.
#[test]
fn default_model_votes_on_each_report_of_a_small_idle_app() {
    let app = App {
        cpu: 0.0,
        memory: 0.05,
        ..App::healthy(0.1)
    };
    let mut world = world_with(Proposer::default_model(), ModelRole::Decides, app);
    for _ in 0..120 {
        let decision = world.poll();
        let record = decision.model.unwrap();
        assert_eq!(record.abstained, None, "{record}");
        assert!(decision.probabilities.is_some());
        assert!(record.clamped.contains(Feature::CpuUsage), "{record}");
        assert!(record.clamped.contains(Feature::MemoryUsage), "{record}");
        assert!(record.absent.contains(Feature::P50Ratio), "{record}");
        assert_eq!(decision.action, Action::NoAction);
    }
}

/// An app that reports the original system's five fields counts errors, but no requests.
#[test]
fn rules_decide_if_the_model_lacks_the_error_ratios() {
    let app = App {
        five_fields: true,
        ..App::healthy(100.0)
    };
    let mut world = world_with(Proposer::default_model(), ModelRole::Decides, app);
    world.run(120.0);
    world.app.simulate_errors(6.0);
    let decisions = world.run(60.0);
    assert_eq!(actions(&decisions), [Action::ResetErrors]);
    let record = decisions[0].model.unwrap();
    assert_eq!(record.abstained, None, "{record}");
    let ratios = FeatureSet::of(&[Feature::ErrorRatioFast, Feature::ErrorRatioSlow]);
    assert!(record.absent.intersects(ratios), "{record}");
    assert_eq!(decisions[0].decided_by, DecidedBy::Rules);
}

#[test]
fn record_of_the_model_is_part_of_the_decision_as_names() {
    let app = App {
        memory: 0.05,
        ..App::healthy(100.0)
    };
    let mut world = world_with(Proposer::default_model(), ModelRole::Advises, app);
    let json = serde_json::to_value(world.poll()).unwrap();
    assert_eq!(json["model"]["abstained"], serde_json::Value::Null);
    assert_eq!(json["model"]["clamped"][0], "memory_usage");
    assert_eq!(json["model"]["absent"][0], "load_ratio");
    world.app.stalled = true;
    let stalled = world.poll();
    assert_eq!(stalled.lane, Lane::Stalled);
    let json = serde_json::to_value(stalled).unwrap();
    assert_eq!(json["model"]["abstained"], "no_report");

    let mut rules = World::new(App::healthy(100.0));
    let json = serde_json::to_value(rules.poll()).unwrap();
    assert!(json.get("model").is_none(), "{json}");
}

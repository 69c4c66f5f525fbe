//! Features and explanations of decisions.

use healing_core::decision::{Decision, Reason};
use healing_core::features::Feature;
use healing_core::impairment::Assessment;

use crate::world::{App, World, poll_with};

#[test]
fn absent_figures_are_absent_features() {
    let mut world = World::new(App::healthy(0.0));
    let health =
        serde_json::from_str(r#"{"status":"healthy","error_count":2,"uptime":9.5}"#).unwrap();
    let decision = poll_with(&mut world, health);
    let known: Vec<_> = decision
        .features
        .iter()
        .map(|(feature, _)| feature)
        .collect();
    use Feature::{ErrorCount, FrontDoorLatency, HourOfDay, RecentRestarts, SinceLastHeal, Uptime};
    assert_eq!(
        known,
        [
            ErrorCount,
            Uptime,
            HourOfDay,
            FrontDoorLatency,
            SinceLastHeal,
            RecentRestarts
        ]
    );
}

#[test]
fn features_have_the_values_of_their_docs() {
    let mut world = World::new(App {
        memory: 20.0,
        ..App::healthy(100.0)
    });
    world.run(300.0);
    world.app = App {
        failing: 0.02,
        rate: 200.0,
        seconds: 0.04,
        in_flight: 9,
        ..world.app
    };
    world.app.memory_per_second = 0.05;
    world.run(300.0);
    let features = world.poll().features;
    let close = |feature, expected: f32| {
        let value = features.get(feature).unwrap();
        assert!(
            (value - expected).abs() <= 0.1 * expected.abs() + 1e-3,
            "{feature}: {value}"
        );
    };
    close(Feature::RequestRate, 200.0);
    close(Feature::ErrorRatioFast, 0.02);
    close(Feature::ErrorRatioSlow, 0.02);
    close(Feature::PanicRatio, 0.0);
    close(Feature::InFlight, 9.0);
    close(Feature::InFlightTrend, 0.0);
    close(Feature::MemorySlope, 3.0);
    close(Feature::MemoryTimeToLimit, (80.0 - 0.05 * 305.0) / 0.05);
    close(Feature::CpuWithoutTraffic, 0.0);
    close(Feature::FdUsage, 100.0 * 40.0 / 1024.0);
    close(Feature::FdTimeToLimit, 86_400.0);
    close(Feature::SinceLastHeal, 86_400.0);
    assert!(
        features.get(Feature::P50Ratio).unwrap() > 1.2,
        "slower than usual"
    );
}

#[test]
fn vetoed_decision_is_explained_in_a_sentence() {
    let mut world = World::new(App::healthy(100.0));
    world.circumstances.paused = true;
    world.run(60.0);
    world.app.failing = 0.5;
    let decision = world.run(60.0).pop().unwrap();
    let explanation = world.policy.explain(&decision);
    assert_eq!(explanation.vetoes, [Reason::Paused]);
    assert_eq!(
        explanation.to_string(),
        "A soft heal would be due (too large a share of the requests fails), but is not allowed: \
         an operator has paused healing."
    );
}

#[test]
fn explanation_of_an_impairment_quotes_its_figures() {
    let mut world = World::new(App::healthy(100.0));
    let mut decision = world.run(5.0).pop().unwrap();
    decision.impairment = Assessment {
        ratio: Some(0.734),
        goodput: Some(5.04),
        demand: Some(20.0),
        proven_capacity: Some(25.0),
        ..Assessment::default()
    };
    let explain = |decision: &Decision| world.policy.explain(decision).to_string();
    assert!(!explain(&decision).contains("per second"), "no evidence");
    decision.evidence = Reason::Impaired;
    let text = explain(&decision);
    let figures = "5.0 of 20.0 requests per second succeed, and the app has proved 25.0. \
                   The impairment is at least 73 %.";
    assert!(text.ends_with(figures), "{text}");
}

use healing_core::decision::{Abstention, Lane, Vetoes};
use healing_core::features::{Feature, FeatureSet};
use healing_core::observation::InvalidAnswer;
use serde_json::Value;

use super::*;
use crate::testing::{Fixture, no_proposal, poll, restart};

fn invalid(field: &str) -> (PollReport, Decision) {
    let mut poll = poll();
    poll.observation.care = ProbeResult::Invalid(InvalidAnswer::OutOfRange);
    poll.out_of_range = Some(OutOfRange {
        field: field.to_owned(),
        value: "-1.0".to_owned(),
        expected: "a number from 0 to 1000".to_owned(),
    });
    let decision = Decision {
        lane: Lane::Invalid,
        reason: Reason::InvalidAnswer,
        evidence: Reason::InvalidAnswer,
        ..no_proposal()
    };
    (poll, decision)
}

fn record(fixture: &mut Fixture, poll: &PollReport, decision: &Decision) {
    let explain = || "Explained.".to_owned();
    fixture.recorder.decision(poll, decision, explain);
}

fn last(fixture: &Fixture) -> Value {
    fixture.journal().pop().unwrap()
}

#[test]
fn decision_without_proposal_is_recorded_when_it_changes() {
    let mut fixture = Fixture::new();
    for _ in 0..3 {
        record(&mut fixture, &poll(), &no_proposal());
    }
    assert_eq!(fixture.kinds(), ["decision"]);
    assert_eq!(last(&fixture)["observation"]["care"]["result"], "valid");
    let idle = Decision {
        reason: Reason::Starting,
        ..no_proposal()
    };
    record(&mut fixture, &poll(), &idle);
    assert_eq!(fixture.kinds(), ["decision", "decision"]);
    assert_eq!(last(&fixture)["explanation"], "Explained.");
}

#[test]
fn proposal_is_recorded_at_each_poll_with_observation_at_change() {
    let mut fixture = Fixture::new();
    for _ in 0..2 {
        record(&mut fixture, &poll(), &restart(true));
    }
    let journal = fixture.journal();
    assert_eq!(journal.len(), 2);
    assert!(journal[0]["observation"].is_object());
    assert!(journal[1]["observation"].is_null());
    let view = fixture.shared.view();
    assert_eq!(view.last_decision.as_deref(), Some("Explained."));
    assert!(view.last_remarkable.is_some());
}

#[test]
fn invalid_report_is_recorded_with_field_for_each_new_field() {
    let mut fixture = Fixture::new();
    for field in ["cpu_usage", "cpu_usage", "uptime"] {
        let (poll, decision) = invalid(field);
        record(&mut fixture, &poll, &decision);
    }
    let fields: Vec<Value> = fixture
        .journal()
        .iter()
        .map(|entry| entry["observation"]["care"]["field"].clone())
        .collect();
    assert_eq!(fields, ["cpu_usage", "uptime"]);
    assert_eq!(fixture.shared.view().app_status, None);
}

#[test]
fn decision_is_counted_in_metrics() {
    let mut fixture = Fixture::new();
    record(&mut fixture, &poll(), &no_proposal());
    let mut vetoes = Vetoes::default();
    vetoes.insert(Reason::Paused);
    vetoes.insert(Reason::Cooldown);
    let vetoed = Decision {
        action: Action::NoAction,
        verdict: Verdict::Vetoed,
        vetoes,
        probabilities: Some([0.1, 0.2, 0.7]),
        budget_remaining: 2,
        ..restart(false)
    };
    record(&mut fixture, &poll(), &vetoed);
    let metrics = &fixture.shared.metrics;
    let decisions = |labels: &[&str]| metrics.decisions.with_label_values(labels).get();
    assert_eq!(decisions(&["no_action", "no_proposal"]), 1);
    assert_eq!(decisions(&["restart_service", "vetoed"]), 1);
    assert_eq!(metrics.polls.with_label_values(&["reported"]).get(), 2);
    assert_eq!(metrics.vetoes.with_label_values(&["paused"]).get(), 1);
    assert_eq!(metrics.vetoes.with_label_values(&["cooldown"]).get(), 1);
    assert_eq!(metrics.poll_duration.get_sample_count(), 2);
    assert_eq!(metrics.budget.get(), 2);
    let restart_votes = metrics.probability.with_label_values(&["restart_service"]);
    assert!((restart_votes.get() - 0.7).abs() < 1e-9);
}

#[test]
fn impairment_is_measured_shown_and_recorded_while_it_is_known() {
    const SERIES: [&str; 4] = [
        "healing_impairment_ratio 0.75\n",
        "healing_app_goodput_requests_per_second 5\n",
        "healing_app_demand_requests_per_second 20\n",
        "healing_app_proven_capacity_requests_per_second 25\n",
    ];
    let mut fixture = Fixture::new();
    let shared = std::sync::Arc::clone(&fixture.shared);
    let known = Decision {
        impairment: Assessment {
            ratio: Some(0.75),
            goodput: Some(5.0),
            demand: Some(20.0),
            proven_capacity: Some(25.0),
            ..Assessment::default()
        },
        ..no_proposal()
    };
    let silent = Decision {
        lane: Lane::Stalled,
        ..known.clone()
    };
    for (decision, expected) in [(&known, true), (&silent, false), (&no_proposal(), false)] {
        record(&mut fixture, &poll(), &known);
        record(&mut fixture, &poll(), decision);
        let text = String::from_utf8(shared.metrics.text()).unwrap();
        for series in SERIES {
            assert_eq!(text.contains(series), expected, "{series} in\n{text}");
            let name = series.split(' ').next().unwrap();
            let absent = !text.contains(&format!("\n{name} "));
            assert_eq!(absent, !expected, "{name} in\n{text}");
        }
        let view = serde_json::to_value(shared.view().clone()).unwrap();
        let ratio = view["impairment"]["ratio"].as_f64();
        assert_eq!(ratio.is_some(), expected, "{view}");
    }
    let recorded = &fixture.journal()[0]["decision"]["impairment"];
    let figures = ["ratio", "goodput", "demand", "proven_capacity"];
    assert_eq!(
        figures.map(|figure| recorded[figure].as_f64().unwrap()),
        [0.75, 5.0, 20.0, 25.0]
    );
}

#[test]
fn vote_and_abstention_of_model_are_counted_and_shown() {
    let mut fixture = Fixture::new();
    let shared = std::sync::Arc::clone(&fixture.shared);
    let text = || String::from_utf8(shared.metrics.text()).unwrap();
    for reason in Abstention::ALL {
        let code = reason.as_str();
        let series = format!("healing_model_abstained_total{{reason=\"{code}\"}} 0");
        assert!(text().contains(&series), "{series} in\n{}", text());
    }
    record(&mut fixture, &poll(), &no_proposal());
    assert_eq!(shared.view().model, None, "the rules decide");

    let voted = ModelRecord {
        abstained: None,
        clamped: FeatureSet::of(&[Feature::MemoryUsage]),
        absent: FeatureSet::of(&[Feature::LoadRatio]),
    };
    for model in [voted, voted, ModelRecord::abstained(Abstention::NoReport)] {
        let decision = Decision {
            model: Some(model),
            ..no_proposal()
        };
        record(&mut fixture, &poll(), &decision);
    }
    for series in [
        "healing_model_votes_total 2",
        "healing_model_abstained_total{reason=\"no_report\"} 1",
        "healing_model_abstained_total{reason=\"absent_feature\"} 0",
        "healing_model_clamped_total{feature=\"memory_usage\"} 2",
        "healing_model_absent_total{feature=\"load_ratio\"} 2",
    ] {
        assert!(text().contains(series), "{series} in\n{}", text());
    }
    let view = serde_json::to_value(shared.view().clone()).unwrap();
    assert_eq!(view["model"]["voted"], 2);
    assert_eq!(view["model"]["last_abstention"]["reason"], "no_report");
}

#[test]
fn conclusion_is_recorded_as_outcome_before_the_decision() {
    let mut fixture = Fixture::new();
    let decision = Decision {
        concluded: Some(Conclusion {
            action: Action::RestartService,
            outcome: Outcome::Recovered,
            recovery: Duration::from_secs(4),
        }),
        ..no_proposal()
    };
    record(&mut fixture, &poll(), &decision);
    assert_eq!(fixture.kinds(), ["outcome", "decision"]);
    assert_eq!(fixture.journal()[0]["outcome"], "recovered");
    assert_eq!(fixture.journal()[0]["recovery_seconds"], 4.0);
    let metrics = &fixture.shared.metrics;
    let heals = metrics.heals.with_label_values(&["hard", "recovered"]);
    assert_eq!(heals.get(), 1);
    let recovery = metrics.recovery.with_label_values(&["hard"]);
    assert_eq!(recovery.get_sample_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn summary_counts_polls_of_one_minute() {
    let mut fixture = Fixture::new();
    for _ in 0..=12 {
        let mut decision = no_proposal();
        decision.impairment.ratio = Some(0.5);
        record(&mut fixture, &poll(), &decision);
        tokio::time::advance(Duration::from_secs(5)).await;
    }
    assert_eq!(fixture.kinds(), ["decision", "summary"]);
    let summary = last(&fixture);
    assert_eq!(summary["polls"], 13);
    assert_eq!(summary["no_proposal"], 13);
    assert_eq!(summary["vetoed"], 0);
    assert_eq!(summary["seconds"], 60.0);
    assert_eq!(summary["impairment"]["ratio"], 0.5);
}

#[test]
fn lost_entry_is_counted_and_shown() {
    let mut fixture = Fixture::new();
    fixture.break_state_dir();
    fixture.recorder.note("note", &1);
    assert_eq!(fixture.shared.metrics.journal_errors.get(), 1);
    assert_eq!(fixture.kinds(), ["note"]);
}

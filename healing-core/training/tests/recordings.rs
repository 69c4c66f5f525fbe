//! Replays of the recordings of real services: integrity of the data, and the least that the default policy
//! must decide rightly.
//!
//! `tests/data/recordings/README.md` describes the data.

#![cfg(feature = "recordings")]
#![allow(clippy::expect_used)] // a helper of tests

use std::sync::OnceLock;

use healing_core::config::PolicyConfig;
use healing_core::decision::Lane;
use healing_core::policy::{Policy, Proposer};
use healing_training::recordings::{
    Collection, Phase, Range, Run, Score, Wanted, figure_ranges, score, undelayed_policy,
};

/// Returns all runs, read once.
fn runs() -> &'static [Run] {
    static COLLECTION: OnceLock<Collection> = OnceLock::new();
    &COLLECTION
        .get_or_init(|| Collection::committed().expect("the recordings are readable"))
        .runs
}

fn scores() -> impl Iterator<Item = (usize, Score)> {
    Phase::ALL
        .into_iter()
        .map(|phase| score(runs(), phase, undelayed_policy))
        .enumerate()
}

/// Right replays of each phase, without random delays: raise them when the policy becomes better.
const LEAST_RIGHT: [usize; 5] = [140, 140, 142, 142, 141];

/// False restarts of each phase: lower them when the policy becomes better.
const MOST_FALSE_RESTARTS: [usize; 5] = [35, 34, 34, 33, 34];

#[test]
fn default_policy_decides_no_fewer_runs_rightly() {
    for (phase, score) in scores() {
        assert!(
            score.right >= LEAST_RIGHT[phase],
            "phase {phase}: {score:?}"
        );
    }
}

#[test]
fn default_policy_restarts_no_more_runs_falsely() {
    for (phase, score) in scores() {
        let most = MOST_FALSE_RESTARTS[phase];
        assert!(score.false_restarts <= most, "phase {phase}: {score:?}");
    }
}

/// Services that no model was trained on: idle, small, saturated. Checks and windows are not recorded.
#[test]
fn default_model_votes_at_each_poll_with_a_report() {
    let (mut votes, mut clamped, mut absent) = (0, 0, 0);
    for Run { recording, .. } in runs() {
        let config = PolicyConfig::default();
        let mut policy = Policy::new(config, Proposer::default_model(), 0);
        for poll in recording.polls(Phase::ALL[0]) {
            let decision = policy.step(poll.now, &poll.observation);
            let record = decision.model.unwrap();
            let name = &recording.case.name;
            let reported = decision.lane == Lane::Reported;
            assert_eq!(record.abstained.is_none(), reported, "{name}: {record}");
            votes += usize::from(reported);
            clamped += usize::from(!record.clamped.is_empty());
            absent += usize::from(!record.absent.is_empty());
        }
    }
    let counts =
        format!("{votes} votes, {clamped} with clamped figures, {absent} with absent ones");
    assert!(votes > 8000 && clamped > 8000 && absent > 3000, "{counts}");
}

#[test]
fn collection_is_complete() {
    let count = |archive: &str| {
        let of_archive = |run: &&Run| run.recording.archive == archive;
        runs().iter().filter(of_archive).count()
    };
    assert_eq!((count("recordings"), count("transports")), (51, 187));
    for (wanted, expected) in [
        (Wanted::Restart, 107),
        (Wanted::Nothing, 105),
        (Wanted::Hold, 22),
        (Wanted::SoftHeal, 2),
        (Wanted::OneRestart, 2),
    ] {
        let found = runs().iter().filter(|run| run.expected.wanted == wanted);
        assert_eq!(found.count(), expected, "{wanted}");
    }
    let samples: usize = runs().iter().map(|run| run.recording.samples.len()).sum();
    assert_eq!(samples, 48_855);
}

#[test]
fn recorded_answers_are_rebuilt_completely() {
    let mut ages = 0;
    for Run { recording, .. } in runs() {
        let name = &recording.case.name;
        for sample in &recording.samples {
            let Some(health) = sample.health() else {
                assert_eq!(name, "x2-stop-8s", "{} s", sample.seconds);
                continue;
            };
            let latency = health.latency.as_ref().unwrap();
            assert_eq!(latency.bounds_seconds.len(), 41, "{name}");
            assert!(
                health.vitals.is_some() && health.runtime.is_some(),
                "{name}"
            );
            assert!(
                health.windows.is_empty() && health.checks.is_empty(),
                "{name}"
            );
        }
        ages += recording
            .samples
            .iter()
            .filter(|sample| {
                let health = sample.health();
                health.is_some_and(|health| health.oldest_in_flight_seconds.is_some())
            })
            .count();
    }
    assert_eq!(ages, 28_325, "answers with the renamed field");
}

#[test]
fn polls_are_five_seconds_apart() {
    for Run { recording, .. } in runs() {
        for phase in Phase::ALL {
            let seconds: Vec<f64> = recording
                .polls(phase)
                .map(|poll| poll.sample.seconds)
                .collect();
            for pair in seconds.windows(2) {
                let interval = pair[1] - pair[0];
                let name = &recording.case.name;
                assert!((4.0..6.0).contains(&interval), "{name}: {interval} s");
            }
        }
    }
}

#[test]
fn ranges_equal_the_committed_table() {
    let mut table = format!("{}\n", Range::HEAD);
    for range in figure_ranges(runs().iter().map(|run| &run.recording)) {
        table += &format!("{range}\n");
    }
    assert_eq!(
        table,
        include_str!("data/recordings/ranges.txt"),
        "`recordings --ranges` prints the table"
    );
}

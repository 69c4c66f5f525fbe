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
    Class, Collection, Detail, Phase, Range, Run, Score, Wanted, class, figure_ranges, replay,
    score, undelayed_policy,
};

/// Returns all runs, read once.
fn runs() -> &'static [Run] {
    static COLLECTION: OnceLock<Collection> = OnceLock::new();
    &COLLECTION
        .get_or_init(|| Collection::committed().expect("the recordings are readable"))
        .runs
}

fn scores(detail: Detail) -> impl Iterator<Item = (usize, Score)> {
    Phase::ALL
        .into_iter()
        .map(move |phase| score(runs(), phase, detail, |_| undelayed_policy()))
        .enumerate()
}

/// Right replays that each phase needs, of 238, without random delays.
const LEAST_RIGHT: usize = 226;

/// Runs that may be restarted falsely, with the reason: what a sidecar can know of them does not tell.
const MAY_BE_RESTARTED: [(&str, &str); 2] = [
    (
        "kas10_y08",
        "a standing queue of ten requests, where requests have become 400 times dearer",
    ),
    (
        "u-sse",
        "answers of schema 1 do not count heads, so that clients who leave a stream look like failures",
    ),
];

#[test]
fn default_policy_decides_the_required_number_of_runs_rightly() {
    for (phase, score) in scores(Detail::Recorded) {
        assert!(score.right >= LEAST_RIGHT, "phase {phase}: {score:?}");
    }
}

#[test]
fn default_policy_restarts_no_loaded_app() {
    for phase in Phase::ALL {
        for run in runs() {
            let name = run.recording.case.name.as_str();
            let replay = replay(undelayed_policy(), &run.recording, phase, Detail::Recorded);
            let found = class(run.expected.wanted, &replay);
            let known = MAY_BE_RESTARTED.iter().any(|(run, _)| *run == name);
            assert!(found != Class::FalseRestart || known, "{name}: {replay}");
        }
    }
}

/// Right replays of each phase where an app of schema 1 is polled and its sockets cannot be read.
const LEAST_RIGHT_OF_SCHEMA_ONE: usize = 210;

#[test]
fn policy_degrades_where_figures_are_absent() {
    for (phase, score) in scores(Detail::SchemaOne) {
        let least = LEAST_RIGHT_OF_SCHEMA_ONE;
        assert!(score.right >= least, "phase {phase}: {score:?}");
    }
}

/// Services that no model was trained on: idle, small, saturated. Checks and windows are not recorded.
#[test]
fn default_model_votes_at_each_poll_with_a_report() {
    let (mut votes, mut clamped, mut absent) = (0, 0, 0);
    for Run { recording, .. } in runs() {
        let config = PolicyConfig::default();
        let mut policy = Policy::new(config, Proposer::default_model(), 0);
        for poll in recording.polls(Phase::ALL[0], Detail::Recorded) {
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
                .polls(phase, Detail::Recorded)
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

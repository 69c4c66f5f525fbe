//! Recorded runs that are rebuilt in the simulator: the committed table, and the runs that must be close.

#![cfg(feature = "recordings")]
#![allow(clippy::expect_used)] // a helper of tests

use std::sync::OnceLock;

use healing_training::recordings::{Collection, Run, compare, comparison_table};

/// Runs of each kind whose figures are within their tolerances: begun and good requests within 20 %, the
/// shares of late probes, throttled periods and time in run queues within 0.1, before and with the fault.
const CLOSE: [(&str, &[&str]); 11] = [
    (
        "saturation",
        &[
            "recordings/a-mix-patient",
            "recordings/a2-work-patient",
            "recordings/b-mix-2s",
            "recordings/c-mix-closed40",
            "recordings/a4-lock-saturated",
        ],
    ),
    (
        "convoy",
        &["recordings/k-convoy", "recordings/k2-convoy-2s"],
    ),
    (
        "queue",
        &["recordings/l-queue", "recordings/sp-pool-patient"],
    ),
    ("shedding", &["recordings/d-shed"]),
    ("starvation", &["recordings/e2-starved", "recordings/f-job"]),
    (
        "leaving clients",
        &["recordings/m-leave", "recordings/m2-leave-retry"],
    ),
    (
        "low traffic",
        &["recordings/i-low-ok", "recordings/p-low-fail"],
    ),
    (
        "lost capacity",
        &[
            "recordings/n-wedge",
            "recordings/g-mixchange",
            "recordings/t-spin",
        ],
    ),
    (
        "keep-alive pool",
        &[
            "transports/kas10_slow",
            "transports/kas10_pool3",
            "transports/kas10_front",
            "transports/kas10_leave",
            "transports/ka10_pool15",
        ],
    ),
    (
        "HAProxy",
        &[
            "transports/ha_slow",
            "transports/ha_leave",
            "transports/ha_sat2s-mix",
        ],
    ),
    ("nginx", &["transports/ng_pool3", "transports/ng_shed"]),
];

/// Returns all runs, read once.
fn runs() -> &'static [Run] {
    static COLLECTION: OnceLock<Collection> = OnceLock::new();
    &COLLECTION
        .get_or_init(|| Collection::committed().expect("the recordings are readable"))
        .runs
}

#[test]
fn rebuilt_runs_are_close_to_their_recordings() {
    for (kind, names) in CLOSE {
        for name in names {
            let run = runs().iter().find(|run| {
                let recording = &run.recording;
                *name == format!("{}/{}", recording.archive, recording.case.name)
            });
            let recording = &run.expect("the run is recorded").recording;
            let comparison = compare(recording).expect("the run can be rebuilt");
            assert!(comparison.is_close(), "{kind}:\n{comparison}");
        }
    }
}

#[test]
fn comparisons_equal_the_committed_table() {
    let table = comparison_table(runs().iter().map(|run| &run.recording));
    assert_eq!(
        table,
        include_str!("data/recordings/rebuilt.txt"),
        "`recordings --rebuilt --write` replaces the table"
    );
}

//! Scenario scripts. Each `*.scenario` describes the faults of an app in a small language (see `script`),
//! and the `*.log` next to it is the log of the policy's decisions.
//!
//! `UPDATE_EXPECT=1 cargo test -p healing-core --test scenarios` rewrites the logs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod diff;
mod log;
mod run;
mod script;
mod values;
#[path = "../support/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use healing_core::decision::Reason;

use crate::run::Run;
use crate::script::Script;

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "scenario"))
        .collect();
    paths.sort();
    paths
}

fn runs(path: &Path) -> Result<Vec<Run>, String> {
    let text = std::fs::read_to_string(path).unwrap();
    let script = Script::parse(&text).map_err(|error| error.to_string())?;
    Ok(script.cases.iter().map(run::run).collect())
}

#[test]
fn decision_logs_match_their_scenarios() {
    let mut failures = String::new();
    for path in scenarios() {
        let name = path.file_stem().unwrap().to_string_lossy();
        let runs = match runs(&path) {
            Ok(runs) => runs,
            Err(error) => {
                failures += &format!("{name}.scenario: {error}\n");
                continue;
            }
        };
        for mismatch in runs.iter().flat_map(|run| &run.mismatches) {
            failures += &format!("{name}.scenario: {mismatch}\n");
        }
        let log: String = runs.into_iter().map(|run| run.log).collect();
        let expected_path = path.with_extension("log");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&expected_path, &log).unwrap();
        }
        let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
        if log != expected {
            failures += &format!("{name}.log:\n{}", diff::diff(&expected, &log));
        }
    }
    assert!(
        failures.is_empty(),
        "\n{failures}\nUPDATE_EXPECT=1 accepts the new logs"
    );
}

/// Reasons that need evidence for a restart without evidence for a soft heal, which no scenario simulates.
const UNREACHED: [Reason; 1] = [Reason::NeverAvailable];

#[test]
fn scenarios_reach_every_reason_code() {
    let mut reached = BTreeSet::new();
    let paths = scenarios();
    for path in &paths {
        for run in runs(path).unwrap() {
            reached.extend(run.reasons);
        }
    }
    let missing: Vec<_> = Reason::ALL
        .into_iter()
        .filter(|reason| !reached.contains(reason) && !UNREACHED.contains(reason))
        .collect();
    assert_eq!(missing, [], "reason codes that no scenario reaches");
    assert!(paths.len() >= 20, "{} scenarios", paths.len());
}

#[test]
fn scenarios_and_logs_come_in_pairs() {
    for path in scenarios() {
        assert!(path.with_extension("log").exists(), "{}", path.display());
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "log") {
            let script = path.with_extension("scenario");
            assert!(script.exists(), "{} has no script", path.display());
        }
    }
}

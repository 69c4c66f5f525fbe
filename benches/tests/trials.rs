//! Tests of `cargo trials` with stub deciders that must be judged wrong, one harmful and one passive.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

use serde_json::Value;

const TRIALS: &str = env!("CARGO_BIN_EXE_trials");

/// Runs one case with a stub in place of the doctor, and returns its row.
fn row(case: &str, decider: &str) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let json = directory.path().join("row.json");
    let output = Command::new(TRIALS)
        .args(["--only", case, "--decider", decider])
        .args(["--time-scale", "8", "--first-transport", "--json"])
        .arg(&json)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap()
}

fn wrong(row: &Value) -> String {
    row["runs"][0]["judgement"]["wrong"].to_string()
}

#[test]
#[ignore = "takes 40 s of real processes; the step `trials` of .ci/run includes it"]
fn decider_that_restarts_at_80_percent_cpu_is_reported_as_wrong() {
    let row = row("saturation-200-closed", "restart-at-cpu");
    if wrong(&row).contains("this machine lacks") {
        eprintln!("skipped: {}", wrong(&row));
        return;
    }
    assert_eq!(row["right"], false, "{row:#}");
    let restarts = &row["runs"][0]["judgement"]["false_restarts"];
    assert!(restarts.as_u64().unwrap() >= 1, "{row:#}");
    assert!(wrong(&row).contains("restart(s), should be at most 0"));
}

#[test]
#[ignore = "takes 30 s of real processes; the step `trials` of .ci/run includes it"]
fn decider_that_never_acts_is_reported_as_wrong() {
    let row = row("all-workers-blocked", "never");
    assert_eq!(row["right"], false, "{row:#}");
    let wrong = wrong(&row);
    assert!(
        wrong.contains("0 restart(s), should be at least 1"),
        "{row:#}"
    );
    assert!(wrong.contains("not served at the end"), "{row:#}");
    assert_eq!(row["runs"][0]["judgement"]["false_restarts"], 0);
}

#[test]
fn list_names_each_case_with_its_right_treatment() {
    let output = Command::new(TRIALS).arg("--list").output().unwrap();
    let list = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(list.lines().count() >= 25, "{list}");
    assert!(list.lines().all(|line| line.contains("Right: ")), "{list}");
}

#[test]
fn unknown_case_is_wrong_usage() {
    let output = Command::new(TRIALS)
        .args(["--only", "no-such-case"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

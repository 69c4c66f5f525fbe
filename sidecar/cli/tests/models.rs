//! The model commands `train`, `evaluate` and `explain` on files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

const ORIGINAL_FIVE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../healing-core/models/original-five.model"
);

fn healing(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_healing"))
        .current_dir(dir)
        .args(args)
        .output()
        .unwrap()
}

/// Returns exit code, stdout and stderr.
fn code_and_output(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Returns 300 rows as time, error ratio, lag and label. Error ratio and lag determine the label.
fn rows() -> impl Iterator<Item = (f64, f64, f64, &'static str)> {
    (0..300_u32).map(|row| {
        let mixed = f64::from(row * 7919 % 300) / 300.0;
        let (errors, lag, label) = match row % 3 {
            0 => (0.05 * mixed, 0.01, "no_action"),
            1 => (0.2 + 0.5 * mixed, 0.01, "reset_errors"),
            _ => (0.05 * mixed, 0.5 + mixed, "restart_service"),
        };
        (f64::from(row), errors, lag, label)
    })
}

fn write_csv(dir: &Path) {
    let mut csv = "time,group,error_ratio_fast,runtime_lag,label\n".to_owned();
    for (time, errors, lag, label) in rows() {
        let group = (time / 10.0).floor();
        writeln!(csv, "{time},incident {group},{errors},{lag},{label}").unwrap();
    }
    std::fs::write(dir.join("data.csv"), csv).unwrap();
}

fn write_jsonl(dir: &Path) {
    let mut lines = String::new();
    for (time, errors, lag, label) in rows() {
        // Columns in another order, and one that the model does not use.
        writeln!(
            lines,
            r#"{{"time":{time},"label":"{label}","runtime_lag":{lag},"cpu_usage":7,"error_ratio_fast":{errors}}}"#
        )
        .unwrap();
    }
    std::fs::write(dir.join("data.jsonl"), lines).unwrap();
}

#[test]
fn trained_model_is_evaluated_and_explained() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write_csv(dir);
    write_jsonl(dir);
    let train = ["train", "--data", "data.csv", "--out", "one.model"];
    let (code, out, err) = code_and_output(&healing(dir, &train));
    assert_eq!(code, Some(0), "{err}");
    for part in [
        "on 60 rows",
        "confusion",
        "precision",
        "calibration",
        "importances",
    ] {
        assert!(out.contains(part), "no {part}: {out}");
    }
    let again = ["train", "--data", "data.csv", "--out", "two.model"];
    assert_eq!(code_and_output(&healing(dir, &again)).0, Some(0));
    let bytes = |name: &str| std::fs::read(dir.join(name)).unwrap();
    assert!(
        bytes("one.model") == bytes("two.model"),
        "the same data and seed, the same bytes"
    );

    for data in ["data.csv", "data.jsonl"] {
        let (code, out, err) = code_and_output(&healing(dir, &["evaluate", "one.model", data]));
        assert_eq!(code, Some(0), "{err}");
        assert!(out.contains("on 300 rows"), "{out}");
    }
    let json = code_and_output(&healing(
        dir,
        &["evaluate", "one.model", "data.csv", "--json"],
    ))
    .1;
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(report["accuracy"].as_f64().unwrap() >= 0.98, "{report}");

    let figures = r#"{"error_ratio_fast": 0.01, "runtime_lag": 0.9}"#;
    for args in [
        &["explain", "one.model", figures][..],
        &["explain", "one.model", "--data", "data.jsonl", "--row", "3"][..],
    ] {
        let (code, out, err) = code_and_output(&healing(dir, args));
        assert_eq!(code, Some(0), "{err}");
        let sentence = out.lines().next().unwrap();
        assert!(
            sentence.contains("of the trees vote for restart_service"),
            "{sentence}"
        );
        assert!(sentence.contains("for: runtime_lag"), "{sentence}");
        assert!(out.contains("vote share"), "{out}");
        assert!(!out.contains("absent") && !out.contains("clamped"), "{out}");
    }
}

#[test]
fn explanation_names_clamped_and_absent_features() {
    let dir = tempfile::tempdir().unwrap();
    let figures = r#"{"cpu_usage": 100, "error_count": 2, "uptime": 60, "hour_of_day": 3}"#;
    let args = ["explain", ORIGINAL_FIVE, figures];
    let (code, out, err) = code_and_output(&healing(dir.path(), &args));
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("cpu_usage: clamped"), "{out}");
    assert!(out.contains("memory_usage: absent"), "{out}");
}

#[test]
fn model_command_errors_name_the_problem_and_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write_csv(dir);
    assert_eq!(
        code_and_output(&healing(dir, &["train", "--data", "data.csv"])).0,
        Some(0)
    );
    std::fs::write(
        dir.join("bad.csv"),
        "runtime_lag,label\n0.1,no_action\n?,no_action\n",
    )
    .unwrap();
    std::fs::write(dir.join("empty.csv"), "runtime_lag,label\n").unwrap();
    std::fs::write(
        dir.join("one.csv"),
        "runtime_lag,label\n0.1,no_action\n0.2,no_action\n",
    )
    .unwrap();
    let model = "healing.model";
    let cases: [(&[&str], i32, &str); 9] = [
        (
            &["train", "--data", "none.csv"],
            1,
            "none.csv: No such file",
        ),
        (
            &["train", "--data", "bad.csv"],
            1,
            "bad.csv: line 3, field 1 (`runtime_lag`): `?`",
        ),
        (
            &["train", "--data", "empty.csv"],
            1,
            "empty.csv: there are no rows",
        ),
        (&["train", "--data", "one.csv"], 1, "labelled no_action"),
        (
            &["evaluate", model, "one.csv"],
            1,
            "no column `error_ratio_fast`",
        ),
        (
            &["explain", model, "--data", "data.csv", "--row", "301"],
            1,
            "not one of 1 to 300",
        ),
        (
            &["explain", ORIGINAL_FIVE, r#"{"cpu_usage": 1}"#],
            1,
            "uptime is not known, and no value of it is neutral",
        ),
        (&["explain", model, "{"], 2, "EOF"),
        (
            &["train", "--data", "data.csv", "--synthetic"],
            2,
            "cannot be used with",
        ),
    ];
    for (args, expected, message) in cases {
        let (code, _, err) = code_and_output(&healing(dir, args));
        assert_eq!(code, Some(expected), "{args:?}: {err}");
        assert!(err.contains(message), "{args:?}: {err}");
    }
}

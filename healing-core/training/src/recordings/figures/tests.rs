use super::*;
use crate::recordings::RecordedCase;

/// Returns the figures of a recording of 11 s: the first and the last line as given, the others equal to
/// the first.
fn figures_of(first: &str, last: &str) -> Vec<Figure> {
    let case = br#"{"name": "x", "base": 1, "phases": [], "timeout": 1, "faults": []}"#;
    let lines: String = (0..=WINDOW)
        .map(|t| {
            let rest = if t == WINDOW { last } else { first };
            let rest = rest.replace('\n', " ");
            format!("{{\"t\": {t}, \"care\": 200, \"care_s\": 0.0, {rest}}}\n")
        })
        .collect();
    let recording = Recording::parse(
        "a",
        RecordedCase::parse(case).unwrap(),
        "a/x/rec.jsonl",
        &lines,
    )
    .unwrap();
    figures(&recording).next().unwrap_or_default()
}

fn value(figures: &[Figure], name: &str) -> Option<f64> {
    let figure = figures.iter().find(|figure| figure.name == name);
    figure.unwrap().value
}

#[test]
fn traffic_is_counted_over_the_window() {
    let figures = figures_of(
        r#""h": {"requests_total": 100, "errors_total": 0, "cancelled_total": 0, "in_flight": 10,
           "latency": {"bounds_seconds": [0.1, 1.0], "counts": [100, 0, 0]}}"#,
        r#""h": {"requests_total": 200, "errors_total": 20, "cancelled_total": 30, "in_flight": 40,
           "latency": {"counts": [140, 59, 1]}}"#,
    );
    for (name, expected) in [
        ("ended_per_second", Some(10.0)),
        ("begun_per_second", Some(13.0)),
        ("good_per_second", Some(5.0)),
        ("error_share", Some(0.2)),
        ("cancelled_share", Some(0.3)),
        ("panic_share", None),
        ("p50_seconds", Some(1.0)),
        ("p99_seconds", Some(1.0)),
        ("throttled_share", None),
    ] {
        assert_eq!(value(&figures, name), expected, "{name}");
    }
}

#[test]
fn scheduling_is_counted_over_the_window() {
    let figures = figures_of(
        r#""h": {}, "sched": [1.0, 1.0], "top": {"1": 1.0, "2": 5.0},
           "cpustat": {"nr_periods": 0, "nr_throttled": 0, "throttled_time": 0}"#,
        r#""h": {}, "sched": [6.0, 16.0], "top": {"1": 5.0, "2": 6.0, "3": 9.0},
           "cpustat": {"nr_periods": 100, "nr_throttled": 25, "throttled_time": 1}"#,
    );
    for (name, expected) in [
        ("cpu_cores", 0.5),
        ("busiest_thread_cores", 0.4),
        ("run_queue_wait_per_second", 1.5),
        ("run_queue_wait_share", 0.75),
        ("throttled_share", 0.25),
    ] {
        assert_eq!(value(&figures, name), Some(expected), "{name}");
    }
}

#[test]
fn front_door_seconds_are_those_of_answers() {
    let answered = figures_of(r#""h": {}"#, r#""h": {}, "front": [1, 200, 0.5]"#);
    assert_eq!(value(&answered, "front_door_seconds"), Some(0.5));
    let timed_out = figures_of(
        r#""h": {}, "front": [1, 200, 0.5]"#,
        r#""h": {}, "front": [1, "timeout", 2.0]"#,
    );
    assert_eq!(value(&timed_out, "front_door_seconds"), None);
    assert_eq!(
        value(&timed_out, "front_door_timeout_share"),
        Some(1.0 / 11.0)
    );
}

#[test]
fn window_across_a_restart_has_no_figures() {
    let figures = figures_of(
        r#""h": {"instance_id": "a"}"#,
        r#""h": {"instance_id": "b"}"#,
    );
    assert_eq!(figures, []);
}

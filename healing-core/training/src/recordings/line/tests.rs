use super::*;

fn parse_line(text: &str) -> Result<RecordedSample, RecordingErrorKind> {
    parse(text, &mut HealthRebuilder::default())
}

const HEAD: &str = r#""t": 3.0, "care": 200, "care_s": 0.25, "h": {"uptime": 9.0}"#;

#[test]
fn line_is_parsed_completely() {
    let text = format!(
        r#"{{{HEAD}, "front": [2.0, 200, 0.5], "sched": [1.5, 0.25], "top": {{"7": 0.5}},
        "sock": [1, 2, 3, 4, 5, 60, 7],
        "cpustat": {{"nr_periods": 10, "nr_throttled": 4, "throttled_time": 1500000000, "nr_bursts": 0}},
        "counts": [9, 5, 1, 2]}}"#
    );
    let sample = parse_line(&text).unwrap();
    assert_eq!(
        (sample.seconds, sample.health().unwrap().uptime),
        (3.0, 9.0)
    );
    let half = Duration::from_millis(500);
    assert_eq!(sample.front_door_result(), ProbeResult::Valid((), half));
    assert_eq!(sample.front_door.unwrap().asked_seconds, 2.0);
    let scheduler = sample.scheduler.unwrap();
    assert_eq!((scheduler.cpu_seconds, scheduler.wait_seconds), (1.5, 0.25));
    assert_eq!(sample.busiest_threads, BTreeMap::from([(7, 0.5)]));
    let sockets = sample.sockets.unwrap();
    assert_eq!(
        (sockets.backlog, sockets.unread_bytes, sockets.stuck),
        (1, Some(60), Some(7))
    );
    let counts = sample.app_counts.unwrap();
    assert_eq!((counts.begun, counts.answered), (9, 5));
    assert_eq!((counts.answered_errors, counts.cancelled), (1, 2));
    let cpu = sample.cgroup_cpu.unwrap();
    assert_eq!(
        (cpu.periods, cpu.throttled_periods, cpu.throttled_seconds),
        (10, 4, 1.5)
    );
}

#[test]
fn missing_parts_are_absent() {
    let sample = parse_line(&format!(r#"{{{HEAD}, "front": null, "sock": null}}"#)).unwrap();
    assert_eq!(sample.front_door_result(), ProbeResult::NotProbed);
    assert_eq!(
        (sample.sockets, sample.scheduler, sample.cgroup_cpu),
        (None, None, None)
    );
}

#[test]
fn probe_results_follow_outcome_and_limit() {
    for (front, expected) in [
        (r#"[1, "timeout", 2.0]"#, ProbeResult::TimedOut),
        (r#"[1, 200, 2.4]"#, ProbeResult::TimedOut),
        (r#"[1, "refused", 0.0]"#, ProbeResult::Refused),
        (
            r#"[1, 503, 0.1]"#,
            ProbeResult::Invalid(InvalidAnswer::Status(503)),
        ),
        (
            r#"[1, "ConnectionResetError", 0.1]"#,
            ProbeResult::Invalid(InvalidAnswer::Transport),
        ),
    ] {
        let sample = parse_line(&format!(r#"{{{HEAD}, "front": {front}}}"#)).unwrap();
        assert_eq!(sample.front_door_result(), expected, "{front}");
    }
    let sample = parse_line(r#"{"t": 1, "care": "timeout", "care_s": 1.0, "h": null}"#).unwrap();
    assert_eq!(sample.care, ProbeResult::TimedOut);
}

#[test]
fn malformed_lines_name_the_expected_form() {
    for (text, part) in [
        ("{", "expected an object"),
        (r#"{"t": 1}"#, "missing field `care`"),
        (
            r#"{"t": -1, "care": 200, "care_s": 0, "h": {}}"#,
            "seconds from 0",
        ),
        (r#"{"t": 1, "care": 200, "care_s": 0}"#, "`h` of a response"),
        (r#"{"t": 1, "care": "lost", "care_s": 0}"#, "`timeout`"),
        (&format!(r#"{{{HEAD}, "sock": [1, 2]}}"#), "5 or 7"),
        (
            &format!(r#"{{{HEAD}, "sock": [1, 2, 3, 4, 5, 6]}}"#),
            "5 or 7",
        ),
        (
            &format!(r#"{{{HEAD}, "extra": 1}}"#),
            "unknown field `extra`",
        ),
    ] {
        let error = parse_line(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

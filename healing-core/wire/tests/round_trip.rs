//! Tests of both schemas with minimal and complete responses, and those of a newer writer.

#![allow(clippy::unwrap_used)]

use healing_wire::heal::{HealAction, HealError, HealRequest, HealResponse, HookOutcome};
use healing_wire::health::{
    CheckKind, CheckReport, CheckState, Health, HookReport, Latency, RouteReport, Runtime, SCHEMA,
    Source, Status, Totals, Vitals, WindowStats,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Returns a response with every field present and distinct from its default.
fn complete_health() -> Health {
    Health {
        status: Status::Degraded,
        cpu_usage: Some(12.5),
        memory_usage: Some(40.25),
        error_count: 7,
        uptime: 3600.5,
        schema: Some(SCHEMA),
        app: Some("orders".into()),
        version: Some("1.4.2".into()),
        instance_id: Some("6f1c".into()),
        pid: Some(1),
        hour_of_day: Some(23),
        started: Some(true),
        starting: true,
        draining: true,
        condemned: true,
        totals: Totals {
            requests_total: Some(1000),
            errors_total: Some(7),
            panics_total: Some(2),
            cancelled_total: Some(3),
            body_errors_total: Some(1),
            answered_total: Some(998),
            answered_errors_total: Some(6),
            cancelled_before_head_total: Some(2),
        },
        in_flight: Some(4),
        waiting: Some(3),
        peak_goodput: Some(27.5),
        routes: vec![RouteReport {
            method: "GET".into(),
            route: "/orders/{id}".into(),
            begun_total: 900,
            answered_total: 899,
            errors_total: 5,
        }],
        oldest_in_flight_seconds: Some(0.75),
        latency: Some(Latency {
            bounds_seconds: vec![0.1, 1.0],
            counts: vec![990, 9, 1],
        }),
        windows: vec![WindowStats {
            seconds: 10.0,
            request_rate: 25.0,
            error_ratio: Some(0.5),
            panic_ratio: Some(0.25),
            p50_seconds: Some(0.02),
            p99_seconds: Some(0.5),
            in_flight_peak: Some(9),
        }],
        vitals: Some(Vitals {
            cpu_source: Some(Source::Cgroup),
            cpu_seconds_total: Some(120.5),
            cpu_limit_cores: Some(0.5),
            cpu_throttled_seconds_total: Some(1.5),
            cpu_periods_total: Some(600),
            cpu_throttled_periods_total: Some(15),
            run_queue_wait_seconds_total: Some(2.25),
            busiest_thread_cpu_seconds_total: Some(90.5),
            memory_source: Some(Source::Machine),
            memory_working_set_bytes: Some(1 << 26),
            memory_limit_bytes: Some(1 << 28),
            open_fds: Some(40),
            max_fds: Some(1024),
            threads: Some(6),
        }),
        runtime: Some(Runtime {
            tick_age_seconds: 0.25,
            lag_seconds: 0.125,
            stalled: true,
            workers: Some(4),
        }),
        checks: vec![
            CheckReport {
                name: "database".into(),
                kind: CheckKind::Dependency,
                optional: false,
                state: CheckState::Failing,
                age_seconds: Some(2.5),
                error: Some("timed out after 2s".into()),
            },
            CheckReport {
                name: "pool".into(),
                kind: CheckKind::Local,
                optional: false,
                state: CheckState::Unknown,
                age_seconds: None,
                error: None,
            },
        ],
        hooks: vec![HookReport {
            name: "drop the cache".into(),
            runs_total: 3,
            failures_total: 1,
        }],
    }
}

fn round_trip<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

#[test]
fn health_of_original_five_fields_parses() {
    let health: Health = serde_json::from_str(
        r#"{"status":"critical","cpu_usage":10.5,"memory_usage":20,"error_count":11,"uptime":7}"#,
    )
    .unwrap();
    let expected = Health {
        status: Status::Critical,
        cpu_usage: Some(10.5),
        memory_usage: Some(20.0),
        error_count: 11,
        uptime: 7.0,
        ..Health::default()
    };
    assert_eq!(health, expected);
    assert_eq!(health.totals, Totals::default(), "absent is not zero");
}

#[test]
fn health_requires_status_alone() {
    let health: Health = serde_json::from_str(r#"{"status":"healthy"}"#).unwrap();
    assert_eq!(health, Health::default());
    assert!(serde_json::from_str::<Health>(r#"{"error_count":3}"#).is_err());
}

#[test]
fn health_null_is_read_as_absent() {
    let health: Health = serde_json::from_str(
        r#"{"status":"healthy","cpu_usage":null,"requests_total":null,"vitals":null}"#,
    )
    .unwrap();
    assert_eq!(health, Health::default());
}

#[test]
fn health_absent_values_are_omitted() {
    let written = serde_json::to_value(Health::default()).unwrap();
    let expected = json!({
        "status": "healthy",
        "error_count": 0,
        "uptime": 0.0,
        "draining": false,
        "condemned": false,
    });
    assert_eq!(written, expected);
}

#[test]
fn health_with_every_field_round_trips() {
    let health = complete_health();
    assert_eq!(round_trip(&health), health);
    assert_eq!(round_trip(&Health::default()), Health::default());
}

#[test]
fn health_totals_are_fields_of_the_same_object() {
    let written = serde_json::to_value(complete_health()).unwrap();
    assert_eq!(written["requests_total"], 1000);
    assert_eq!(written["body_errors_total"], 1);
    assert_eq!(written.get("totals"), None);
}

/// Adds an unknown field to every object.
fn add_unknown_fields(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(add_unknown_fields);
            fields.insert("of_a_newer_schema".into(), json!({"nested": [1, null]}));
        }
        Value::Array(items) => items.iter_mut().for_each(add_unknown_fields),
        _ => {}
    }
}

#[test]
fn health_unknown_fields_are_ignored() {
    let mut written = serde_json::to_value(complete_health()).unwrap();
    add_unknown_fields(&mut written);
    written["schema"] = json!(SCHEMA + 1);
    let read: Health = serde_json::from_value(written).unwrap();
    let expected = Health {
        schema: Some(SCHEMA + 1),
        ..complete_health()
    };
    assert_eq!(read, expected);
}

#[test]
fn heal_actions_round_trip_by_their_names() {
    for action in HealAction::ALL {
        let request = HealRequest { action };
        let written = serde_json::to_value(&request).unwrap();
        assert_eq!(written, json!({"action": action.as_str()}));
        assert_eq!(round_trip(&request), request);
    }
    assert!(serde_json::from_str::<HealRequest>(r#"{"action":"reboot"}"#).is_err());
}

#[test]
fn heal_responses_round_trip() {
    let response = HealResponse {
        action: HealAction::ResetErrors,
        message: "1 of 2 hooks succeeded".into(),
        previous_error_count: 11,
        current_status: Status::Healthy,
        hooks: vec![
            HookOutcome {
                name: "drop the cache".into(),
                ok: true,
                seconds: 0.25,
                error: None,
            },
            HookOutcome {
                name: "rebuild the pool".into(),
                ok: false,
                seconds: 5.0,
                error: Some("timed out after 5s".into()),
            },
        ],
    };
    assert_eq!(round_trip(&response), response);
    let error = HealError {
        error: "forbidden".into(),
        message: "not allowed: the peer is not loopback".into(),
    };
    assert_eq!(round_trip(&error), error);
}

#[test]
fn heal_response_without_hooks_parses() {
    let response: HealResponse = serde_json::from_str(
        r#"{"action":"drain","message":"","previous_error_count":0,"current_status":"healthy","new":1}"#,
    )
    .unwrap();
    assert!(response.hooks.is_empty());
}

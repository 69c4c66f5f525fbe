//! Health reports and sockets with arbitrary numbers.

use healing_core::health::{
    CheckKind, CheckReport, CheckState, Health, Latency, RouteReport, Runtime, Totals, Vitals,
};
use healing_core::observation::PortSockets;
use proptest::prelude::*;

/// Returns health reports with arbitrary numbers.
pub(super) fn arbitrary_health() -> impl Strategy<Value = Health> {
    let count = || prop_oneof![Just(0), Just(u64::MAX), any::<u64>()];
    let figure = || {
        prop_oneof![
            Just(f64::NAN),
            Just(f64::INFINITY),
            Just(-1e300),
            any::<f64>()
        ]
    };
    let counts = prop::collection::vec(count(), 0..60);
    let bounds = prop::collection::vec(figure(), 0..60);
    let checks = prop::collection::vec((any::<bool>(), any::<bool>(), figure()), 0..3);
    let routes = prop::collection::vec((0..3_u8, count(), count(), count()), 0..12);
    (
        (count(), count(), count(), count()),
        (figure(), figure(), figure()),
        (bounds, counts),
        (checks, routes),
        (count(), count(), count(), figure()),
        any::<u8>(),
    )
        .prop_map(
            |(
                (errors, requests, in_flight, total),
                (uptime, cpu, lag),
                (bounds, counts),
                (checks, routes),
                (answered, answered_errors, left, rate),
                bits,
            )| Health {
                cpu_usage: Some(cpu),
                memory_usage: Some(lag),
                error_count: errors,
                uptime,
                instance_id: (bits & 3 != 0).then(|| format!("{}", bits & 3)),
                started: [None, Some(true), Some(false)][usize::from(bits >> 2) % 3],
                totals: Totals {
                    requests_total: Some(requests),
                    errors_total: Some(errors),
                    panics_total: Some(total),
                    cancelled_total: Some(left),
                    answered_total: (bits & 16 != 0).then_some(answered),
                    answered_errors_total: (bits & 16 != 0).then_some(answered_errors),
                    cancelled_before_head_total: (bits & 32 != 0).then_some(left),
                    ..Totals::default()
                },
                version: (bits & 64 != 0).then(|| format!("{}", bits & 1)),
                starting: bits == 7,
                waiting: Some(answered),
                peak_goodput: Some(rate),
                routes: routes
                    .into_iter()
                    .map(|(route, begun, answered, errors)| RouteReport {
                        method: "GET".into(),
                        route: format!("/{route}"),
                        begun_total: begun,
                        answered_total: answered,
                        errors_total: errors,
                    })
                    .collect(),
                in_flight: Some(in_flight),
                latency: Some(Latency {
                    bounds_seconds: bounds,
                    counts,
                }),
                vitals: Some(Vitals {
                    memory_working_set_bytes: Some(total),
                    memory_limit_bytes: Some(requests),
                    open_fds: Some(errors),
                    max_fds: Some(total),
                    cpu_seconds_total: Some(cpu),
                    cpu_limit_cores: Some(rate),
                    cpu_throttled_seconds_total: Some(lag),
                    cpu_periods_total: Some(answered),
                    cpu_throttled_periods_total: Some(left),
                    run_queue_wait_seconds_total: Some(uptime),
                    busiest_thread_cpu_seconds_total: Some(rate),
                    ..Vitals::default()
                }),
                runtime: Some(Runtime {
                    tick_age_seconds: lag,
                    lag_seconds: uptime,
                    stalled: bits > 200,
                    stall_after_seconds: Some(rate),
                    workers: Some(left),
                }),
                checks: checks
                    .into_iter()
                    .map(|(local, fails, age)| CheckReport {
                        name: "arbitrary".into(),
                        kind: if local {
                            CheckKind::Local
                        } else {
                            CheckKind::Dependency
                        },
                        optional: false,
                        state: if fails {
                            CheckState::Failing
                        } else {
                            CheckState::Passing
                        },
                        age_seconds: Some(age),
                        error: None,
                    })
                    .collect(),
                ..Health::default()
            },
        )
}

/// Returns sockets with arbitrary numbers. `None` if they cannot be read.
pub(super) fn arbitrary_sockets() -> impl Strategy<Value = Option<PortSockets>> {
    let count = || prop_oneof![Just(0), Just(u64::MAX), any::<u64>()];
    let sockets = (
        (count(), count(), count(), count()),
        any::<bool>(),
        prop::option::of(count()),
    );
    let sockets = sockets.prop_map(
        |((backlog, established, unread, unread_bytes), listening, received_bytes)| PortSockets {
            backlog,
            established,
            unread,
            unread_bytes,
            listening,
            received_bytes,
        },
    );
    prop::option::of(sockets)
}

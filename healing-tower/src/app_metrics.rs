//! Metric families `healing_app_*` on `/metrics`: vitals, runtime, readiness, checks and hooks.

use std::time::Instant;

use healing_wire::health::{CheckKind, CheckState};

use crate::exposition::text::{Kind, Text};
use crate::shared::Shared;

/// Writes all families. A value that cannot be read is omitted.
pub(crate) fn write(shared: &Shared, text: &mut Text) {
    let now = Instant::now();
    text.family(
        "healing_app_info",
        Kind::Gauge,
        "The app's name and the version of healing in it.",
    );
    text.sample(
        "healing_app_info",
        &[
            ("app", &shared.settings.name),
            ("version", env!("CARGO_PKG_VERSION")),
        ],
        1.0,
    );
    vitals(shared, text);
    runtime(shared, text, now);
    state(shared, text, now);
    checks(shared, text, now);
    hooks(shared, text);
}

fn vitals(shared: &Shared, text: &mut Text) {
    let Some(sample) = shared.vitals.load() else {
        return;
    };
    let vitals = sample.vitals;
    let count = |value: Option<u64>| value.map(|value| value as f64);
    use Kind::{Counter, Gauge};
    let families = [
        (
            "cpu_seconds_total",
            Counter,
            vitals.cpu_seconds_total,
            "CPU time of the process.",
        ),
        (
            "cpu_limit_cores",
            Gauge,
            vitals.cpu_limit_cores,
            "CPU limit of the container, else the cores available to the process.",
        ),
        (
            "cpu_throttled_seconds_total",
            Counter,
            vitals.cpu_throttled_seconds_total,
            "Time for which the container was throttled by its CPU limit.",
        ),
        (
            "cpu_periods_total",
            Counter,
            count(vitals.cpu_periods_total),
            "Periods of the CPU limit in which the container was runnable.",
        ),
        (
            "cpu_throttled_periods_total",
            Counter,
            count(vitals.cpu_throttled_periods_total),
            "Periods in which the container used up its CPU limit.",
        ),
        (
            "run_queue_wait_seconds_total",
            Counter,
            vitals.run_queue_wait_seconds_total,
            "Time for which threads were runnable but not running, summed over the threads.",
        ),
        (
            "memory_working_set_bytes",
            Gauge,
            count(vitals.memory_working_set_bytes),
            "Memory in use, without inactive file cache.",
        ),
        (
            "memory_limit_bytes",
            Gauge,
            count(vitals.memory_limit_bytes),
            "Smallest memory limit of the cgroup and its ancestors, else the machine's memory.",
        ),
        (
            "open_fds",
            Gauge,
            count(vitals.open_fds),
            "Open file descriptors.",
        ),
        (
            "max_fds",
            Gauge,
            count(vitals.max_fds),
            "Limit of open file descriptors.",
        ),
        (
            "threads",
            Gauge,
            count(vitals.threads),
            "Threads of the process.",
        ),
    ];
    for (name, kind, value, help) in families {
        if let Some(value) = value {
            text.single(&format!("healing_app_{name}"), kind, help, value);
        }
    }
}

fn runtime(shared: &Shared, text: &mut Text, now: Instant) {
    let Some(runtime) = shared.runtime(now) else {
        return;
    };
    text.single(
        "healing_app_runtime_lag_seconds",
        Kind::Gauge,
        "Worst lag of the app's runtime in the last 10 s.",
        runtime.lag_seconds,
    );
    text.single(
        "healing_app_runtime_tick_age_seconds",
        Kind::Gauge,
        "Time since the last tick of the app's runtime.",
        runtime.tick_age_seconds,
    );
    text.single(
        "healing_app_runtime_stalled",
        Kind::Gauge,
        "1 while the app's runtime is stalled and no task makes progress.",
        flag(runtime.stalled),
    );
}

fn state(shared: &Shared, text: &mut Text, now: Instant) {
    text.single(
        "healing_app_errors_since_heal",
        Kind::Gauge,
        "Errors since the start or the last soft heal.",
        shared.meter.error_count() as f64,
    );
    let flags = [
        (
            "ready",
            shared.unready(now).is_empty(),
            "1 while /readyz is 200.",
        ),
        (
            "starting",
            shared.startup.is_starting(),
            "1 while the app declares that it is still starting.",
        ),
        (
            "draining",
            shared.lifecycle.is_draining(now),
            "1 while the instance takes no new work.",
        ),
        (
            "condemned",
            shared.lifecycle.is_condemned(),
            "1 once restart_service was accepted.",
        ),
    ];
    for (name, value, help) in flags {
        text.single(
            &format!("healing_app_{name}"),
            Kind::Gauge,
            help,
            flag(value),
        );
    }
}

fn checks(shared: &Shared, text: &mut Text, now: Instant) {
    let reports = shared.checks.report(now);
    let known: Vec<_> = reports
        .iter()
        .filter(|check| check.state != CheckState::Unknown)
        .collect();
    if known.is_empty() {
        return;
    }
    let kind_label = |kind| match kind {
        CheckKind::Dependency => "dependency",
        CheckKind::Local => "local",
    };
    let name = "healing_app_check_up";
    text.family(name, Kind::Gauge, "1 if the last run of the check passed.");
    for check in &known {
        let up = flag(check.state == CheckState::Passing);
        text.sample(
            name,
            &[("check", &check.name), ("kind", kind_label(check.kind))],
            up,
        );
    }
    let name = "healing_app_check_age_seconds";
    text.family(name, Kind::Gauge, "Time since the last run of the check.");
    for check in &known {
        if let Some(age) = check.age_seconds {
            text.sample(
                name,
                &[("check", &check.name), ("kind", kind_label(check.kind))],
                age,
            );
        }
    }
}

fn hooks(shared: &Shared, text: &mut Text) {
    let reports = shared.hooks.report();
    if reports.is_empty() {
        return;
    }
    let name = "healing_app_hook_runs_total";
    text.family(name, Kind::Counter, "Runs of the recovery hook.");
    for hook in &reports {
        text.sample(name, &[("hook", &hook.name)], hook.runs_total as f64);
    }
    let name = "healing_app_hook_failures_total";
    text.family(
        name,
        Kind::Counter,
        "Runs of the recovery hook that failed, timed out or panicked.",
    );
    for hook in &reports {
        text.sample(name, &[("hook", &hook.name)], hook.failures_total as f64);
    }
}

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

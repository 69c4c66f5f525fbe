//! The care port: the app's `/health` report, without the figures that it does not report.
//!
//! | figure of schema 2 | from |
//! |---|---|
//! | response heads, `waiting` | totals and requests in flight of the [layer](super::layer): a response is sent at once |
//! | `peak_goodput` | the [samples](super::goodput) of the care thread |
//! | `routes` | counts of the layer for each route of the service |
//! | quota periods | the [CPU](super::cpu), only with a quota |
//! | wait in run queues, busiest thread | the CPU, since the start of the process |
//! | `workers` | the service |
//! | `starting` | the boot, if the app declares it |
//! | `version` | the same for all instances |

use std::time::Duration;

use super::app::App;
use super::layer::Layer;
use super::process::Phase;
use crate::episode::spec::Life;
use healing_core::health::{Health, Runtime, SCHEMA, Source, Status, Totals, Vitals};
use healing_core::observation::ProbeResult;
use healing_core::rng::Rng;

/// Time limit of a probe in seconds.
pub(super) const PROBE_TIMEOUT: f64 = 2.0;
/// Delay of the care thread per thread that waits for the same core, in seconds.
const SCHEDULING_DELAY: f64 = 0.003;

/// Relative standard deviation of the measured CPU usage.
const CPU_NOISE: f64 = 0.01;
/// Schema of the reports of older apps.
const OLD_SCHEMA: u32 = 1;
/// Version of the app.
const VERSION: &str = "1.0.0";

/// Returns the result of the care port, and its duration in seconds.
pub(super) fn probe(
    now: f64,
    life: &Life,
    app: &App<'_>,
    noise: &Rng,
) -> (ProbeResult<Health>, f64) {
    let accepts = match app.process.phase {
        Phase::Down => false,
        Phase::Booting => life.service.start.care_first,
        Phase::Serving => true,
    };
    let throttled = app.cpu.throttled_until().map_or(0.0, |until| until - now);
    let waiting = SCHEDULING_DELAY * (app.cpu.contention() - 1.0);
    let latency = noise.clone().between(0.0005, 0.003) + throttled + waiting;
    if !accepts {
        (ProbeResult::Refused, latency)
    } else if latency >= PROBE_TIMEOUT {
        (ProbeResult::TimedOut, PROBE_TIMEOUT)
    } else {
        let health = health(now, life, app, noise);
        let duration = Duration::from_secs_f64(latency);
        (ProbeResult::Valid(health, duration), latency)
    }
}

/// Returns the response of `GET /health`.
fn health(now: f64, life: &Life, app: &App<'_>, noise: &Rng) -> Health {
    let visible = &life.visible;
    let layer = &app.pipeline.layer;
    let full = visible.totals || visible.in_flight || visible.vitals;
    let is_current = full && visible.schema_2;
    let schema = if is_current { SCHEMA } else { OLD_SCHEMA };
    let oldest = layer
        .oldest(&app.pipeline.requests)
        .map(|begun| now - begun);
    Health {
        status: Status::of(layer.error_count),
        cpu_usage: visible.cpu.then(|| cpu_percent(life, app, noise)),
        memory_usage: visible.memory.then_some(app.usage.memory),
        error_count: layer.error_count,
        uptime: now - app.process.started,
        schema: full.then_some(schema),
        version: is_current.then(|| VERSION.to_owned()),
        instance_id: visible
            .instance_id
            .then(|| app.process.instance.to_string()),
        pid: visible.instance_id.then_some(1),
        hour_of_day: visible.hour_of_day.then(|| hour(now, life)),
        started: visible
            .started
            .then_some(app.process.phase == Phase::Serving),
        starting: is_current
            && life.service.start.declares_starting
            && app.process.phase == Phase::Booting,
        draining: app.process.draining,
        totals: totals(life, layer, is_current),
        in_flight: visible.in_flight.then_some(layer.in_flight),
        waiting: (is_current && visible.in_flight).then_some(layer.in_flight),
        peak_goodput: layer
            .peak_goodput()
            .filter(|_| is_current && visible.totals),
        routes: if is_current && visible.totals {
            layer.routes()
        } else {
            Vec::new()
        },
        oldest_in_flight_seconds: oldest.filter(|_| visible.in_flight),
        latency: visible.latency.then(|| layer.latency()),
        vitals: visible.vitals.then(|| vitals(life, app, is_current)),
        runtime: runtime(now, life, app, is_current).filter(|_| visible.runtime),
        checks: if visible.checks {
            app.checks.reports(now, &life.service)
        } else {
            Vec::new()
        },
        ..Health::default()
    }
}

/// Returns the cumulative counts, with those of response heads if the report is of the current schema.
fn totals(life: &Life, layer: &Layer, is_current: bool) -> Totals {
    let visible = &life.visible;
    let total = |count| visible.totals.then_some(count);
    let head = |count| total(count).filter(|_| is_current);
    Totals {
        requests_total: total(layer.requests),
        errors_total: total(layer.errors),
        panics_total: total(layer.panics),
        cancelled_total: total(layer.cancelled).filter(|_| visible.cancelled),
        body_errors_total: total(0).filter(|_| visible.cancelled),
        answered_total: head(layer.answered()),
        answered_errors_total: head(layer.errors),
        cancelled_before_head_total: head(layer.cancelled).filter(|_| visible.cancelled),
    }
}

/// Returns the CPU usage of the last second in percent of the limit.
fn cpu_percent(life: &Life, app: &App<'_>, noise: &Rng) -> f64 {
    let share = app.cpu_meter.cores() / life.cores();
    let noise = 1.0 + CPU_NOISE * noise.part(1).normal();
    (100.0 * share * noise).max(0.0)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // in range
fn hour(now: f64, life: &Life) -> u8 {
    ((life.utc_hour + now / 3600.0) % 24.0) as u8
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative
fn vitals(life: &Life, app: &App<'_>, is_current: bool) -> Vitals {
    let (memory, cpu, meter) = (&life.memory, &app.cpu.totals, &app.cpu_meter);
    let of_limit = |percent: f64, limit: f64| (percent / 100.0 * limit) as u64;
    let quota = life.machine.quota;
    Vitals {
        cpu_source: Some(if quota.is_some() {
            Source::Cgroup
        } else {
            Source::Machine
        }),
        cpu_seconds_total: Some(meter.seconds(cpu)),
        cpu_limit_cores: Some(life.cores()),
        cpu_throttled_seconds_total: quota.map(|_| cpu.throttled),
        cpu_periods_total: quota.filter(|_| is_current).map(|_| cpu.periods),
        cpu_throttled_periods_total: quota.filter(|_| is_current).map(|_| cpu.throttled_periods),
        run_queue_wait_seconds_total: is_current.then(|| meter.wait_seconds(cpu)),
        busiest_thread_cpu_seconds_total: is_current.then(|| meter.busiest_seconds(cpu)),
        memory_source: Some(Source::Cgroup),
        memory_working_set_bytes: Some(of_limit(app.usage.memory, memory.limit_bytes)),
        memory_limit_bytes: Some(memory.limit_bytes as u64),
        open_fds: Some(of_limit(app.usage.descriptors, memory.max_descriptors)),
        max_fds: Some(memory.max_descriptors as u64),
        threads: Some(u64::from(life.service.workers) + 2),
    }
}

/// Returns the state of the runtime; absent before the app serves.
fn runtime(now: f64, life: &Life, app: &App<'_>, is_current: bool) -> Option<Runtime> {
    (app.process.phase == Phase::Serving).then(|| Runtime {
        tick_age_seconds: app.heartbeat.age(now),
        lag_seconds: app.heartbeat.lag(now),
        stalled: app.heartbeat.is_stalled(now),
        workers: is_current.then_some(u64::from(life.service.workers)),
    })
}

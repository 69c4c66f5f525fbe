//! Parameters that all populations draw alike.
//!
//! | parameter | range | reason |
//! |---|---|---|
//! | CPU per request | 0.5–50 ms, log-uniform | from a cached read to a rendered page |
//! | limit | a quota in half of the apps, the workers in the others | both saturate, at different reported CPU usage |
//! | pool | 70 % of the apps, hold 2–100 ms | a database; handlers of the others never await |
//! | newest connection first | 10–90 % | in recorded overload clients got 6–90 % of the good responses that the app sent |
//! | patience of clients | 2–30 s | gateways and browsers |
//! | other replicas | 0–4, each as loaded as this app | they absorb what their spare capacity allows |
//! | absent figures | a quarter of the apps; a tenth of all reports only five fields | apps without the whole layer |
//! | unreadable sockets | a twentieth of the apps | a doctor outside of the app's network namespace |
//! | late polls | 10 % of the apps | a sidecar with too little CPU |
//! | hour | uniform in UTC, with a separate local time | peaks have no fixed hour in UTC |

use crate::episode::spec::{
    Clients, Distribution, Doctor, Life, Machine, Memory, OnLeave, Pool, Rate, Route, Service,
    Start, Visible,
};
use healing_core::rng::Rng;

/// Cores of the machine.
const MACHINE_CORES: f64 = 8.0;
/// Minimum quota in cores.
const MIN_QUOTA: f64 = 0.05;
/// Maximum mean CPU time of a request in seconds; at a low rate it keeps the utilisation below the
/// requested one.
const MAX_CPU: f64 = 0.3;
/// Share of the requests to the rare, expensive route.
const RARE_ROUTE: f64 = 0.05;

/// Returns a log-uniform number.
pub(super) fn log_between(rng: &mut Rng, low: f64, high: f64) -> f64 {
    rng.between(low.ln(), high.ln()).exp()
}

/// Returns a random item.
pub(super) fn one_of<T: Copy>(rng: &mut Rng, items: &[T]) -> T {
    items[rng.index(items.len())]
}

/// Returns a healthy app at a constant rate and utilisation.
pub(super) fn life(seed: u64, seconds: f64, rate: f64, utilisation: f64, rng: &mut Rng) -> Life {
    let cpu = log_between(rng, 0.0005, 0.05).min(utilisation * 4.0 / rate);
    let cores = (rate * cpu / utilisation).max(MIN_QUOTA);
    let whole = cores.ceil().max(1.0);
    let has_quota = rng.unit() < 0.5;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 1 to 5
    let workers = whole as u32;
    // Without a quota the workers are the limit, so a request takes as much CPU time as they can give.
    let cpu = if has_quota {
        cpu
    } else {
        (utilisation * whole / rate).min(MAX_CPU)
    };
    let quota = has_quota.then_some(cores);
    let mut life = Life::new(seed);
    life.seconds = seconds;
    life.utc_hour = rng.between(0.0, 24.0);
    life.service = service(workers + u32::from(has_quota), cpu, rate, utilisation, rng);
    life.clients = clients(rate, utilisation, rng);
    life.machine = Machine {
        quota,
        cores: MACHINE_CORES,
        neighbours: Vec::new(),
        jobs: Vec::new(),
        ..Machine::default()
    };
    life.memory = memory(rng);
    life.doctor = doctor(rng);
    life.visible = visible(rng);
    life
}

/// Sets blocking calls that keep three or more workers busy for 0.7 of their time, so that one worker
/// is not enough.
pub(super) fn keep_workers_busy(life: &mut Life, rate: f64) {
    let service = &mut life.service;
    service.workers = service.workers.max(3);
    let seconds = 0.7 * f64::from(service.workers) / rate - service.mean_cpu();
    service.blocking = Distribution::Exponential(seconds.clamp(0.0, 0.5));
}

fn service(workers: u32, cpu: f64, rate: f64, utilisation: f64, rng: &mut Rng) -> Service {
    let distribution = one_of(
        rng,
        &[
            Distribution::Exponential(cpu),
            Distribution::Lognormal(cpu, 0.8),
            Distribution::Fixed(cpu),
        ],
    );
    let hold = log_between(rng, 0.002, 0.1);
    let slots = (rate * hold / utilisation * rng.between(1.5, 6.0))
        .max(4.0)
        .ceil();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small
    let slots = slots as u32;
    let pool = (rng.unit() < 0.7).then_some(Pool {
        slots,
        hold: Distribution::Lognormal(hold, 0.6),
        acquire_timeout: one_of(rng, &[f64::INFINITY, 30.0, 5.0]),
    });
    let route = |share, cpu| Route {
        share,
        share_after: share,
        cpu,
    };
    // The rare route costs three times as much; the mean over both is the given one.
    let usual = 1.0 / (1.0 + 2.0 * RARE_ROUTE);
    Service {
        workers,
        cpu: distribution,
        pool,
        backlog: one_of(rng, &[128, 1024, 4096]),
        newest_first: rng.between(0.1, 0.9),
        on_leave: one_of(rng, &[OnLeave::Stop, OnLeave::Stop, OnLeave::Continue]),
        errors: rng.between(0.0, 0.003),
        routes: vec![
            route(1.0 - RARE_ROUTE, usual),
            route(RARE_ROUTE, 3.0 * usual),
        ],
        hook_seconds: rng.between(0.1, 3.0),
        start: Start {
            age: log_between(rng, 1000.0, 500_000.0),
            container_seconds: rng.between(0.5, 3.0),
            boot_seconds: log_between(rng, 1.0, 20.0),
            binds_early: rng.unit() < 0.2,
            care_first: rng.unit() < 0.5,
            declares_starting: false,
            warm_up_seconds: rng.between(10.0, 60.0),
            cold_factor: rng.between(0.0, 1.0),
            crashes: 0,
        },
        dependencies: rng.below(4),
        local_check: rng.unit() < 0.5,
        ..Service::default()
    }
}

fn clients(rate: f64, utilisation: f64, rng: &mut Rng) -> Clients {
    let others = f64::from(rng.below(5));
    Clients {
        rate: Rate::constant(rate),
        evenly: false,
        closed: None,
        connections: None,
        patience: Distribution::Fixed(one_of(rng, &[2.0, 5.0, 10.0, 30.0])),
        retries: one_of(rng, &[0.0, 0.0, 0.3]),
        absorbed: (others * (1.0 - utilisation).max(0.0) / utilisation).min(1.0),
    }
}

fn memory(rng: &mut Rng) -> Memory {
    let base = one_of(rng, &[0.05, 5.0, 20.0, 40.0]) * rng.between(0.8, 1.2);
    Memory {
        base,
        cache: rng.between(0.0, 20.0),
        cache_seconds: log_between(rng, 120.0, 3600.0),
        saw: rng.between(0.0, 10.0),
        saw_seconds: log_between(rng, 10.0, 600.0),
        per_request: rng.between(0.0, 0.02),
        per_request_limit: one_of(rng, &[5.0, 10.0, 20.0, 100.0]),
        retains: rng.unit() < 0.5,
        noise: rng.between(0.02, 0.3),
        descriptors: rng.between(0.5, 20.0),
        max_descriptors: one_of(rng, &[1024.0, 4096.0, 65_536.0]),
        limit_bytes: log_between(rng, 6.4e7, 8.6e9).floor(),
    }
}

fn doctor(rng: &mut Rng) -> Doctor {
    let late = rng.unit() < 0.1;
    Doctor {
        interval: 5.0,
        late_share: if late { rng.between(0.05, 0.5) } else { 0.0 },
        late_seconds: if late { rng.between(1.0, 10.0) } else { 0.0 },
    }
}

fn visible(rng: &mut Rng) -> Visible {
    let kind = rng.unit();
    if kind < 0.75 {
        return Visible::ALL;
    }
    let five_fields = kind < 0.85;
    let mut reports = |share: f64| !five_fields && rng.unit() < share;
    let visible = Visible {
        front_door: true,
        instance_id: reports(0.8),
        hour_of_day: reports(0.8),
        started: reports(0.8),
        cpu: five_fields || reports(0.8),
        memory: five_fields || reports(0.8),
        totals: reports(0.8),
        cancelled: reports(0.5),
        in_flight: reports(0.8),
        latency: reports(0.8),
        vitals: reports(0.8),
        runtime: reports(0.8),
        checks: reports(0.5),
        schema_2: false,
        sockets: kind < 0.95,
    };
    Visible {
        // A layer that does not count cancellations is too old for the response heads.
        schema_2: visible.cancelled,
        ..visible
    }
}

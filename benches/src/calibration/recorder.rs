//! Recorder of a real app: its parameters, and its figures each second under one load.

use std::time::Duration;

use healing_core::health::Health;

use super::error::CalibrationError;
use super::patient::Patient;
use super::plan::{PARAMETER_TIME, PARTIAL_UTILISATION, Plan, SATURATING_CLIENTS, SECONDS};
use super::recording::{Parameters, Recording, Second};
use crate::load::{Client, Load, LoadSpec, Segment, Transport};

/// Path of the load.
const PATH: &str = "/work";
/// Start of a load whose requests do not count.
const WARM_UP: Duration = Duration::from_secs(2);
/// Interval between two looks for a new sample of the CPU time.
const SAMPLE_POLL: Duration = Duration::from_millis(50);
/// Seed of the arrivals.
const SEED: u64 = 1;
/// All requests of a load.
const ALL: std::ops::Range<Duration> = Duration::ZERO..Duration::MAX;

/// Parameters that are measured before the recordings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    /// Cores that the idle app uses.
    pub(super) background_cores: f64,
    /// CPU time per request in seconds, without the background.
    pub(super) cpu_per_request: f64,
    /// Requests per second served to a closed loop.
    pub(super) capacity: f64,
}

/// Measures the idle app, the CPU time per request at a partial load, and the capacity.
///
/// # Errors
///
/// Returns an error if the app cannot be started, or if it does not report a figure.
pub(super) async fn measure(plan: &Plan) -> Result<Measured, CalibrationError> {
    let patient = Patient::start(plan).await?;
    let idle = Usage::of(&patient).await?;
    let background_cores = idle.cpu_seconds / idle.seconds;

    let rate = PARTIAL_UTILISATION * plan.quota / plan.work.as_secs_f64();
    let load = Load::start(
        target(patient.port(), plan.client_timeout),
        vec![Segment::poisson(rate, SEED, 2 * PARAMETER_TIME)],
    );
    tokio::time::sleep(WARM_UP).await;
    let busy = Usage::of(&patient).await?;
    drop(load);

    let mut load = Load::start(
        target(patient.port(), PARAMETER_TIME),
        vec![Segment::closed(SATURATING_CLIENTS, PARAMETER_TIME)],
    );
    load.finish().await;
    let counted = load.recorder().counts(&(WARM_UP..PARAMETER_TIME));
    Ok(Measured {
        background_cores,
        cpu_per_request: (busy.cpu_seconds - background_cores * busy.seconds) / busy.requests,
        capacity: counted.ok as f64 / (PARAMETER_TIME - WARM_UP).as_secs_f64(),
    })
}

/// CPU time and requests of an app within a time.
#[derive(Debug, Clone, Copy)]
struct Usage {
    seconds: f64,
    cpu_seconds: f64,
    requests: f64,
}

impl Usage {
    /// Measures the usage under the current load.
    async fn of(patient: &Patient) -> Result<Self, CalibrationError> {
        let before = sampled(patient).await?;
        tokio::time::sleep(PARAMETER_TIME).await;
        let after = sampled(patient).await?;
        Ok(Self {
            seconds: after.uptime - before.uptime,
            cpu_seconds: cpu_seconds(&after)? - cpu_seconds(&before)?,
            requests: requests(&after)? - requests(&before)?,
        })
    }
}

/// Returns the first response with a new sample of the CPU time. The app takes one per second, so another
/// response would be up to a second older in this figure than in the others.
async fn sampled(patient: &Patient) -> Result<Health, CalibrationError> {
    let old = cpu_seconds(&health(patient).await?)?;
    loop {
        tokio::time::sleep(SAMPLE_POLL).await;
        let health = health(patient).await?;
        if cpu_seconds(&health)? > old {
            return Ok(health);
        }
    }
}

/// Records an app under an open-loop load, from an empty queue.
///
/// # Errors
///
/// Returns an error if the app cannot be started, or if its cgroup cannot be read.
pub(super) async fn record(
    plan: &Plan,
    measured: Measured,
    utilisation: f64,
) -> Result<Recording, CalibrationError> {
    let patient = Patient::start(plan).await?;
    let rate = utilisation * measured.capacity;
    let length = Duration::from_secs(u64::from(SECONDS));
    let throttled_before = patient.throttled_periods()?;
    let front_door = patient.probes().watch_front_door();
    let load = Load::start(
        target(patient.port(), plan.client_timeout),
        vec![Segment::poisson(rate, SEED, length)],
    );
    let start = load.recorder().start();
    let mut seconds = Vec::new();
    for number in 1..=SECONDS {
        tokio::time::sleep_until((start + Duration::from_secs(u64::from(number))).into()).await;
        let at = start.elapsed().as_secs_f64();
        let counts = load.recorder().counts(&ALL);
        seconds.push(Second {
            at,
            front_door: front_door.last(),
            throttled_periods: patient.throttled_periods()? - throttled_before,
            client_ok: counts.ok,
            client_failed: counts.failed(),
            health: patient.probes().health().await.map(compact),
        });
    }
    Ok(Recording {
        parameters: Parameters {
            name: plan.name.to_owned(),
            utilisation,
            rate,
            seconds: f64::from(SECONDS),
            client_timeout: plan.client_timeout.as_secs_f64(),
            workers: plan.workers,
            quota: plan.quota,
            machine_cores: std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64),
            background_cores: measured.background_cores,
            cpu_per_request: measured.cpu_per_request,
            capacity: measured.capacity,
            generator_lag: load.recorder().worst_lag().as_secs_f64(),
        },
        seconds,
    })
}

/// Returns the load's target. The time limit of a client counts from the intended start.
fn target(port: u16, timeout: Duration) -> LoadSpec {
    LoadSpec {
        port,
        client: Client {
            transport: Transport::NewConnection,
            timeout,
        },
        paths: vec![PATH.to_owned()],
    }
}

/// Returns the response without the app's own windows, which are computed from the other figures.
fn compact(health: Health) -> Health {
    Health {
        windows: Vec::new(),
        ..health
    }
}

async fn health(patient: &Patient) -> Result<Health, CalibrationError> {
    let health = patient.probes().health().await;
    health.ok_or(CalibrationError::NoFigure("response in time"))
}

fn cpu_seconds(health: &Health) -> Result<f64, CalibrationError> {
    let vitals = health.vitals.as_ref();
    let seconds = vitals.and_then(|vitals| vitals.cpu_seconds_total);
    seconds.ok_or(CalibrationError::NoFigure("cpu_seconds_total"))
}

fn requests(health: &Health) -> Result<f64, CalibrationError> {
    let requests = health.totals.requests_total;
    let requests = requests.ok_or(CalibrationError::NoFigure("requests_total"))?;
    Ok(requests as f64)
}

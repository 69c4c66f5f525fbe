//! Capacity of the service, measured before the doctor starts.

use std::time::Duration;

use super::RunError;
use super::endpoints::Endpoints;
use super::groups::Groups;
use super::launcher::Launcher;
use super::ports::Ports;
use super::service_args::service_args;
use super::spec::START_TIMEOUT;
use super::spec::Spec;
use crate::load::{Client, Counts, Load, LoadSpec, Segment};
use crate::poll::poll_until;

/// Closed-loop clients of the measurement.
const CLIENTS: usize = 16;
/// Length of the measurement, warm-up included.
const LENGTH: Duration = Duration::from_secs(4);
/// Warm-up, whose requests do not count.
const WARM_UP: Duration = Duration::from_secs(1);
/// Capacity below which the measurement itself must have failed, in requests per second.
const MINIMUM: f64 = 5.0;

/// Error of a measured capacity that is too small to be right.
#[derive(Debug, thiserror::Error)]
#[error("the capacity cannot be measured: {capacity:.1}/s, {counts}")]
pub(in crate::trials) struct CapacityError {
    capacity: f64,
    counts: Counts,
}

/// Measures the goodput of the service alone under a closed loop, in requests per second.
pub(super) async fn measure_capacity(
    launcher: &Launcher,
    spec: &Spec,
    groups: &Groups,
    endpoints: &Endpoints,
    target: &LoadSpec,
) -> Result<f64, RunError> {
    // The run's events do not contain this start, and the run's care port stays unused.
    let ports = Ports {
        care: endpoints.ports().sidecar,
        ..endpoints.ports()
    };
    let args = service_args(spec, launcher.scale, ports, &groups.app(), None);
    let mut service = launcher.service(args)?;
    poll_until("the service's readiness", START_TIMEOUT, async || {
        endpoints.app_is_ready().await.then_some(())
    })
    .await?;
    let target = LoadSpec {
        client: Client {
            timeout: LENGTH,
            ..target.client
        },
        ..target.clone()
    };
    let mut load = Load::start(target, vec![Segment::closed(CLIENTS, LENGTH)]);
    load.finish().await;
    let counts = load.recorder().counts(&(WARM_UP..LENGTH));
    service.stop(Duration::from_secs(5)).await;
    let succeeded = u32::try_from(counts.ok).unwrap_or(u32::MAX);
    let capacity = f64::from(succeeded) / (LENGTH - WARM_UP).as_secs_f64();
    if capacity < MINIMUM {
        return Err(CapacityError { capacity, counts }.into());
    }
    Ok(capacity)
}

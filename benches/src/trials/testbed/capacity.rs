//! Capacity of the service, measured before the doctor starts.

use std::time::Duration;

use super::Failed;
use super::bed::Bed;
use super::ports::Ports;
use super::start::{START, service_args};
use super::wait::until;
use crate::load::{Client, Load, LoadSpec, Segment};

/// Closed-loop clients of the measurement, and its length.
const CAPACITY_CLIENTS: usize = 16;
const CAPACITY_SECONDS: Duration = Duration::from_secs(4);
const WARM: Duration = Duration::from_secs(1);
/// Capacity below which the measurement itself must be broken, in requests per second.
const LEAST: f64 = 5.0;

impl Bed {
    /// Measures the goodput of the service alone under a closed loop, in requests per second.
    pub(super) async fn measure_capacity(&self) -> Result<f64, Failed> {
        let mut setup = self.setup.clone();
        // Its start and its ports are none of the run's.
        let ports = Ports {
            care: self.ports.sidecar,
            ..self.ports
        };
        setup.service = service_args(
            &self.spec,
            self.surroundings.scale,
            ports,
            &self.groups,
            None,
        );
        let mut service = setup.service(&self.log)?;
        let ready = until("the service's readiness", START, async || {
            self.ready().await.then_some(())
        });
        ready.await?;
        let clients = &self.clients;
        let spec = LoadSpec {
            port: clients.port,
            client: Client {
                patience: CAPACITY_SECONDS,
                ..clients.client
            },
            paths: clients.paths.clone(),
        };
        let segment = Segment::closed(CAPACITY_CLIENTS, CAPACITY_SECONDS);
        let mut load = Load::start(spec, vec![segment]);
        load.finish().await;
        let counts = load.recorder().counts(&(WARM..CAPACITY_SECONDS));
        service.stop(Duration::from_secs(5)).await;
        let answered = u32::try_from(counts.ok).unwrap_or(u32::MAX);
        let capacity = f64::from(answered) / (CAPACITY_SECONDS - WARM).as_secs_f64();
        if capacity < LEAST {
            let problem = format!("the capacity cannot be measured: {capacity:.1}/s, {counts}");
            return Err(Failed::Instrument(problem));
        }
        Ok(capacity)
    }
}

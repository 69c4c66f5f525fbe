//! Common parts of the saturation cases, which have a quota of 0.3 core, a time of usual load, and a surge.

use std::time::Duration;

use crate::load::Segment;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Cpu, RunError, Spec};

/// Right treatment of every saturation.
pub(super) const NOTHING: Expected = Expected::nothing(
    "the load is the cause, and a restart discards the requests in flight and lowers the capacity \
     for a while",
);
/// Seconds of usual load.
const USUAL: f64 = 100.0;
/// Length of a run, in seconds.
pub(super) const SECONDS: u32 = 260;
/// Usual load, as part of the capacity.
const USUAL_PART: f64 = 0.6;
/// Seconds in which the surge rises.
const RISE: f64 = 10.0;

/// Limits the app to 0.3 core, and measures its capacity.
pub(super) fn setup(spec: &mut Spec, workers: usize) {
    spec.cpu = Cpu::Quota(0.3);
    spec.work = Duration::from_millis(4);
    spec.workers = workers;
    spec.measure_capacity = true;
}

/// Runs open-loop arrivals at this multiple of the capacity.
pub(super) async fn open(bed: &mut Bed, times: f64, seconds: u32) -> Result<(), RunError> {
    let (usual, surge) = (bed.capacity * USUAL_PART, bed.capacity * times);
    let rise = Segment::ramp(usual, surge, bed.seconds(RISE));
    let rest = Segment::open(surge, bed.seconds(f64::from(seconds) - USUAL - RISE));
    run(
        bed,
        vec![Segment::open(usual, bed.seconds(USUAL)), rise, rest],
    )
    .await
}

/// Runs closed-loop clients.
pub(super) async fn closed(bed: &mut Bed, clients: usize, seconds: u32) -> Result<(), RunError> {
    let usual = Segment::open(bed.capacity * USUAL_PART, bed.seconds(USUAL));
    let surge = Segment::closed(clients, bed.seconds(f64::from(seconds) - USUAL));
    run(bed, vec![usual, surge]).await
}

async fn run(bed: &mut Bed, segments: Vec<Segment>) -> Result<(), RunError> {
    bed.clients.start(segments);
    bed.until(USUAL).await;
    bed.fault_begins();
    bed.clients.finish().await;
    Ok(())
}

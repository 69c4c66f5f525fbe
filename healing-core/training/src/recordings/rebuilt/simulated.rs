//! Recording of a simulated life, in the form of a recorded run.

use std::collections::BTreeMap;
use std::time::Duration;

use healing_core::observation::ProbeResult;

use super::super::case::RecordedCase;
use super::super::load::LoadInterval;
use super::super::recording::Recording;
use super::super::sample::{CgroupCpu, FRONT_DOOR_LIMIT, FrontDoor, RecordedSample, Scheduler};
use crate::episode::spec::Life;
use crate::episode::{TracePoint, trace};

/// Returns the recording of a life without treatments, with a sample each `every_seconds`. Sockets and
/// the busiest threads are absent.
#[must_use]
pub fn simulated_recording(case: RecordedCase, life: &Life, every_seconds: f64) -> Recording {
    let points = trace(life, every_seconds);
    let has_quota = life.machine.quota.is_some();
    let mut before = 0;
    let load = points.iter().map(|point| LoadInterval {
        end_seconds: point.seconds,
        served: point.clients.served - std::mem::replace(&mut before, point.clients.served),
    });
    let load = load.collect();
    Recording {
        archive: "simulated".to_owned(),
        case,
        samples: points
            .into_iter()
            .map(|point| sample(point, has_quota))
            .collect(),
        load,
    }
}

fn sample(point: TracePoint, has_quota: bool) -> RecordedSample {
    let cpu = point.cpu;
    RecordedSample {
        seconds: point.seconds,
        care_duration: match &point.care {
            ProbeResult::Valid(_, duration) => *duration,
            _ => Duration::ZERO,
        },
        front_door: front_door(&point),
        care: point.care,
        scheduler: Some(Scheduler {
            cpu_seconds: cpu.used,
            wait_seconds: cpu.run_queue + cpu.throttled_run_queue,
        }),
        busiest_threads: BTreeMap::new(),
        sockets: None,
        cgroup_cpu: has_quota.then_some(CgroupCpu {
            periods: cpu.periods,
            throttled_periods: cpu.throttled_periods,
            throttled_seconds: cpu.throttled,
        }),
        app_counts: None,
    }
}

fn front_door(point: &TracePoint) -> Option<FrontDoor> {
    let duration = match &point.front_door {
        ProbeResult::NotProbed => return None,
        ProbeResult::Valid((), duration) => *duration,
        ProbeResult::TimedOut => FRONT_DOOR_LIMIT,
        ProbeResult::Refused | ProbeResult::Invalid(_) => Duration::ZERO,
    };
    Some(FrontDoor {
        asked_seconds: point.probed_at - duration.as_secs_f64(),
        duration,
        result: point.front_door.clone(),
    })
}

//! Sample: everything that was recorded in one second.

use std::collections::BTreeMap;
use std::time::Duration;

use healing_core::health::Health;
use healing_core::observation::ProbeResult;

/// Limit of a front-door probe in the recordings.
pub const FRONT_DOOR_LIMIT: Duration = Duration::from_secs(2);

/// Everything that was recorded in one second.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedSample {
    /// Time since the start of the recording, in seconds.
    pub seconds: f64,
    /// Result of `GET /health` on the care port.
    pub care: ProbeResult<Health>,
    /// Duration of that request, with any result.
    pub care_duration: Duration,
    /// Latest finished probe of the front door. Absent before the first has finished.
    pub front_door: Option<FrontDoor>,
    /// Scheduler statistics of the app. Absent if they were not read.
    pub scheduler: Option<Scheduler>,
    /// CPU time since the start of the process of the busiest threads, in seconds, by thread id. Empty
    /// where it was not recorded.
    pub busiest_threads: BTreeMap<u32, f64>,
    /// Sockets of the app's port. Absent if they could not be read.
    pub sockets: Option<Sockets>,
    /// CPU statistics of the app's cgroup. Absent unless a quota was set.
    pub cgroup_cpu: Option<CgroupCpu>,
    /// The app's own counts of its requests. Absent where the app did not count.
    pub app_counts: Option<AppCounts>,
}

/// Probe of the front door: `GET /healthz` on the app's port over a new connection.
#[derive(Debug, Clone, PartialEq)]
pub struct FrontDoor {
    /// Time of the request since the start of the recording, in seconds.
    pub asked_seconds: f64,
    /// Time until the result, whatever it is.
    pub duration: Duration,
    /// Result; a response after more than [`FRONT_DOOR_LIMIT`] is a time-out.
    pub result: ProbeResult<()>,
}

/// Scheduler statistics, summed over all threads of the app since its start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scheduler {
    /// CPU time, in seconds.
    pub cpu_seconds: f64,
    /// Time in run queues, runnable but not running, in seconds.
    pub wait_seconds: f64,
}

/// Sockets of the app's port, by one read of the socket table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sockets {
    /// Number of connections that wait to be accepted.
    pub backlog: u64,
    /// Number of established connections.
    pub established: u64,
    /// Number of established connections with bytes that the app has not read.
    pub unread: u64,
    /// Number of connections that the client has closed and the app has not.
    pub close_wait: u64,
    /// Number of those with bytes that the app has not read.
    pub close_wait_unread: u64,
    /// Number of bytes that the app has not read. Absent where it was not recorded.
    pub unread_bytes: Option<u64>,
    /// Number of connections that the recorder took for stuck: at most those with unread bytes in this
    /// read and the one before. Absent where it was not recorded.
    pub stuck: Option<u64>,
}

/// CPU statistics of a cgroup since it was created.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CgroupCpu {
    /// Number of periods in which the cgroup was runnable.
    pub periods: u64,
    /// Number of periods in which it used up its quota.
    pub throttled_periods: u64,
    /// Time for which its threads were throttled, in seconds.
    pub throttled_seconds: f64,
}

/// Counts of requests by the app itself since its start, up to the head of the response: a stream counts
/// as answered while it goes on. The recorder read them by a request a second, which the totals of the answer
/// contain and these counts do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppCounts {
    /// Number of requests that reached the app.
    pub begun: u64,
    /// Number of responses that are no error.
    pub answered: u64,
    /// Number of error responses.
    pub answered_errors: u64,
    /// Number of requests whose client disconnected before the head of the response.
    pub cancelled: u64,
}

// === impl RecordedSample ===

impl RecordedSample {
    /// Returns the answer of the care port, if there is a valid one.
    #[must_use]
    pub fn health(&self) -> Option<&Health> {
        match &self.care {
            ProbeResult::Valid(health, _) => Some(health),
            _ => None,
        }
    }

    /// Returns the result of the latest finished front-door probe.
    #[must_use]
    pub fn front_door_result(&self) -> ProbeResult<()> {
        self.front_door
            .as_ref()
            .map_or(ProbeResult::NotProbed, |probe| probe.result.clone())
    }
}

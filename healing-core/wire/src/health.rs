//! Response of `GET /health`.
//!
//! The first five fields of [`Health`] are the original system's; an app may send those alone. Only
//! `status` is required. A value that cannot be read is absent (omitted or `null`); an absent measurement
//! is unknown, not zero. Only `error_count` and `uptime` default to 0. Unknown fields are ignored, so that
//! app and sidecar can be upgraded independently.
//!
//! All times are in seconds and all sizes in bytes. Fields with the suffix `_total` are cumulative
//! since the start of the process, and no heal resets them.
//!
//! # Hazards
//!
//! The ranges in these docs are not enforced by deserialisation. The reader validates them; the doctor
//! rejects the whole response if one value is negative, not finite or out of its range.

use serde::{Deserialize, Serialize};

/// Schema version that this crate writes. Readers accept every version, because fields are only added.
pub const SCHEMA: u32 = 2;

/// Response of `GET /health`. Its HTTP status is always 200, even if the app is unhealthy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Summary of `error_count` by [`Status::of`]; required.
    pub status: Status,
    /// CPU time of this process, in percent of its container's CPU limit or, without a limit, of the cores
    /// available to it, averaged since the previous sample. 0–100; bursts and measuring errors can exceed
    /// 100. Absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_usage: Option<f64>,
    /// Working set, in percent of the smallest memory limit of the cgroup and its ancestors or, without a
    /// limit, of the machine's memory. 0–100; measuring errors can exceed 100. Absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_usage: Option<f64>,
    /// Number of errors since the start or the last soft heal, whichever is later. Absent means 0.
    #[serde(default)]
    pub error_count: u64,
    /// Time since the app started, in seconds, at least 0. Absent means 0.
    #[serde(default)]
    pub uptime: f64,

    /// [`SCHEMA`] of the writer. Absent if the app sends only the five fields above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<u32>,
    /// Name of the app, as given to the healing layer. Absent if unnamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Version of the app. What is learned about an app, for example its capacity, holds for one version.
    /// Absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Identifier of this start of the app, different after every restart. Absent if the app has none;
    /// a restart is then recognised by a lower `uptime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// Process id in the app's own PID namespace. Absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Hour of the day in UTC, 0–23. Absent if the app's clock cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour_of_day: Option<u8>,
    /// `true` once the app has been ready since its start. Absent means unknown; the policy then treats
    /// the app as started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<bool>,
    /// `true` while the app declares that it is still starting, even if its ports are bound. Absent means
    /// `false`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub starting: bool,
    /// `true` while the app takes no new work, because of SIGTERM or a drain lease. Absent means `false`.
    #[serde(default)]
    pub draining: bool,
    /// `true` once `restart_service` was accepted and this instance is about to exit. Absent means `false`.
    #[serde(default)]
    pub condemned: bool,

    /// Cumulative counts, as fields of the same JSON object.
    #[serde(flatten)]
    pub totals: Totals,
    /// Number of requests in flight; a request is in flight until its response body is complete. Absent if
    /// unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<u64>,
    /// Number of requests in flight whose response head has not been sent. Absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// Highest goodput of any 2 s within the last 30 s: response heads without an error, per second. A poll
    /// every few seconds would miss a short surge. Absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_goodput: Option<f64>,
    /// Counts of the routes with the most errors or unanswered requests in the last minutes, and of the
    /// busiest, at most [`MAX_ROUTES`]. Empty if routes are not counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteReport>,
    /// Age of the oldest request in flight, in seconds. Absent while none is in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_in_flight_seconds: Option<f64>,
    /// Histogram of request durations since the start. Absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// Statistics over recent windows, for display only. The policy ignores them and derives its own from
    /// `totals`. Empty before the first sample.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowStats>,
    /// Resource usage of the process. Absent before the first sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vitals: Option<Vitals>,
    /// State of the app's async runtime. Absent if no runtime is observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
    /// Dependency and local checks. Empty if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckReport>,
    /// Recovery hooks, in the order in which a soft heal runs them. Empty if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookReport>,
}

/// The original system's summary of the number of errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// At most [`DEGRADED_ABOVE`] errors.
    #[default]
    Healthy,
    /// More than [`DEGRADED_ABOVE`] errors.
    Degraded,
    /// More than [`CRITICAL_ABOVE`] errors.
    Critical,
}

/// Highest `error_count` of a healthy app.
pub const DEGRADED_ABOVE: u64 = 5;
/// Highest `error_count` of a degraded app.
pub const CRITICAL_ABOVE: u64 = 10;

impl Status {
    /// Returns the status for a number of errors since the last soft heal.
    ///
    /// ```
    /// use healing_wire::health::Status;
    /// assert_eq!(Status::of(5), Status::Healthy);
    /// assert_eq!(Status::of(6), Status::Degraded);
    /// assert_eq!(Status::of(11), Status::Critical);
    /// ```
    #[must_use]
    pub fn of(error_count: u64) -> Self {
        if error_count > CRITICAL_ABOVE {
            Self::Critical
        } else if error_count > DEGRADED_ABOVE {
            Self::Degraded
        } else {
            Self::Healthy
        }
    }
}

/// Cumulative counts of requests since the start of the process. Absent fields are unknown.
///
/// Healing's own endpoints are not counted. A request counts once, when it finishes, as a success, an
/// error or a cancellation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Number of finished requests, with any outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_total: Option<u64>,
    /// Number of errors; by default 5xx and 408 responses, panics and failed bodies. The owner of the app
    /// may define them differently.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors_total: Option<u64>,
    /// Number of handler panics, a subset of the errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panics_total: Option<u64>,
    /// Number of requests whose client disconnected before the response was complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_total: Option<u64>,
    /// Number of response bodies that failed, a subset of the errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_errors_total: Option<u64>,
    /// Number of response heads sent, including those of errors, and of requests that failed before their
    /// head. A stream counts once its head is sent, however it finishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_total: Option<u64>,
    /// Number of response heads that report an error, and of requests that end without a head by a panic or
    /// an error of the service; a subset of `answered_total`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_errors_total: Option<u64>,
    /// Number of requests whose client disconnected before the response head was sent, a subset of
    /// `cancelled_total`. The others disconnected while the body was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_before_head_total: Option<u64>,
}

/// Maximum number of routes in a health report.
pub const MAX_ROUTES: usize = 10;

/// Cumulative counts of one route and method since the start of the process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteReport {
    /// Method of the requests, for example `GET`.
    pub method: String,
    /// Route pattern of the app, for example `/items/{id}`.
    pub route: String,
    /// Number of requests that have begun.
    pub begun_total: u64,
    /// Number of response heads sent, including those of errors.
    pub answered_total: u64,
    /// Number of errors.
    pub errors_total: u64,
}

/// Histogram of request durations since the start of the process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Upper bounds of the buckets, in seconds, strictly ascending.
    pub bounds_seconds: Vec<f64>,
    /// Number of requests per bucket, not cumulative. There is one entry more than there are bounds; the
    /// last one counts the requests above all bounds.
    pub counts: Vec<u64>,
}

/// Statistics over the last `seconds`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WindowStats {
    /// Length of the window, in seconds.
    pub seconds: f64,
    /// Finished requests per second, at least 0. Averaged over the uptime if that is shorter than the
    /// window.
    pub request_rate: f64,
    /// Errors per request, 0–1. Absent without requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_ratio: Option<f64>,
    /// Panics per request, 0–1. Absent without requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panic_ratio: Option<f64>,
    /// Median request duration, in seconds. Absent without requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_seconds: Option<f64>,
    /// 99th percentile of the request duration, in seconds. Absent without requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_seconds: Option<f64>,
    /// Highest number of requests in flight in any sample. Absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight_peak: Option<u64>,
}

/// Resource usage and limits of the process and its container. Absent fields cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Vitals {
    /// Source of `cpu_limit_cores`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_source: Option<Source>,
    /// CPU time used since the start of the process, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds_total: Option<f64>,
    /// CPU limit, in cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_limit_cores: Option<f64>,
    /// Time for which the cgroup was throttled since it was created, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_throttled_seconds_total: Option<f64>,
    /// Number of CFS periods in which the cgroup was runnable, since it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_periods_total: Option<u64>,
    /// Number of those periods in which the cgroup used up its quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_throttled_periods_total: Option<u64>,
    /// Time for which threads of the process were runnable but not running, summed over all threads, in
    /// seconds. Threads that have exited may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_queue_wait_seconds_total: Option<f64>,
    /// CPU time of the busiest thread of each sampling interval, summed over the intervals, in seconds. Its
    /// rise per second is the share of a core that the busiest thread uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busiest_thread_cpu_seconds_total: Option<f64>,
    /// Source of `memory_limit_bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_source: Option<Source>,
    /// Working set, in bytes: memory usage minus inactive file pages, as the kubelet measures it. Without
    /// a memory limit, the resident memory of the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_working_set_bytes: Option<u64>,
    /// Smallest memory limit of the cgroup and its ancestors, in bytes. Without one, the machine's memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// Number of open file descriptors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_fds: Option<u64>,
    /// Soft limit of the number of open file descriptors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_fds: Option<u64>,
    /// Number of threads of the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u64>,
}

/// Source of a resource limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Cgroup limit.
    Cgroup,
    /// The machine, if no lower limit is set: the cores available to the process, or the machine's memory.
    Machine,
}

/// State of the app's async runtime, as observed by the care thread.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Runtime {
    /// Time since the last tick of the runtime, in seconds.
    pub tick_age_seconds: f64,
    /// Highest delay of a tick in the last 10 s, in seconds.
    pub lag_seconds: f64,
    /// `true` if `tick_age_seconds`, and the time since the end of a declared start, exceed the stall
    /// threshold. No task of the app then makes progress.
    pub stalled: bool,
    /// Number of worker threads of the runtime; 1 for a current-thread runtime. Absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<u64>,
}

/// Returns `true` for `false`, so that a false field is omitted.
#[allow(clippy::trivially_copy_pass_by_ref)] // the signature that serde calls
fn is_false(value: &bool) -> bool {
    !*value
}

/// State of one health check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Name of the check, given by the app's owner.
    pub name: String,
    /// Kind of the check; it determines if a failure vetoes restarts.
    pub kind: CheckKind,
    /// `true` if the app works without the dependency, so that a failure vetoes nothing. Absent means
    /// `false`. Without meaning for a local check.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
    /// Last result.
    pub state: CheckState,
    /// Time since the last result, in seconds. Absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<f64>,
    /// Error message of the last result. Absent unless it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Kind of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckKind {
    /// Check of something outside the process, over a connection of its own. A failure vetoes restarts,
    /// unless the dependency is optional.
    Dependency,
    /// Check of something inside the process (a pool, a queue). A failure never vetoes a restart, because a
    /// restart may help.
    Local,
}

/// Result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// The check has not run.
    Unknown,
    /// The check passed.
    Passing,
    /// The check failed, timed out or panicked.
    Failing,
}

/// Statistics of one recovery hook since the start of the process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HookReport {
    /// Name of the hook, given by the app's owner.
    pub name: String,
    /// Number of runs.
    pub runs_total: u64,
    /// Number of runs that failed, timed out or panicked.
    pub failures_total: u64,
}

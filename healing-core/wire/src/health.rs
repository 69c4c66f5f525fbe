//! The answer of `GET /health`.
//!
//! The first five fields of [`Health`] are the original system's; an app that sends only those is
//! still understood. Everything else is optional: a figure without a source is absent, and absent
//! is never zero. Unknown fields are ignored, so that app and sidecar may be upgraded apart.

use serde::{Deserialize, Serialize};

/// The `schema` that this version writes. A reader accepts any; fields are only ever added.
pub const SCHEMA: u32 = 1;

/// The answer of `GET /health`. Always sent with status 200: it is data, not a verdict.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// The app's own summary, by [`Status::of`].
    pub status: Status,
    /// CPU of this process in percent of its container's CPU limit (else of the cores available to
    /// it), 0–100; above 100 only by measuring error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_usage: Option<f64>,
    /// Working set in percent of the smallest memory limit up the cgroup tree (else of the
    /// machine's memory), 0–100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_usage: Option<f64>,
    /// Errors since start or since the last soft heal.
    #[serde(default)]
    pub error_count: u64,
    /// Seconds since the app started.
    #[serde(default)]
    pub uptime: f64,

    /// [`SCHEMA`] of the writer; absent from an app that knows only the five fields above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<u32>,
    /// The name given to the healing layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// New at every start of the process: how a restart is recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// Process id as the app sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Hour of the day, 0–23, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour_of_day: Option<u8>,
    /// Ready once since start. Absent means unknown (an app of five fields is taken as started).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<bool>,
    /// Told to take no new work (SIGTERM, or a drain lease).
    #[serde(default)]
    pub draining: bool,
    /// `restart_service` was accepted: this instance is about to end.
    #[serde(default)]
    pub condemned: bool,

    /// Cumulative since start, never reset by a heal.
    #[serde(flatten)]
    pub totals: Totals,
    /// Requests being served now, bodies included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<u64>,
    /// Age of the request that has been open for longest; absent while none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_in_flight_seconds: Option<f64>,
    /// Request durations since start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// Recent figures for people and dashboards; the policy makes its own from `totals`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowStats>,
    /// What the process uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vitals: Option<Vitals>,
    /// The state of the app's async runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
    /// Dependency and local checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckReport>,
    /// Recovery hooks, in the order in which a soft heal runs them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookReport>,
}

/// The original's three words for how many errors there are.
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

/// Above this `error_count` an app calls itself degraded.
pub const DEGRADED_ABOVE: u64 = 5;
/// Above this `error_count` an app calls itself critical.
pub const CRITICAL_ABOVE: u64 = 10;

impl Status {
    /// The status for a number of errors since the last heal.
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

/// Cumulative counts since the process started. Each request ends in exactly one class.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Requests that ended, in any class. Healing's own endpoints never count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_total: Option<u64>,
    /// Ended as errors (by default 5xx, panics included; the owner may choose).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors_total: Option<u64>,
    /// Handler panics: a subset of the errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panics_total: Option<u64>,
    /// The client went away before the response was complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_total: Option<u64>,
    /// The response body failed midway: a subset of the errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_errors_total: Option<u64>,
}

/// A cumulative histogram of request durations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Upper bounds in seconds, ascending; `counts` has one more entry, for what is above them.
    pub bounds_seconds: Vec<f64>,
    /// Requests per bucket since start (not cumulative over the buckets).
    pub counts: Vec<u64>,
}

/// Figures over the last `seconds`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WindowStats {
    /// Length of the window.
    pub seconds: f64,
    /// Requests per second.
    pub request_rate: f64,
    /// Errors per request, 0–1; absent without requests, as are the next three.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_ratio: Option<f64>,
    /// Panics per request, 0–1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panic_ratio: Option<f64>,
    /// Median duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_seconds: Option<f64>,
    /// 99th percentile of the duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_seconds: Option<f64>,
    /// Most requests in flight at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight_peak: Option<u64>,
}

/// Resource figures of this process and its container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Vitals {
    /// Where the CPU limit comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_source: Option<Source>,
    /// CPU time used since start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds_total: Option<f64>,
    /// CPU limit in cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_limit_cores: Option<f64>,
    /// Time throttled by the cgroup since it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_throttled_seconds_total: Option<f64>,
    /// Where the memory limit comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_source: Option<Source>,
    /// Working set: what the OOM killer judges (usage minus inactive file pages).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_working_set_bytes: Option<u64>,
    /// Smallest memory limit up the tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// Open file descriptors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_fds: Option<u64>,
    /// Soft limit of open file descriptors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_fds: Option<u64>,
    /// Threads of the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u64>,
}

/// What a limit was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A cgroup limit of the container.
    Cgroup,
    /// No limit is set: the cores available to the process, or the machine's memory.
    Machine,
}

/// What the care thread sees of the app's runtime.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Runtime {
    /// Seconds since the runtime last ticked.
    pub tick_age_seconds: f64,
    /// How late recent ticks were, the worst of the last 10 s, in seconds.
    pub lag_seconds: f64,
    /// The tick is older than the stall threshold: no task of the app makes progress.
    pub stalled: bool,
}

/// The state of one check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// The owner's name for it.
    pub name: String,
    /// Whether it vetoes restarts.
    pub kind: CheckKind,
    /// The last result.
    pub state: CheckState,
    /// Seconds since that result; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<f64>,
    /// Why it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckKind {
    /// Something outside the process, by a connection of its own: failing, it vetoes restarts.
    Dependency,
    /// Something inside (a pool, a queue): a restart may help, so it never vetoes.
    Local,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// Not run yet.
    Unknown,
    /// Passed.
    Passing,
    /// Failed, timed out or panicked.
    Failing,
}

/// The history of one recovery hook.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HookReport {
    /// The owner's name for it.
    pub name: String,
    /// Times run.
    pub runs_total: u64,
    /// Times it failed, timed out or panicked.
    pub failures_total: u64,
}

pub use crate::heal::{HealAction, HealError, HealRequest, HealResponse, HookOutcome}; // until the layer imports them from `heal`

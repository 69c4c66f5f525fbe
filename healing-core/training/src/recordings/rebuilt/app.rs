//! The recorded app: a small axum service with one endpoint for each kind of work.

use super::super::case::RecordedCase;
use crate::episode::spec::{Distribution, OnLeave, Pool, Service};

/// Connections that the kernel keeps for the app until it accepts them: the recorded backlog ends at 129.
const BACKLOG: usize = 129;
/// Tasks between two looks of tokio at its sockets, its default `event_interval`.
const TOKIO_EVENT_INTERVAL: u32 = 61;
/// Await of `/mix` before its CPU time, in seconds: its usual latency is 5 ms longer than its CPU time.
const MIX_AWAIT: f64 = 0.005;
/// Await of `/shed`, in seconds: its ten slots serve 186–191 requests per second.
const SHED_AWAIT: f64 = 0.05;
/// Requests in flight above which `/shed` answers 503.
const SHED_ABOVE: u64 = 10;
/// Slots of the pool of `/pool`.
const POOL_SLOTS: u32 = 10;

/// Kind of work that the requests of a run ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A response at once.
    Plain,
    /// CPU time without an await.
    Work,
    /// A short await, then CPU time.
    Mix,
    /// A blocking wait inside a process-wide lock.
    Convoy,
    /// An await.
    Slow,
    /// An await inside one of ten slots.
    Pool,
    /// An unbounded queue to one consumer, which also works for clients that have left.
    Queue,
    /// A short await, and 503 above ten requests in flight.
    Shed,
}

// === impl Endpoint ===

impl Endpoint {
    /// Returns the endpoint of a run; absent for one that is not rebuilt.
    pub(super) fn of(case: &RecordedCase) -> Option<Self> {
        if let Some(path) = &case.path {
            return match path.as_str() {
                "/convoy" => Some(Self::Convoy),
                "/slow" => Some(Self::Slow),
                "/pool" => Some(Self::Pool),
                "/queue" => Some(Self::Queue),
                "/shed" => Some(Self::Shed),
                "/mix" => Some(Self::Mix),
                "/work" => Some(Self::Work),
                "/" | "/bg*3,/*7" => Some(Self::Plain),
                _ => None,
            };
        }
        let sets = |name: &str| case.faults.iter().any(|fault| fault.name == name);
        let name = |part: &str| case.name.contains(part);
        if name("sse") {
            None
        } else if sets("convoy_ms") {
            Some(Self::Convoy)
        } else if sets("slow_ms") {
            Some(Self::Slow)
        } else if sets("pool_ms") {
            Some(Self::Pool)
        } else if sets("queue_ms") {
            Some(Self::Queue)
        } else if name("shed") {
            Some(Self::Shed)
        } else if name("work") {
            Some(Self::Work)
        } else if ["mix", "starved", "job", "spin", "quota"]
            .into_iter()
            .any(name)
        {
            Some(Self::Mix)
        } else {
            Some(Self::Plain)
        }
    }

    /// Returns the name of the fault that sets the time of this endpoint's wait, in milliseconds.
    pub(super) fn setting(self) -> Option<&'static str> {
        match self {
            Self::Convoy => Some("convoy_ms"),
            Self::Slow => Some("slow_ms"),
            Self::Pool => Some("pool_ms"),
            Self::Queue => Some("queue_ms"),
            Self::Plain | Self::Work | Self::Mix | Self::Shed => None,
        }
    }

    /// Returns the wake-ups of a worker that a request causes.
    pub(super) fn wake_ups(self) -> f64 {
        match self {
            Self::Plain | Self::Work => 1.0,
            _ => 2.0,
        }
    }

    /// Returns the service with this CPU time of a request; `wait` is the first setting of its wait, in
    /// seconds.
    pub(super) fn service(self, workers: u32, cpu: f64, wait: f64) -> Service {
        let pool = |slots, seconds| {
            Some(Pool {
                slots,
                hold: Distribution::Fixed(seconds),
                acquire_timeout: f64::INFINITY,
            })
        };
        Service {
            workers,
            cpu: Distribution::Fixed(cpu),
            pool: match self {
                Self::Plain | Self::Work | Self::Convoy => None,
                Self::Mix => pool(u32::MAX, MIX_AWAIT),
                Self::Slow => pool(u32::MAX, wait),
                Self::Shed => pool(u32::MAX, SHED_AWAIT),
                Self::Pool => pool(POOL_SLOTS, wait),
                Self::Queue => pool(1, wait),
            },
            cpu_before_await: if self == Self::Mix { 0.0 } else { 0.5 },
            shed_above: (self == Self::Shed).then_some(SHED_ABOVE),
            backlog: BACKLOG,
            tasks_per_look: TOKIO_EVENT_INTERVAL,
            on_leave: if self == Self::Queue {
                OnLeave::Continue
            } else {
                OnLeave::Discard
            },
            ..Service::default()
        }
    }
}

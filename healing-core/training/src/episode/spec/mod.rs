//! Description of one app's life: the app, its clients, its machine, its faults, and its doctor.

mod connections;
mod distribution;
mod fault;
mod rate;
mod service;

pub use connections::{Connections, PatienceFrom};
pub use distribution::Distribution;
pub(crate) use distribution::exponential;
pub use fault::{Cure, Effect, Fault};
pub use rate::Rate;
pub use service::{OnLeave, Pool, Route, Service, Start};

/// Number of seconds in a day.
pub const DAY: f64 = 86_400.0;

/// Everything that determines an episode, except the decider.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// Seed of all random numbers.
    pub seed: u64,
    /// Length in seconds.
    pub seconds: f64,
    /// Hour of the day in UTC at the start, with its fraction.
    pub utc_hour: f64,
    /// Constants of the app.
    pub service: Service,
    /// Clients of the app.
    pub clients: Clients,
    /// Machine and limits of the container.
    pub machine: Machine,
    /// Memory and descriptors of the app.
    pub memory: Memory,
    /// Faults of the app and of its environment.
    pub faults: Vec<Fault>,
    /// Polls of the doctor.
    pub doctor: Doctor,
    /// Set of the figures that the app reports.
    pub visible: Visible,
}

/// Clients of the app.
#[derive(Debug, Clone, PartialEq)]
pub struct Clients {
    /// Rate of the open load: requests that do not wait for earlier responses.
    pub rate: Rate,
    /// Set if the requests of the open load are evenly spaced, as a load generator sends them; otherwise
    /// they are a Poisson process.
    pub evenly: bool,
    /// Clients of the closed loop; absent without one.
    pub closed: Option<ClosedLoop>,
    /// Connections that the clients keep to the app; absent if each request opens a new one.
    pub connections: Option<Connections>,
    /// Time after which a client leaves.
    pub patience: Distribution,
    /// Share of failed requests that are sent again, at most twice, after 0.5–1.5 seconds.
    pub retries: f64,
    /// Share of the requests that other replicas serve while this app is not ready.
    pub absorbed: f64,
}

/// Clients that wait for the response before they send the next request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClosedLoop {
    /// Number of clients.
    pub clients: u32,
    /// Time between a response and the next request.
    pub thinking: Distribution,
    /// Time at which the clients begin, in seconds.
    pub from: f64,
}

/// Machine and limits of the container.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    /// CPU limit in cores, enforced in periods of 100 ms; absent without a limit.
    pub quota: Option<f64>,
    /// Maximum cores that the machine gives to this container.
    pub cores: f64,
    /// Windows in which the machine gives less: from, to, cores.
    pub neighbours: Vec<(f64, f64, f64)>,
    /// Jobs inside the app, as from, to, threads.
    pub jobs: Vec<(f64, f64, u32)>,
    /// Cores that the app uses without requests: its care thread, the heartbeat, timers.
    pub idle_cores: f64,
    /// Mean time for which a thread that wakes up waits for a core that other containers use, in
    /// seconds. It adds to the time in run queues alone, because it is short against all other times.
    pub wake_up_wait: f64,
}

/// Memory and descriptors, in percent of their limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    /// Usage of a new idle instance.
    pub base: f64,
    /// Final size of the caches.
    pub cache: f64,
    /// Time constant of the caches' growth, in seconds.
    pub cache_seconds: f64,
    /// Height of a collector's sawtooth.
    pub saw: f64,
    /// Period of the sawtooth, in seconds.
    pub saw_seconds: f64,
    /// Usage per request in flight.
    pub per_request: f64,
    /// Highest usage by requests.
    pub per_request_limit: f64,
    /// Set if the allocator keeps the highest usage by requests.
    pub retains: bool,
    /// Standard deviation of the noise.
    pub noise: f64,
    /// Descriptors of an idle instance.
    pub descriptors: f64,
    /// Limit of the descriptors.
    pub max_descriptors: f64,
    /// Memory limit in bytes.
    pub limit_bytes: f64,
}

/// Polls of the doctor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Doctor {
    /// Interval in seconds.
    pub interval: f64,
    /// Share of polls that are late, because the doctor lacks CPU.
    pub late_share: f64,
    /// Mean delay of a late poll in seconds.
    pub late_seconds: f64,
}

/// Set of the figures of a poll; `false` for an absent one.
///
/// `schema_2` stands for the figures that schema 2 of the report added. Each is reported only together with
/// the figures that it refines: response heads with `totals`, quota periods with `vitals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, clippy::struct_excessive_bools)] // named like the fields of `Health`
pub struct Visible {
    pub front_door: bool,
    pub instance_id: bool,
    pub hour_of_day: bool,
    pub started: bool,
    pub cpu: bool,
    pub memory: bool,
    pub totals: bool,
    pub cancelled: bool,
    pub in_flight: bool,
    pub latency: bool,
    pub vitals: bool,
    pub runtime: bool,
    pub checks: bool,
    pub schema_2: bool,
    /// Set if the doctor shares the network namespace of the app, so that it can read the sockets.
    pub sockets: bool,
}

// === impl Life ===

impl Life {
    /// Returns the life of a healthy app with one worker that serves each request in 10 ms of CPU
    /// time, at one request per second, for an hour.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            seconds: 3600.0,
            utc_hour: 12.0,
            service: Service::default(),
            clients: Clients::default(),
            machine: Machine::default(),
            memory: Memory::default(),
            faults: Vec::new(),
            doctor: Doctor::default(),
            visible: Visible::ALL,
        }
    }

    /// Returns the maximum cores that the container can use.
    #[must_use]
    pub fn cores(&self) -> f64 {
        self.machine
            .quota
            .map_or(self.machine.cores, |quota| quota.min(self.machine.cores))
    }

    /// Returns the requests per second that a warm instance can serve.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        self.service.capacity(self.cores())
    }
}

// === impl Visible ===

impl Visible {
    /// All figures.
    pub const ALL: Self = Self {
        front_door: true,
        instance_id: true,
        hour_of_day: true,
        started: true,
        cpu: true,
        memory: true,
        totals: true,
        cancelled: true,
        in_flight: true,
        latency: true,
        vitals: true,
        runtime: true,
        checks: true,
        schema_2: true,
        sockets: true,
    };
}

impl Default for Clients {
    fn default() -> Self {
        Self {
            rate: Rate::constant(1.0),
            evenly: false,
            closed: None,
            connections: None,
            patience: Distribution::Fixed(10.0),
            retries: 0.0,
            absorbed: 0.0,
        }
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            quota: None,
            cores: 4.0,
            neighbours: Vec::new(),
            jobs: Vec::new(),
            idle_cores: 0.0,
            wake_up_wait: 0.0,
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            base: 30.0,
            cache: 0.0,
            cache_seconds: 600.0,
            saw: 0.0,
            saw_seconds: 60.0,
            per_request: 0.0,
            per_request_limit: 100.0,
            retains: false,
            noise: 0.1,
            descriptors: 5.0,
            max_descriptors: 4096.0,
            limit_bytes: 512.0 * 1024.0 * 1024.0,
        }
    }
}

impl Default for Doctor {
    fn default() -> Self {
        Self {
            interval: 5.0,
            late_share: 0.0,
            late_seconds: 0.0,
        }
    }
}

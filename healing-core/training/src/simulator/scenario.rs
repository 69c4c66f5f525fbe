//! Scenarios by name, the faults of each, and their timing.

use super::app::SimulatedApp;
use super::faults::Faults;
use super::service_params::ServiceParams;
use healing_core::rng::Rng;

macro_rules! scenarios {
    ($($variant:ident $name:literal $doc:literal;)+) => {
        /// Kind of incident, or of operation without one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scenario { $(#[doc = $doc] $variant,)+ }

        impl Scenario {
            /// All scenarios, in the order of declaration.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// Returns the scenario's name in data sets and reports.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Returns a one-line description.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self { $(Self::$variant => $doc),+ }
            }
        }
    };
}

scenarios! {
    Healthy "healthy" "No fault; load varies, a few requests fail.";
    Noisy "noisy" "Intermittent errors of 1 to 8 %; load and CPU vary strongly.";
    DeployWarmUp "deploy_warm_up" "A new instance with cold caches, slow first requests and growing memory.";
    NightlyBatch "nightly_batch" "A job at night takes most of the CPU and of the memory, then finishes.";
    TrafficSpike "traffic_spike" "Load near or above capacity for some minutes.";
    RetryStorm "retry_storm" "A short overload that continues because of retries.";
    DependencyOutage "dependency_outage" "A declared dependency fails most calls, then recovers.";
    SlowDependency "slow_dependency" "A dependency is slow, but its check passes.";
    BadRollout "bad_rollout" "A new version fails a share of its requests from its first second.";
    CacheFill "cache_fill" "A large cache fills steadily and stops well below the limit.";
    SlowLeak "slow_leak" "Memory leaks and would reach the limit in 20 minutes to 4 hours.";
    PoisonedCache "poisoned_cache" "Bad cache entries fail a share of the requests until the cache is dropped.";
    PoolExhaustion "pool_exhaustion" "A pool leaks its slots, which causes queues and timeouts.";
    DeadConnections "dead_connections" "Pooled connections are dead after a failover; the dependency works.";
    JammedQueue "jammed_queue" "A consumer has stopped, so requests that need it wait until they time out.";
    FastLeak "fast_leak" "Memory leaks and reaches the limit in 3 to 12 minutes.";
    DescriptorLeak "descriptor_leak" "Descriptors leak and run out in 3 to 15 minutes.";
    Stall "stall" "All workers of the runtime are blocked.";
    BlockedWorkers "blocked_workers" "Most workers of the runtime are blocked, and the others lag.";
    CpuSpin "cpu_spin" "Threads in an endless loop leave little CPU for requests.";
    BrokenLock "broken_lock" "A panic has poisoned a lock, so requests that take it panic.";
}

/// Faults of one incident and their timing.
#[derive(Debug, Clone)]
pub(super) struct FaultSchedule {
    /// Faults that start at `onset`.
    pub(super) faults: Faults,
    /// Second at which the faults start.
    pub(super) onset: u32,
    /// Second at which the environment's faults (load, dependency, batch job) clear.
    pub(super) end: u32,
}

impl Scenario {
    /// Returns `true` if the incident starts with the start of a new instance.
    pub(super) fn begins_with_start(self) -> bool {
        matches!(
            self,
            Self::DeployWarmUp | Self::BadRollout | Self::CacheFill
        )
    }

    /// Adapts the service to the scenario.
    pub(super) fn adapt(self, params: &mut ServiceParams, rng: &mut Rng) {
        match self {
            Self::DependencyOutage | Self::SlowDependency => {
                params.dependencies = params.dependencies.max(1);
            }
            Self::CacheFill => {
                params.cache = rng.between(25.0, 45.0);
                params.memory = params.memory.min(35.0);
                params.cache_seconds = rng.between(120.0, 600.0);
            }
            Self::Noisy => params.swing = rng.between(0.2, 0.5),
            _ => {}
        }
    }

    /// Draws the faults and their timing.
    pub(super) fn schedule(self, app: &SimulatedApp, rng: &mut Rng) -> FaultSchedule {
        let params = &app.params;
        let headroom = capacity(params) / params.rate;
        let onset = if self.begins_with_start() {
            1
        } else {
            200 + rng.below(500)
        };
        let duration = 120 + rng.below(900);
        let mut end = u32::MAX;
        let mut faults = Faults {
            minor_dependency_down: params.dependencies > 1 && rng.unit() < 0.1,
            ..Faults::default()
        };
        let share = |rng: &mut Rng| rng.between(0.12_f64.ln(), 0.0).exp();
        let free_memory = 98.0 - params.memory - params.cache - params.saw;
        match self {
            Self::Healthy | Self::DeployWarmUp | Self::CacheFill => {}
            Self::Noisy => faults.intermittent_errors = rng.between(0.01, 0.08),
            Self::NightlyBatch => {
                faults.batch_cpu = rng.between(0.4, 0.85);
                faults.batch_memory = rng.between(0.2, 0.85) * free_memory;
                end = onset + duration;
            }
            Self::TrafficSpike => {
                faults.load = (headroom * rng.between(0.6, 1.4)).max(1.5);
                end = onset + duration;
            }
            Self::RetryStorm => {
                faults.load = (headroom * rng.between(1.2, 2.5)).max(2.0);
                faults.retries = rng.between(1.0, 3.0);
                end = onset + 20 + rng.below(60);
            }
            Self::DependencyOutage => {
                faults.dependency_down = rng.between(0.7, 1.0);
                faults.dependency_slow = rng.between(0.0, 5.0);
                end = onset + duration;
            }
            Self::SlowDependency => {
                faults.dependency_slow = rng.between(2.0, 15.0);
                end = onset + duration;
            }
            Self::BadRollout => {
                faults.bad_code = share(rng);
                faults.bad_code_panics = if rng.unit() < 0.4 { rng.unit() } else { 0.0 };
            }
            Self::SlowLeak => faults.memory_leak = free_memory / rng.between(1200.0, 14_400.0),
            Self::FastLeak => faults.memory_leak = free_memory / rng.between(180.0, 720.0),
            Self::DescriptorLeak => {
                faults.fd_leak = (100.0 - params.fds) / rng.between(180.0, 900.0);
            }
            Self::PoisonedCache => faults.poisoned = share(rng),
            Self::DeadConnections => {
                faults.dead_connections = share(rng);
                faults.dependency_slow = if rng.unit() < 0.5 {
                    rng.between(0.0, 3.0)
                } else {
                    0.0
                };
            }
            Self::PoolExhaustion => {
                faults.slot_leak = 1.0 / rng.between(10.0, 90.0);
                faults.max_leaked_slots = rng.between(0.96, 1.0);
            }
            Self::JammedQueue => faults.jammed = share(rng),
            Self::Stall => faults.stalled = true,
            Self::BlockedWorkers => faults.blocked = rng.between(0.6, 0.95),
            Self::CpuSpin => faults.spinning = params.cores * rng.between(0.6, 1.05),
            Self::BrokenLock => faults.broken_lock = share(rng),
        }
        FaultSchedule { faults, onset, end }
    }
}

/// Returns the capacity of a warm instance in requests per second.
fn capacity(params: &ServiceParams) -> f64 {
    (params.cores / params.cpu_seconds).min(params.slots / params.service)
}

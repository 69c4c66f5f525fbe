//! The situations by name, what happens in each, and when.

use super::app::App;
use super::faults::Faults;
use super::service_params::Character;
use healing_core::rng::Rng;

macro_rules! situations {
    ($($variant:ident $name:literal $doc:literal;)+) => {
        /// A kind of incident (or of none).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Situation { $(#[doc = $doc] $variant,)+ }

        impl Situation {
            /// All.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// Its name in data sets and reports.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What happens.
            #[must_use]
            pub fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc),+ }
            }
        }
    };
}

situations! {
    Healthy "healthy" "Nothing is wrong; load wanders, a few requests fail.";
    Noisy "noisy" "Errors of 1 to 8 % come and go, load and CPU swing.";
    DeployWarmUp "deploy_warm_up" "A new instance: cold caches, slow first requests, memory that fills.";
    NightlyBatch "nightly_batch" "At night a job takes most of the CPU and of the memory, then ends.";
    TrafficSpike "traffic_spike" "Load near or above capacity for minutes, then it goes.";
    RetryStorm "retry_storm" "A short overload whose failures come again, so that it outlives its cause.";
    DependencyOutage "dependency_outage" "A declared dependency fails most calls, then comes back.";
    SlowDependency "slow_dependency" "A dependency answers late; its check passes.";
    BadRollout "bad_rollout" "A new version fails a share of its requests from its first second.";
    CacheFill "cache_fill" "A large cache fills steadily and stops well below the limit.";
    SlowLeak "slow_leak" "Memory leaks and would hit the limit in 20 minutes to 4 hours.";
    PoisonedCache "poisoned_cache" "Bad cache entries fail a share of the requests until the cache is dropped.";
    PoolExhaustion "pool_exhaustion" "A pool's slots are not given back: queues, timeouts.";
    DeadConnections "dead_connections" "Pooled connections lead nowhere since a failover; the dependency is fine.";
    JammedQueue "jammed_queue" "A consumer is gone: requests that need it wait until they time out.";
    FastLeak "fast_leak" "Memory leaks and hits the limit in 3 to 12 minutes.";
    DescriptorLeak "descriptor_leak" "Descriptors leak and run out in 3 to 15 minutes.";
    Stall "stall" "Every worker of the runtime is blocked.";
    BlockedWorkers "blocked_workers" "Most workers of the runtime are blocked, the rest are late.";
    CpuSpin "cpu_spin" "Threads spin and leave little CPU to requests.";
    BrokenLock "broken_lock" "A panic has poisoned a lock: requests that take it panic.";
}

/// An incident's plan.
#[derive(Debug, Clone)]
pub(super) struct Course {
    /// The fault, for as long as it lasts.
    pub(super) faults: Faults,
    /// Second at which it begins.
    pub(super) onset: u32,
    /// Second at which the world's part of it ends by itself.
    pub(super) end: u32,
}

impl Situation {
    /// A new instance, watched from its start.
    pub(super) fn begins_with_start(self) -> bool {
        matches!(
            self,
            Self::DeployWarmUp | Self::BadRollout | Self::CacheFill
        )
    }

    /// Makes the service fit the situation.
    pub(super) fn shape(self, is: &mut Character, rng: &mut Rng) {
        match self {
            Self::DependencyOutage | Self::SlowDependency => {
                is.dependencies = is.dependencies.max(1);
            }
            Self::CacheFill => {
                is.cache = rng.between(25.0, 45.0);
                is.memory = is.memory.min(35.0);
                is.cache_seconds = rng.between(120.0, 600.0);
            }
            Self::Noisy => is.swing = rng.between(0.2, 0.5),
            _ => {}
        }
    }

    /// Draws when and how.
    pub(super) fn course(self, app: &App, rng: &mut Rng) -> Course {
        let is = &app.is;
        let headroom = capacity(is) / is.rate;
        let onset = if self.begins_with_start() {
            1
        } else {
            200 + rng.below(500)
        };
        let lasts = 120 + rng.below(900);
        let mut end = u32::MAX;
        let mut faults = Faults {
            minor_dependency_down: is.dependencies > 1 && rng.unit() < 0.1,
            ..Faults::default()
        };
        let share = |rng: &mut Rng| rng.between(0.12_f64.ln(), 0.0).exp();
        let room = 98.0 - is.memory - is.cache - is.saw;
        match self {
            Self::Healthy | Self::DeployWarmUp | Self::CacheFill => {}
            Self::Noisy => faults.noise = rng.between(0.01, 0.08),
            Self::NightlyBatch => {
                faults.batch_cpu = rng.between(0.4, 0.85);
                faults.batch_memory = rng.between(0.2, 0.85) * room;
                end = onset + lasts;
            }
            Self::TrafficSpike => {
                faults.load = (headroom * rng.between(0.6, 1.4)).max(1.5);
                end = onset + lasts;
            }
            Self::RetryStorm => {
                faults.load = (headroom * rng.between(1.2, 2.5)).max(2.0);
                faults.retries = rng.between(1.0, 3.0);
                end = onset + 20 + rng.below(60);
            }
            Self::DependencyOutage => {
                faults.dependency_down = rng.between(0.7, 1.0);
                faults.dependency_slow = rng.between(0.0, 5.0);
                end = onset + lasts;
            }
            Self::SlowDependency => {
                faults.dependency_slow = rng.between(2.0, 15.0);
                end = onset + lasts;
            }
            Self::BadRollout => {
                faults.bad_code = share(rng);
                faults.bad_code_panics = if rng.unit() < 0.4 { rng.unit() } else { 0.0 };
            }
            Self::SlowLeak => faults.memory_leak = room / rng.between(1200.0, 14_400.0),
            Self::FastLeak => faults.memory_leak = room / rng.between(180.0, 720.0),
            Self::DescriptorLeak => faults.fd_leak = (100.0 - is.fds) / rng.between(180.0, 900.0),
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
                faults.most_leaked_slots = rng.between(0.96, 1.0);
            }
            Self::JammedQueue => faults.jammed = share(rng),
            Self::Stall => faults.stalled = true,
            Self::BlockedWorkers => faults.blocked = rng.between(0.6, 0.95),
            Self::CpuSpin => faults.spinning = is.cores * rng.between(0.6, 1.05),
            Self::BrokenLock => faults.broken_lock = share(rng),
        }
        Course { faults, onset, end }
    }
}

/// Requests per second that a warm instance can serve.
fn capacity(is: &Character) -> f64 {
    (is.cores / is.cpu_seconds).min(is.slots / is.service)
}

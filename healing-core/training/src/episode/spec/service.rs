//! Constants of the app: runtime, work of a request, pool, limits, start.

use super::Distribution;

/// Constants of the app.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Worker threads of the async runtime. A worker serves one task at a time, in order of readiness.
    pub workers: u32,
    /// CPU time of a request.
    pub cpu: Distribution,
    /// Time for which a request blocks its worker without using the CPU (synchronous I/O).
    pub blocking: Distribution,
    /// Awaited resource between the two parts of a request's CPU time; absent for a handler that never awaits.
    pub pool: Option<Pool>,
    /// Share of the CPU time of a request that it uses before the await.
    pub cpu_before_await: f64,
    /// Requests in flight above which a further one gets a 503 response at once; absent without shedding.
    pub shed_above: Option<u64>,
    /// Connections that wait in front of the app; further ones are dropped and their clients time out.
    pub backlog: usize,
    /// Share of the connections that are served at once if they are the newest when a worker is free;
    /// all others are served in order of arrival. An async runtime runs the task that was spawned last
    /// first, so that some clients are served in time however long the queue. Without effect if
    /// `tasks_per_look` is set.
    pub newest_first: f64,
    /// Tasks that the workers run between two looks at sockets and timers while tasks are ready; 0 for a
    /// runtime that sees at once what happens. An async runtime looks only when a worker has nothing to
    /// do, or after so many tasks (tokio: `event_interval`, 61). A new connection is accepted at one look
    /// and read at the next, and a client that has left is noticed at a look.
    pub tasks_per_look: u32,
    /// Fate of the work of a client that left.
    pub on_leave: OnLeave,
    /// Share of requests that fail without any fault.
    pub errors: f64,
    /// Routes by share of the requests.
    pub routes: Vec<Route>,
    /// Time from which `share_after` of each route replaces `share`; infinite for never.
    pub mix_changes_at: f64,
    /// Duration of the recovery hooks of a soft heal, in seconds.
    pub hook_seconds: f64,
    /// Start of an instance.
    pub start: Start,
    /// Number of the declared dependencies; faults affect the first.
    pub dependencies: u32,
    /// Set if a local check watches the pool.
    pub local_check: bool,
}

/// Awaited resource with a limited number of slots: a connection pool, a dependency, a consumer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pool {
    /// Slots; `u32::MAX` for a wait without a limit.
    pub slots: u32,
    /// Time for which a request holds a slot.
    pub hold: Distribution,
    /// Waiting time after which a request fails with 500; infinite for an unbounded wait.
    pub acquire_timeout: f64,
}

/// Fate of the work of a client that left.
///
/// Real apps lie between `Stop` and `Discard`: hyper skips a request in front of the app if it sees the end of
/// the connection first, but an async runtime looks at its sockets only now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLeave {
    /// The future is dropped at its next await; a request that waits in front of the app is still begun.
    Stop,
    /// Like `Stop`, but a request that waits in front of the app is skipped at no cost.
    Discard,
    /// The work was spawned and continues; the layer counts the request as cancelled at once.
    Continue,
}

/// One route.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Route {
    /// Share of the requests.
    pub share: f64,
    /// Share of the requests after the mix has changed.
    pub share_after: f64,
    /// CPU time relative to [`Service::cpu`].
    pub cpu: f64,
}

/// Start of an instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Start {
    /// Age of the first instance at the episode's start, in seconds; negative if it still has to boot.
    pub age: f64,
    /// Time to create the container, in seconds, in which no port is bound.
    pub container_seconds: f64,
    /// Time from the process's start until it serves, in seconds.
    pub boot_seconds: f64,
    /// Set if the app's port is bound at the process's start, so that connections wait; otherwise
    /// they are refused until the app serves.
    pub binds_early: bool,
    /// Set if the care port is served while the app boots.
    pub care_first: bool,
    /// Set if the app declares on its care port that it is still starting.
    pub declares_starting: bool,
    /// Time constant of the additional CPU time per request of a young instance, in seconds.
    pub warm_up_seconds: f64,
    /// Additional CPU time per request at the start, relative to the usual.
    pub cold_factor: f64,
    /// Number of starts that crash at the end of their boot.
    pub crashes: u32,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            workers: 1,
            cpu: Distribution::Exponential(0.01),
            blocking: Distribution::Fixed(0.0),
            pool: None,
            cpu_before_await: 0.5,
            shed_above: None,
            backlog: 4096,
            newest_first: 0.0,
            tasks_per_look: 0,
            on_leave: OnLeave::Stop,
            errors: 0.0,
            routes: vec![Route {
                share: 1.0,
                share_after: 1.0,
                cpu: 1.0,
            }],
            mix_changes_at: f64::INFINITY,
            hook_seconds: 0.5,
            start: Start::default(),
            dependencies: 0,
            local_check: false,
        }
    }
}

impl Default for Start {
    fn default() -> Self {
        Self {
            age: 3600.0,
            container_seconds: 1.0,
            boot_seconds: 2.0,
            binds_early: false,
            care_first: false,
            declares_starting: false,
            warm_up_seconds: 1.0,
            cold_factor: 0.0,
            crashes: 0,
        }
    }
}

// === impl Service ===

impl Service {
    /// Returns the mean CPU time of a request at the first mix, in seconds.
    #[must_use]
    pub fn mean_cpu(&self) -> f64 {
        self.mean_cpu_of_mix(false)
    }

    fn mean_cpu_of_mix(&self, changed: bool) -> f64 {
        let share = |route: &Route| {
            if changed {
                route.share_after
            } else {
                route.share
            }
        };
        let factors = self.routes.iter().map(|route| share(route) * route.cpu);
        self.cpu.mean() * factors.sum::<f64>()
    }

    /// Returns the requests per second that a warm instance can serve with `cores` of CPU.
    #[must_use]
    pub fn capacity(&self, cores: f64) -> f64 {
        self.capacity_of_mix(cores, false, 1.0)
    }

    /// Returns the capacity for the mix before or after its change, with a slower pool.
    pub(crate) fn capacity_of_mix(&self, cores: f64, changed: bool, pool_factor: f64) -> f64 {
        let cpu = self.mean_cpu_of_mix(changed);
        let workers = f64::from(self.workers);
        let by_cpu = cores.min(workers) / cpu;
        let by_workers = workers / (cpu + self.blocking.mean());
        let by_pool = self.pool.map_or(f64::INFINITY, |pool| {
            f64::from(pool.slots) / (pool.hold.mean() * pool_factor)
        });
        by_cpu.min(by_workers).min(by_pool)
    }
}

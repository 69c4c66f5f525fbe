//! Faults, and the treatment that ends each.

/// One fault of the app or of its environment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// Effect while it is active.
    pub effect: Effect,
    /// TreatmentReport that ends it.
    pub cure: Cure,
    /// Time of the onset, in seconds since the episode's start.
    pub onset: f64,
    /// Time at which it ends by itself; infinite for never.
    pub end: f64,
}

/// TreatmentReport that ends a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cure {
    /// A soft heal, and a restart too.
    SoftHeal,
    /// A restart. Growth (a leak) begins again from nothing.
    Restart,
    /// No treatment of this app.
    Nothing,
}

/// Effect of a fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// Each request holds one process-wide lock for these seconds, and blocks its worker meanwhile.
    Convoy(f64),
    /// All workers are blocked.
    Wedge,
    /// This number of workers is blocked.
    BlockedWorkers(u32),
    /// Holding times of the pool are multiplied: a slow consumer behind an unbounded queue, a slow
    /// dependency that is not declared.
    SlowPool(f64),
    /// This share of the requests waits for a consumer that has ended, until the clients leave.
    Jam(f64),
    /// The pool loses these slots per second, until none is left.
    PoolLeak(f64),
    /// This share of the requests fails: a dead background task, a poisoned cache, a bad rollout.
    Errors(f64),
    /// This share of the requests to the route fails.
    RouteErrors(usize, f64),
    /// The declared dependency fails this share of the requests; its check fails too.
    DependencyDown(f64),
    /// This share of the requests panics.
    Panics(f64),
    /// The task that accepts connections has ended; `true` if its socket is closed, so that
    /// connections are refused, otherwise they wait.
    DeadFrontDoor(bool),
    /// Memory grows by this percentage of the limit per second.
    MemoryLeak(f64),
    /// Descriptors grow by this percentage of the limit per second.
    DescriptorLeak(f64),
    /// This number of threads runs in an endless loop.
    Spin(u32),
}

// === impl Fault ===

impl Fault {
    /// Returns a fault that does not end by itself.
    #[must_use]
    pub fn new(effect: Effect, cure: Cure, onset: f64) -> Self {
        Self {
            effect,
            cure,
            onset,
            end: f64::INFINITY,
        }
    }

    /// Reports if a treatment of the app can end it.
    #[must_use]
    pub fn is_treatable(&self) -> bool {
        self.cure != Cure::Nothing
    }
}

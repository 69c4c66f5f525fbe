//! Faults, and the treatment that stops each.

/// One fault of the app or of its environment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// Effect while the fault is active.
    pub effect: Effect,
    /// Treatment that stops the fault.
    pub cure: Cure,
    /// Time of the onset, in seconds since the episode's start.
    pub onset: f64,
    /// Time at which the fault clears without a treatment; infinite for never.
    pub end: f64,
}

/// Treatment that stops a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cure {
    /// A soft heal or a restart.
    SoftHeal,
    /// A restart, after which a leak starts from zero.
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
    /// Holding times of the pool are multiplied, for example by a slow consumer behind an unbounded
    /// queue, or by a slow dependency that is not declared.
    SlowPool(f64),
    /// This share of the requests waits for a consumer that has exited, until the clients leave.
    Jam(f64),
    /// The pool loses these slots per second, until none is left.
    PoolLeak(f64),
    /// This share of the requests fails, for example after a dead background task or a bad rollout.
    Errors(f64),
    /// This share of the requests to the route fails.
    RouteErrors(usize, f64),
    /// The declared dependency fails this share of the requests; its check fails too.
    DependencyDown(f64),
    /// This share of the requests panics.
    Panics(f64),
    /// The task that accepts connections has exited. Connections are refused if `true`, because the
    /// socket is closed; otherwise they wait.
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
    /// Returns a fault that does not clear without a treatment.
    #[must_use]
    pub fn new(effect: Effect, cure: Cure, onset: f64) -> Self {
        Self {
            effect,
            cure,
            onset,
            end: f64::INFINITY,
        }
    }

    /// Returns `true` if a treatment of the app can stop the fault.
    #[must_use]
    pub fn is_treatable(&self) -> bool {
        self.cure != Cure::Nothing
    }
}

//! What can be wrong with a simulated app or its world, and which treatment ends it.
//!
//! | fault | soft heal | restart |
//! |---|---|---|
//! | poisoned cache entries, dead connections, leaked pool slots, a jammed queue | ends it | ends it |
//! | leaked memory, leaked descriptors | – | gives all back; the leak goes on |
//! | spinning threads, blocked workers, a stalled runtime, a broken lock | – | ends it |
//! | bad code, a dependency, load, a batch job | – | – |

/// Everything off is a healthy app.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    /// Share of requests that meet a bad cache entry.
    pub(super) poisoned: f64,
    /// Share of requests that get a connection whose other end is gone.
    pub(super) dead_connections: f64,
    /// Share of the pool's slots that are never given back …
    pub(super) leaked_slots: f64,
    /// … and how fast it grows, per second, up to …
    pub(super) slot_leak: f64,
    /// … this.
    pub(super) most_leaked_slots: f64,
    /// Share of requests that wait for a consumer that will never come.
    pub(super) jammed: f64,
    /// Memory that was leaked, in percent of the limit …
    pub(super) leaked_memory: f64,
    /// … and how fast, per second.
    pub(super) memory_leak: f64,
    /// Descriptors likewise.
    pub(super) leaked_fds: f64,
    /// Per second.
    pub(super) fd_leak: f64,
    /// Cores burnt by threads that will not stop.
    pub(super) spinning: f64,
    /// Share of the runtime's workers that sit in a blocking call.
    pub(super) blocked: f64,
    /// No worker is left.
    pub(super) stalled: bool,
    /// Share of requests that panic on a lock another panic has poisoned.
    pub(super) broken_lock: f64,
    /// Share of requests that this version's code fails …
    pub(super) bad_code: f64,
    /// … and the part of these that panic.
    pub(super) bad_code_panics: f64,
    /// Share of the critical dependency's calls that fail.
    pub(super) dependency_down: f64,
    /// How many times longer requests take because of it.
    pub(super) dependency_slow: f64,
    /// A dependency that hardly matters fails its check.
    pub(super) minor_dependency_down: bool,
    /// Load over the usual; 0 counts as 1.
    pub(super) load: f64,
    /// How many of the failed requests come again, beyond the usual.
    pub(super) retries: f64,
    /// Cores used by a batch job, as a share of the limit …
    pub(super) batch_cpu: f64,
    /// … and its memory, in percent of the limit, once it has filled.
    pub(super) batch_memory: f64,
    /// Errors that come and go beyond the usual: a share.
    pub(super) noise: f64,
}

impl Faults {
    /// One second of growth.
    pub(super) fn grow(&mut self) {
        if self.slot_leak > 0.0 {
            self.leaked_slots = (self.leaked_slots + self.slot_leak).min(self.most_leaked_slots);
        }
        self.leaked_memory += self.memory_leak;
        self.leaked_fds += self.fd_leak;
    }

    /// What a soft heal ends: hooks drop the caches, rebuild the pools, start consumers anew.
    pub(super) fn soft_heal(&mut self) {
        self.poisoned = 0.0;
        self.dead_connections = 0.0;
        self.leaked_slots = 0.0;
        self.slot_leak = 0.0;
        self.jammed = 0.0;
    }

    /// What a new process ends.
    pub(super) fn restart(&mut self) {
        self.soft_heal();
        self.leaked_memory = 0.0;
        self.leaked_fds = 0.0;
        self.spinning = 0.0;
        self.blocked = 0.0;
        self.stalled = false;
        self.broken_lock = 0.0;
    }
}

//! Faults of a simulated app and of its environment, and the treatments that clear each.
//!
//! | fault | soft heal | restart |
//! |---|---|---|
//! | poisoned cache entries, dead connections, leaked pool slots, a jammed queue | clears it | clears it |
//! | leaked memory, leaked descriptors | – | frees all; the leak continues |
//! | spinning threads, blocked workers, a stalled runtime, a broken lock | – | clears it |
//! | bad code, a dependency, load, a batch job | – | – |

/// Active faults; the default is a healthy app.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Faults {
    /// Share of requests that read a bad cache entry.
    pub(crate) poisoned: f64,
    /// Share of requests that get a connection whose peer is gone.
    pub(crate) dead_connections: f64,
    /// Share of the pool's slots that are leaked.
    pub(crate) leaked_slots: f64,
    /// Rise of `leaked_slots` per second.
    pub(crate) slot_leak: f64,
    /// Maximum of `leaked_slots`.
    pub(crate) max_leaked_slots: f64,
    /// Share of requests that wait for a consumer that has stopped.
    pub(crate) jammed: f64,
    /// Leaked memory, in percent of the limit.
    pub(crate) leaked_memory: f64,
    /// Rise of `leaked_memory` per second.
    pub(crate) memory_leak: f64,
    /// Leaked descriptors, in percent of the limit.
    pub(crate) leaked_fds: f64,
    /// Rise of `leaked_fds` per second.
    pub(crate) fd_leak: f64,
    /// CPU used by threads in an endless loop, in cores.
    pub(crate) spinning: f64,
    /// Share of the runtime's workers that are in a blocking call.
    pub(crate) blocked: f64,
    /// Set if all workers of the runtime are blocked.
    pub(crate) stalled: bool,
    /// Share of requests that panic on a poisoned lock.
    pub(crate) broken_lock: f64,
    /// Share of requests that fail by a defect of this version.
    pub(crate) bad_code: f64,
    /// Share of the `bad_code` failures that panic.
    pub(crate) bad_code_panics: f64,
    /// Share of the calls to the critical dependency that fail.
    pub(crate) dependency_down: f64,
    /// Relative increase of request durations by a slow dependency.
    pub(crate) dependency_slow: f64,
    /// Set if a dependency without effect on requests fails its check.
    pub(crate) minor_dependency_down: bool,
    /// Load relative to the usual load; 0 stands for 1.
    pub(crate) load: f64,
    /// Share of failed requests that are retried, in addition to the usual retries.
    pub(crate) retries: f64,
    /// CPU used by a batch job, as a share of the limit.
    pub(crate) batch_cpu: f64,
    /// Memory used by a batch job once it has ramped up, in percent of the limit.
    pub(crate) batch_memory: f64,
    /// Share of requests that fail intermittently, in addition to the usual errors.
    pub(crate) intermittent_errors: f64,
}

impl Faults {
    /// Advances all leaks by one second.
    pub(crate) fn grow_leaks(&mut self) {
        if self.slot_leak > 0.0 {
            self.leaked_slots = (self.leaked_slots + self.slot_leak).min(self.max_leaked_slots);
        }
        self.leaked_memory += self.memory_leak;
        self.leaked_fds += self.fd_leak;
    }

    /// Clears the faults that hooks clear by dropping caches, rebuilding pools and restarting consumers.
    pub(crate) fn clear_by_soft_heal(&mut self) {
        self.poisoned = 0.0;
        self.dead_connections = 0.0;
        self.leaked_slots = 0.0;
        self.slot_leak = 0.0;
        self.jammed = 0.0;
    }

    /// Clears the faults that a new process does not have.
    pub(crate) fn clear_by_restart(&mut self) {
        self.clear_by_soft_heal();
        self.leaked_memory = 0.0;
        self.leaked_fds = 0.0;
        self.spinning = 0.0;
        self.blocked = 0.0;
        self.stalled = false;
        self.broken_lock = 0.0;
    }
}

//! Active faults and their combined effect.

use crate::episode::spec::{Cure, Effect, Fault};

/// State of all faults.
#[derive(Debug)]
pub(super) struct FaultState {
    /// Faults; `true` for one that a treatment has stopped.
    faults: Vec<(Fault, bool)>,
    pub(super) active: Active,
}

/// Combined effect of the active faults.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Active {
    /// Seconds for which a request holds the lock.
    pub(super) lock: f64,
    /// Number of blocked workers.
    pub(super) blocked: u32,
    /// Factor of the holding times of the pool.
    pub(super) pool_factor: f64,
    /// Slots that leak per second.
    pub(super) pool_leak: f64,
    /// Share of the requests that wait permanently.
    pub(super) jammed: f64,
    /// Share of the requests that fail.
    pub(super) errors: f64,
    /// Index of a route, and share of its requests that fail.
    pub(super) route_errors: Option<(usize, f64)>,
    /// Share of the requests that fail because of the dependency.
    pub(super) dependency_down: f64,
    /// Share of the requests that panic.
    pub(super) panics: f64,
    /// Set if no connection is accepted; `Some(true)` if connections are refused.
    pub(super) front_door_closed: Option<bool>,
    /// Growth of memory in percent of the limit per second.
    pub(super) memory_leak: f64,
    /// Growth of descriptors in percent of the limit per second.
    pub(super) descriptor_leak: f64,
    /// Number of threads in an endless loop.
    pub(super) spinning: u32,
}

// === impl FaultState ===

impl FaultState {
    /// Returns the state before the first onset.
    pub(super) fn new(faults: &[Fault]) -> Self {
        Self {
            faults: faults.iter().map(|fault| (*fault, false)).collect(),
            active: Active {
                pool_factor: 1.0,
                ..Active::default()
            },
        }
    }

    /// Combines the faults that are active at this time.
    pub(super) fn update(&mut self, now: f64) {
        let mut active = Active {
            pool_factor: 1.0,
            ..Active::default()
        };
        for (fault, ended) in &self.faults {
            if *ended || now < fault.onset || now >= fault.end {
                continue;
            }
            match fault.effect {
                Effect::Convoy(seconds) => active.lock = seconds,
                Effect::Wedge => active.blocked = u32::MAX,
                Effect::BlockedWorkers(workers) => {
                    active.blocked = active.blocked.saturating_add(workers);
                }
                Effect::SlowPool(factor) => active.pool_factor *= factor,
                Effect::Jam(share) => active.jammed = share,
                Effect::PoolLeak(slots) => active.pool_leak += slots,
                Effect::Errors(share) => active.errors = share,
                Effect::RouteErrors(route, share) => active.route_errors = Some((route, share)),
                Effect::DependencyDown(share) => active.dependency_down = share,
                Effect::Panics(share) => active.panics = share,
                Effect::DeadFrontDoor(closed) => active.front_door_closed = Some(closed),
                Effect::MemoryLeak(rate) => active.memory_leak += rate,
                Effect::DescriptorLeak(rate) => active.descriptor_leak += rate,
                Effect::Spin(threads) => active.spinning += threads,
            }
        }
        self.active = active;
    }

    /// Stops the faults that a soft heal stops. Returns `true` if there was one.
    pub(super) fn soft_heal(&mut self, now: f64) -> bool {
        self.end(now, |fault| fault.cure == Cure::SoftHeal)
    }

    /// Stops the faults that a restart stops; leaks continue. Returns `true` if there was one.
    pub(super) fn restart(&mut self, now: f64) -> bool {
        let leaks = |effect| matches!(effect, Effect::MemoryLeak(_) | Effect::DescriptorLeak(_));
        let leaking = self.faults.iter().any(|(fault, ended)| {
            !ended && fault.is_treatable() && fault.onset <= now && leaks(fault.effect)
        });
        self.end(now, |fault| fault.is_treatable() && !leaks(fault.effect)) | leaking
    }

    fn end(&mut self, now: f64, ends: impl Fn(&Fault) -> bool) -> bool {
        let mut any = false;
        for (fault, ended) in &mut self.faults {
            if !*ended && now >= fault.onset && now < fault.end && ends(fault) {
                *ended = true;
                any = true;
            }
        }
        self.update(now);
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn treatments_end_the_faults_that_they_cure() {
        let faults = [
            Fault::new(Effect::Errors(0.5), Cure::SoftHeal, 10.0),
            Fault::new(Effect::Wedge, Cure::Restart, 10.0),
            Fault::new(Effect::SlowPool(4.0), Cure::Nothing, 10.0),
            Fault::new(Effect::MemoryLeak(0.1), Cure::Restart, 10.0),
        ];
        let mut state = FaultState::new(&faults);
        state.update(5.0);
        assert!(!state.soft_heal(5.0), "before the onset");
        state.update(10.0);
        assert!(state.active.errors > 0.0 && state.active.blocked > 0);
        assert!(state.soft_heal(11.0) && !state.soft_heal(12.0));
        assert!(state.active.errors == 0.0 && state.active.blocked > 0);
        assert!(state.restart(13.0));
        assert_eq!(state.active.blocked, 0);
        assert!(state.active.pool_factor > 1.0 && state.active.memory_leak > 0.0);
    }
}

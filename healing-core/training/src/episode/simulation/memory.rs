//! Memory and descriptors of an instance: cache, sawtooth, allocator retention, leaks.

use crate::episode::spec::Memory;

/// Usage in percent of the limits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// Memory in use.
    pub(super) memory: f64,
    /// Descriptors in use.
    pub(super) descriptors: f64,
    /// Memory for requests that the allocator keeps.
    retained: f64,
    leaked_memory: f64,
    leaked_descriptors: f64,
}

// === impl Usage ===

impl Usage {
    /// Leaks memory and descriptors, in percent of the limits.
    pub(super) fn leak(&mut self, memory: f64, descriptors: f64) {
        self.leaked_memory += memory;
        self.leaked_descriptors += descriptors;
    }

    /// Computes the usage. `noise` is standard normal, `open` is the number of requests in flight,
    /// and `job` the memory of jobs in percent.
    pub(super) fn update(&mut self, shape: &Memory, uptime: f64, open: f64, job: f64, noise: f64) {
        let by_requests = (shape.per_request * open).min(shape.per_request_limit);
        self.retained = if shape.retains {
            self.retained.max(by_requests)
        } else {
            by_requests
        };
        let cache = shape.cache * (1.0 - (-uptime / shape.cache_seconds).exp());
        let saw = shape.saw * (uptime / shape.saw_seconds).fract();
        let usage = shape.base + cache + saw + self.retained + job + self.leaked_memory;
        self.memory = (usage + shape.noise * noise).clamp(0.01, 100.0);
        let sockets = 100.0 * open / shape.max_descriptors;
        let descriptors = shape.descriptors + sockets + self.leaked_descriptors;
        self.descriptors = descriptors.clamp(0.0, 100.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage_at(shape: &Memory, uptime: f64, open: f64) -> f64 {
        let mut usage = Usage::default();
        usage.update(shape, uptime, open, 0.0, 0.0);
        usage.memory
    }

    #[test]
    fn cache_fills_to_its_plateau() {
        let shape = Memory {
            base: 20.0,
            cache: 40.0,
            cache_seconds: 100.0,
            ..Memory::default()
        };
        assert!((usage_at(&shape, 100.0, 0.0) - (20.0 + 40.0 * 0.632)).abs() < 0.1);
        assert!((usage_at(&shape, 5000.0, 0.0) - 60.0).abs() < 0.1);
    }

    #[test]
    fn allocator_keeps_the_highest_usage_only_if_it_retains() {
        for (retains, expected) in [(true, 80.0), (false, 30.0)] {
            let shape = Memory {
                per_request: 0.5,
                retains,
                ..Memory::default()
            };
            let mut usage = Usage::default();
            usage.update(&shape, 10.0, 100.0, 0.0, 0.0);
            usage.update(&shape, 20.0, 0.0, 0.0, 0.0);
            assert!((usage.memory - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn sawtooth_falls_once_per_period() {
        let shape = Memory {
            saw: 20.0,
            saw_seconds: 50.0,
            ..Memory::default()
        };
        assert!(usage_at(&shape, 149.0, 0.0) > usage_at(&shape, 151.0, 0.0) + 15.0);
    }
}

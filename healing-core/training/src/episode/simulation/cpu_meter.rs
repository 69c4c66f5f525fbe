//! Measurement of the container's CPU time, once per second.

use super::cpu::CpuTotals;

/// CPU time at the last two samples and at the start of the process.
#[derive(Debug, Default)]
pub(super) struct CpuMeter {
    /// Time and total CPU time of the last two samples.
    samples: [(f64, f64); 2],
    /// Total CPU time at the start of the process.
    at_start: f64,
}

// === impl CpuMeter ===

impl CpuMeter {
    /// Takes a sample.
    pub(super) fn sample(&mut self, now: f64, totals: &CpuTotals) {
        self.samples = [self.samples[1], (now, totals.used)];
    }

    /// Records the start of a process.
    pub(super) fn start(&mut self, totals: &CpuTotals) {
        self.at_start = totals.used;
    }

    /// Returns the cores used between the last two samples.
    pub(super) fn cores(&self) -> f64 {
        let [(from, before), (to, after)] = self.samples;
        (after - before) / (to - from).max(0.1)
    }

    /// Returns the CPU time of the process in seconds.
    pub(super) fn seconds(&self, totals: &CpuTotals) -> f64 {
        totals.used - self.at_start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_that_of_the_last_interval() {
        let mut meter = CpuMeter::default();
        let totals = |used| CpuTotals {
            used,
            ..CpuTotals::default()
        };
        meter.start(&totals(1.0));
        for (now, used) in [(1.0, 1.0), (2.0, 1.5), (3.0, 3.0)] {
            meter.sample(now, &totals(used));
        }
        assert!((meter.cores() - 1.5).abs() < 1e-9);
        assert!((meter.seconds(&totals(3.0)) - 2.0).abs() < 1e-9);
    }
}

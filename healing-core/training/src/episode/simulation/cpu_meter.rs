//! Measurement of the process's CPU time: its rise once per second, and totals since its start.

use super::cpu::CpuTotals;

/// CPU time at the last two samples and at the start of the process.
#[derive(Debug, Default)]
pub(super) struct CpuMeter {
    /// Time and total CPU time of the last two samples.
    samples: [(f64, f64); 2],
    /// Totals at the start of the process.
    at_start: CpuTotals,
}

// === impl CpuMeter ===

impl CpuMeter {
    /// Takes a sample.
    pub(super) fn sample(&mut self, now: f64, totals: &CpuTotals) {
        self.samples = [self.samples[1], (now, totals.used)];
    }

    /// Records the start of a process.
    pub(super) fn start(&mut self, totals: &CpuTotals) {
        self.at_start = *totals;
    }

    /// Returns the cores used between the last two samples.
    pub(super) fn cores(&self) -> f64 {
        let [(from, before), (to, after)] = self.samples;
        (after - before) / (to - from).max(0.1)
    }

    /// Returns the CPU time of the process in seconds.
    pub(super) fn seconds(&self, totals: &CpuTotals) -> f64 {
        totals.used - self.at_start.used
    }

    /// Returns the CPU time of the busiest thread of the process in seconds.
    pub(super) fn busiest_seconds(&self, totals: &CpuTotals) -> f64 {
        totals.busiest - self.at_start.busiest
    }

    /// Returns the time for which threads of the process were ready to run but did not, in seconds.
    pub(super) fn wait_seconds(&self, totals: &CpuTotals) -> f64 {
        let wait = |totals: &CpuTotals| totals.run_queue + totals.throttled_run_queue;
        wait(totals) - wait(&self.at_start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(used: f64) -> CpuTotals {
        CpuTotals {
            used,
            busiest: 0.5 * used,
            run_queue: 2.0 * used,
            throttled_run_queue: used,
            ..CpuTotals::default()
        }
    }

    #[test]
    fn usage_is_that_of_the_last_interval() {
        let mut meter = CpuMeter::default();
        for (now, used) in [(1.0, 1.0), (2.0, 1.5), (3.0, 3.0)] {
            meter.sample(now, &totals(used));
        }
        assert!((meter.cores() - 1.5).abs() < 1e-9);
    }

    #[test]
    fn totals_are_those_of_the_process() {
        let mut meter = CpuMeter::default();
        meter.start(&totals(1.0));
        let now = totals(3.0);
        assert!((meter.seconds(&now) - 2.0).abs() < 1e-9);
        assert!((meter.busiest_seconds(&now) - 1.0).abs() < 1e-9);
        assert!((meter.wait_seconds(&now) - 6.0).abs() < 1e-9);
    }
}

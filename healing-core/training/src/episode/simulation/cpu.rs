//! CPU of the container. Running threads share the cores equally, and a CFS quota stops all of them
//! until the next period.
//!
//! Threads progress at one common speed, so a job's end is a fixed point on a virtual clock that runs
//! at that speed. A change of speed does not change this point.

use crate::episode::spec::Machine;

/// Length of a quota period in seconds, the kernel's default.
pub(super) const PERIOD: f64 = 0.1;
/// Difference below which two times are equal, in seconds.
const EPSILON: f64 = 1e-9;
/// Wake-ups per second of an app without requests: ten pings of the heartbeat, by the care thread and in
/// the runtime.
const IDLE_WAKE_UPS: f64 = 20.0;

/// CPU of one container.
#[derive(Debug)]
pub(super) struct Cpu {
    now: f64,
    /// CPU time per period; infinite without a quota.
    quota: f64,
    /// Cores that the machine gives.
    cores: f64,
    /// Cores used without any job.
    idle_cores: f64,
    /// Time in run queues of a wake-up.
    wake_up_wait: f64,
    /// Number of threads that run in addition to the jobs and never stop.
    extra: u32,
    /// CPU time used in this period.
    used: f64,
    throttled: bool,
    /// Time on the virtual clock.
    virtual_now: f64,
    /// End of the current period.
    period_end: f64,
    /// Number of the first period that is not counted yet.
    periods_until: u64,
    /// Time of the next event; absent until it is computed.
    next: Option<f64>,
    /// Virtual end and job of each running thread.
    running: Vec<(f64, Job)>,
    pub(super) totals: CpuTotals,
}

/// Number of a job, which the caller chooses.
pub(super) type Job = u32;

/// Totals since the start of the episode, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CpuTotals {
    /// CPU time used.
    pub used: f64,
    /// Time for which the container was throttled.
    pub throttled: f64,
    /// Number of periods of the quota in which a thread was ready to run; zero without a quota.
    pub periods: u64,
    /// Number of periods in which the container was throttled.
    pub throttled_periods: u64,
    /// CPU time of the busiest thread of each moment. Upper bound of a real measurement if several workers
    /// take turns, because each is the busiest for a part of an interval.
    pub busiest: f64,
    /// Time for which threads that were ready to run waited for a core, outside of throttling, summed
    /// over threads.
    pub run_queue: f64,
    /// Time for which threads that were ready to run were throttled, summed over threads. The kernel
    /// counts it as time in run queues too.
    pub throttled_run_queue: f64,
}

// === impl Cpu ===

impl Cpu {
    /// Returns the CPU of a container without threads that run.
    pub(super) fn new(machine: &Machine) -> Self {
        Self {
            now: 0.0,
            quota: machine.quota.map_or(f64::INFINITY, |quota| quota * PERIOD),
            cores: machine.cores,
            idle_cores: machine.idle_cores,
            wake_up_wait: machine.wake_up_wait,
            extra: 0,
            used: 0.0,
            throttled: false,
            virtual_now: 0.0,
            period_end: PERIOD,
            periods_until: 0,
            next: None,
            running: Vec::new(),
            totals: CpuTotals::default(),
        }
    }

    /// Sets the cores that the machine gives.
    pub(super) fn set_cores(&mut self, cores: f64) {
        self.cores = cores;
        self.next = None;
    }

    /// Sets the number of threads that never stop.
    pub(super) fn set_extra(&mut self, threads: u32) {
        self.extra = threads;
        self.next = None;
    }

    /// Counts the time in run queues of a thread that wakes up.
    pub(super) fn wake_up(&mut self) {
        self.totals.run_queue += self.wake_up_wait;
    }

    /// Starts a job of this CPU time.
    pub(super) fn start(&mut self, job: Job, seconds: f64) {
        self.running.push((self.virtual_now + seconds, job));
        self.next = None;
    }

    /// Drops all jobs.
    pub(super) fn clear(&mut self) {
        self.running.clear();
        self.next = None;
    }

    /// Returns the cores that the threads that never stop leave.
    pub(super) fn cores_left(&self) -> f64 {
        let limit = self.cores.min(self.quota / PERIOD);
        (limit - f64::from(self.extra)).max(0.0)
    }

    /// Returns the time at which throttling stops; `None` if the container is not throttled.
    pub(super) fn throttled_until(&self) -> Option<f64> {
        self.throttled.then_some(self.period_end)
    }

    /// Returns the running threads per core, at least 1.
    pub(super) fn contention(&self) -> f64 {
        (self.threads() / self.cores).max(1.0)
    }

    /// Returns the time at which the next job ends, or throttling starts or stops.
    pub(super) fn next_event(&mut self) -> f64 {
        let next = self.next.unwrap_or_else(|| self.compute_next());
        self.next = Some(next);
        next
    }

    fn compute_next(&self) -> f64 {
        let threads = self.threads();
        if threads == 0.0 {
            return f64::INFINITY;
        }
        if self.throttled {
            return self.period_end;
        }
        let rate = threads.min(self.cores);
        let next = self
            .running
            .iter()
            .map(|(end, _)| *end)
            .fold(f64::INFINITY, f64::min);
        let end_of_job = self.now + (next - self.virtual_now).max(0.0) * threads / rate;
        if self.quota.is_infinite() {
            return end_of_job;
        }
        let period_end = self.period_end;
        let exhausted = self.now + (self.quota - self.used).max(0.0) / rate;
        let boundary = if exhausted < period_end - EPSILON {
            exhausted
        } else if rate * PERIOD > self.quota {
            period_end
        } else {
            f64::INFINITY
        };
        end_of_job.min(boundary)
    }

    /// Advances to `to`, at most the [next event](Self::next_event). Returns a job that ends then.
    pub(super) fn advance(&mut self, to: f64) -> Option<Job> {
        let elapsed = to - self.now;
        let threads = self.threads();
        let rate = threads.min(self.cores);
        if self.throttled {
            let throttled = elapsed.min(self.period_end - self.now).max(0.0);
            self.totals.throttled += throttled;
            self.totals.throttled_run_queue += throttled * threads;
        } else if threads > 0.0 {
            self.virtual_now += elapsed * rate / threads;
            // All threads run at the speed of the virtual clock, which advances while one runs.
            self.totals.busiest = self.virtual_now;
            self.totals.used += elapsed * rate;
            self.totals.run_queue += elapsed * (threads - rate);
            self.used += elapsed * rate;
        }
        self.totals.used += elapsed * self.idle_cores;
        self.totals.run_queue += elapsed * IDLE_WAKE_UPS * self.wake_up_wait;
        if self.quota.is_finite() && threads > 0.0 {
            self.count_periods(to);
        }
        self.now = to;
        if self.quota.is_finite() {
            self.advance_period(rate);
        }
        if self.next.is_some_and(|next| to < next) {
            return None;
        }
        let ended = self.take_ended();
        self.next = None;
        ended
    }

    /// Counts the periods up to a time, in which threads are ready to run.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative
    fn count_periods(&mut self, to: f64) {
        let first = ((self.now + EPSILON) / PERIOD) as u64;
        let end = ((to - EPSILON) / PERIOD).ceil() as u64;
        self.totals.periods += end.saturating_sub(first.max(self.periods_until));
        self.periods_until = self.periods_until.max(end);
    }

    /// Begins the current period, and throttles once its quota is used.
    fn advance_period(&mut self, rate: f64) {
        if self.now >= self.period_end - EPSILON {
            let start = ((self.now + EPSILON) / PERIOD).floor() * PERIOD;
            self.period_end = start + PERIOD;
            self.throttled = false;
            self.used = (self.now - start).max(0.0) * rate;
        }
        if !self.throttled && self.used >= self.quota - EPSILON {
            self.throttled = true;
            self.totals.throttled_periods += 1;
        }
    }

    /// Returns a further job that ends at the current time.
    pub(super) fn take_ended(&mut self) -> Option<Job> {
        let now = self.virtual_now + EPSILON;
        let ended = self.running.iter().position(|(end, _)| *end <= now)?;
        let job = self.running.swap_remove(ended).1;
        self.next = None;
        Some(job)
    }

    #[allow(clippy::cast_precision_loss)] // few threads
    fn threads(&self) -> f64 {
        self.running.len() as f64 + f64::from(self.extra)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(quota: Option<f64>, cores: f64) -> Cpu {
        Cpu::new(&Machine {
            quota,
            cores,
            ..Machine::default()
        })
    }

    /// Runs one job to its end.
    fn time_of(cpu: &mut Cpu, seconds: f64) -> f64 {
        let from = cpu.now;
        cpu.start(1, seconds);
        for _ in 0..1_000_000 {
            let next = cpu.next_event();
            if cpu.advance(next).is_some() {
                return cpu.now - from;
            }
        }
        f64::NAN
    }

    #[test]
    fn job_alone_takes_its_cpu_time() {
        assert!((time_of(&mut cpu(None, 1.0), 0.25) - 0.25).abs() < 1e-9);
    }

    #[test]
    fn quota_stretches_a_job_by_its_inverse() {
        // 1 s at a quota of 0.2: 49 periods of 20 ms each, and the last 20 ms at the start of the 50th.
        let mut cpu = cpu(Some(0.2), 4.0);
        assert!((time_of(&mut cpu, 1.0) - 4.92).abs() < 1e-6);
        assert!((cpu.totals.throttled - 49.0 * 0.08).abs() < 1e-6);
        assert!((cpu.totals.used - 1.0).abs() < 1e-6);
        assert_eq!((cpu.totals.periods, cpu.totals.throttled_periods), (50, 50));
    }

    #[test]
    fn threads_share_too_few_cores_equally() {
        let mut cpu = cpu(None, 2.0);
        cpu.set_extra(3);
        assert!(
            (time_of(&mut cpu, 0.5) - 1.0).abs() < 1e-9,
            "4 threads on 2 cores"
        );
        assert!((cpu.totals.run_queue - 2.0).abs() < 1e-9);
        assert!((cpu.totals.busiest - 0.5).abs() < 1e-9);
    }

    #[test]
    fn idle_app_uses_its_idle_cores_and_waits_at_each_wake_up() {
        let mut cpu = Cpu::new(&Machine {
            idle_cores: 0.002,
            wake_up_wait: 0.0003,
            ..Machine::default()
        });
        cpu.wake_up();
        cpu.advance(100.0);
        assert!((cpu.totals.used - 0.2).abs() < 1e-9);
        assert!((cpu.totals.run_queue - 2001.0 * 0.0003).abs() < 1e-9);
    }

    #[test]
    fn demand_below_the_quota_is_not_throttled() {
        let mut cpu = cpu(Some(1.0), 4.0);
        assert!((time_of(&mut cpu, 5.0) - 5.0).abs() < 1e-6);
        assert!(cpu.totals.throttled < 1e-6);
    }
}

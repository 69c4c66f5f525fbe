//! Arrival rate over time in steps of ten seconds, with daily ramps, bursts and changes of level.

use std::f64::consts::TAU;

use healing_core::rng::Rng;

use super::distribution::exponential;

/// Length of a step in seconds.
const STEP: f64 = 10.0;

/// Arrival rate over the episode. The last step extends to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    steps: Vec<f64>,
}

// === impl Rate ===

impl Rate {
    /// Returns a constant rate in requests per second.
    #[must_use]
    pub fn constant(rate: f64) -> Self {
        Self { steps: vec![rate] }
    }

    /// Returns the rate that is `f(t)` at the middle of each step, over `seconds`.
    #[must_use]
    pub fn of(seconds: f64, f: impl Fn(f64) -> f64) -> Self {
        let mut steps = Vec::new();
        let mut middle = 0.5 * STEP;
        while middle < seconds.max(STEP) {
            steps.push(f(middle).max(0.0));
            middle += STEP;
        }
        Self { steps }
    }

    /// Returns a daily course around `rate` for an episode that begins at `hour` of local time, with
    /// its peak at 14:00. `swing` is the amplitude relative to `rate`, 0–1.
    #[must_use]
    pub fn daily(seconds: f64, rate: f64, swing: f64, hour: f64) -> Self {
        Self::of(seconds, |t| {
            rate * (1.0 + swing * (TAU * (hour + t / 3600.0 - 14.0) / 24.0).cos())
        })
    }

    /// Multiplies the rate from `from` to `to` seconds by `factor`.
    #[must_use]
    pub fn times(mut self, from: f64, to: f64, factor: f64) -> Self {
        let mut start = 0.0;
        for step in &mut self.steps {
            if start + STEP > from && start < to {
                *step *= factor;
            }
            start += STEP;
        }
        self
    }

    /// Limits the rate to `most`.
    #[must_use]
    pub fn capped(mut self, most: f64) -> Self {
        for step in &mut self.steps {
            *step = step.min(most);
        }
        self
    }

    /// Adds bursts of `length` seconds and this factor, with pauses of `every` seconds on average.
    #[must_use]
    pub fn bursts(mut self, every: f64, length: f64, factor: f64, rng: &mut Rng) -> Self {
        let mut at = every * exponential(rng);
        let end = STEP * self.len_f64();
        while at < end {
            self = self.times(at, at + length, factor);
            at += length + every * exponential(rng);
        }
        self
    }

    /// Returns the rate at a time.
    #[must_use]
    pub fn at(&self, t: f64) -> f64 {
        self.steps.get(self.step_of(t)).copied().unwrap_or(0.0)
    }

    /// Returns the highest rate of any step.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.steps.iter().copied().fold(0.0, f64::max)
    }

    /// Returns the time of the next arrival of a Poisson process after `t`; infinite if there is none.
    pub(crate) fn next_arrival(&self, t: f64, rng: &mut Rng) -> f64 {
        self.time_of(t, exponential(rng))
    }

    /// Returns the time of the next arrival after `t` if arrivals are evenly spaced; infinite if there
    /// is none.
    pub(crate) fn next_even_arrival(&self, t: f64) -> f64 {
        self.time_of(t, 1.0)
    }

    /// Returns the time by which this number of arrivals is due after `t`.
    fn time_of(&self, mut t: f64, mut left: f64) -> f64 {
        loop {
            let step = self.step_of(t);
            let rate = self.steps.get(step).copied().unwrap_or(0.0);
            if step + 1 >= self.steps.len() {
                return if rate > 0.0 {
                    t + left / rate
                } else {
                    f64::INFINITY
                };
            }
            #[allow(clippy::cast_precision_loss)] // small
            let end = (step + 1) as f64 * STEP;
            if (end - t) * rate >= left {
                return t + left / rate;
            }
            left -= (end - t) * rate;
            t = end;
        }
    }

    #[allow(clippy::cast_precision_loss)] // small
    fn len_f64(&self) -> f64 {
        self.steps.len() as f64
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
    fn step_of(&self, t: f64) -> usize {
        ((t / STEP) as usize).min(self.steps.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(rate: &Rate, from: f64, to: f64) -> u32 {
        let mut rng = Rng::new(3);
        let (mut t, mut count) = (0.0, 0);
        loop {
            t = rate.next_arrival(t, &mut rng);
            if t >= to {
                return count;
            }
            count += u32::from(t >= from);
        }
    }

    #[test]
    fn arrivals_follow_the_rate_in_each_step() {
        let rate = Rate::of(3000.0, |_| 10.0).times(1000.0, 2000.0, 3.0);
        for (from, expected) in [(0.0, 10_000.0), (1000.0, 30_000.0), (2000.0, 10_000.0)] {
            let count = f64::from(arrivals(&rate, from, from + 1000.0));
            assert!((count / expected - 1.0).abs() < 0.04, "{from}: {count}");
        }
    }

    #[test]
    fn even_arrivals_are_a_period_apart() {
        let rate = Rate::of(100.0, |_| 10.0).times(50.0, 100.0, 0.5);
        let mut times = vec![0.0];
        while let Some(next) = times.last().map(|&t| rate.next_even_arrival(t))
            && next < 99.0
        {
            times.push(next);
        }
        assert!((times[1] - 0.1).abs() < 1e-9 && (times[600] - times[599] - 0.2).abs() < 1e-9);
    }

    #[test]
    fn daily_course_peaks_at_14() {
        let rate = Rate::daily(86_400.0, 10.0, 0.8, 0.0);
        assert!((rate.at(14.0 * 3600.0) - 18.0).abs() < 0.1);
        assert!((rate.at(2.0 * 3600.0) - 2.0).abs() < 0.1);
        assert!((rate.peak() - 18.0).abs() < 0.1);
    }

    #[test]
    fn zero_rate_has_no_arrival() {
        assert!(
            Rate::constant(0.0)
                .next_arrival(0.0, &mut Rng::new(1))
                .is_infinite()
        );
    }
}

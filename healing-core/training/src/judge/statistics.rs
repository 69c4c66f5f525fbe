//! Means, rates and their 95 % intervals over independent episodes.
//!
//! Means have Student's t interval. Rates are ratios of sums (events per hour), with the t interval of the
//! linearised ratio, because an episode, not an event, is the independent unit: restarts come in series.
//! Without any event the upper bound is Poisson's exact one. No bootstrap: it would need seeds and copies,
//! and covers heavy tails no better than t does.

/// Estimate with the bounds of its two-sided 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Point estimate.
    pub value: f64,
    /// Lower bound; minus infinity if the interval is unknown.
    pub lower: f64,
    /// Upper bound; infinity if the interval is unknown.
    pub upper: f64,
}

/// Upper 97.5 % bound of a Poisson mean of which no event was seen: −ln 0.025.
const NO_EVENTS_UPPER: f64 = 3.688_879_454_113_936;

impl Estimate {
    /// Returns the mean of the values; unbounded for fewer than two.
    #[must_use]
    pub fn mean(values: &[f64]) -> Self {
        let count = as_f64(values.len());
        let mean = values.iter().sum::<f64>() / count.max(1.0);
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self::with_error(mean, values.len(), (squares / count).sqrt())
    }

    /// Returns the rate of events per hour over pairs of events and hours.
    #[must_use]
    pub fn rate(episodes: &[(f64, f64)]) -> Self {
        let events: f64 = episodes.iter().map(|(events, _)| events).sum();
        let hours: f64 = episodes.iter().map(|(_, hours)| hours).sum();
        if hours <= 0.0 {
            return Self::with_error(0.0, 0, 0.0);
        }
        let rate = events / hours;
        if events <= 0.0 {
            return Self {
                value: 0.0,
                lower: 0.0,
                upper: NO_EVENTS_UPPER / hours,
            };
        }
        let squares: f64 = episodes
            .iter()
            .map(|(events, hours)| (events - rate * hours).powi(2))
            .sum();
        let count = as_f64(episodes.len());
        let mean_hours = hours / count;
        let estimate =
            Self::with_error(rate, episodes.len(), (squares / count).sqrt() / mean_hours);
        Self {
            lower: estimate.lower.max(0.0),
            ..estimate
        }
    }

    /// Returns the estimate scaled by a positive factor.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            value: self.value * factor,
            lower: self.lower * factor,
            upper: self.upper * factor,
        }
    }

    /// Returns the t interval for the population standard deviation of `count` values.
    fn with_error(value: f64, count: usize, deviation: f64) -> Self {
        let margin = if count < 2 {
            f64::INFINITY
        } else {
            let freedom = count - 1;
            student_t(freedom) * deviation / as_f64(freedom).sqrt()
        };
        Self {
            value,
            lower: value - margin,
            upper: value + margin,
        }
    }
}

/// Returns the two-sided 95 % quantile of Student's t for these degrees of freedom, which are at least 1.
#[must_use]
pub fn student_t(freedom: usize) -> f64 {
    /// Exact quantiles for 1 to 9 degrees of freedom.
    const SMALL: [f64; 9] = [
        12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622,
    ];
    if let Some(exact) = SMALL.get(freedom.saturating_sub(1)) {
        return *exact;
    }
    // Expansion about the normal quantile (Abramowitz and Stegun, 26.7.5).
    let z: f64 = 1.959_963_984_540_054;
    let n = as_f64(freedom);
    z + (z.powi(3) + z) / (4.0 * n)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * n.powi(2))
        + (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / (384.0 * n.powi(3))
}

#[allow(clippy::cast_precision_loss)] // episodes
fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-3, "{found}, not {expected}");
    }

    #[test]
    fn quantiles_are_those_of_published_tables() {
        for (freedom, expected) in [
            (1, 12.706),
            (9, 2.262),
            (10, 2.228),
            (19, 2.093),
            (30, 2.042),
            (100, 1.984),
            (1_000_000, 1.960),
        ] {
            assert_close(student_t(freedom), expected);
        }
    }

    #[test]
    fn interval_of_mean_is_the_textbook_one() {
        // Variance 4 over three values: the standard error is 2 / √3.
        let estimate = Estimate::mean(&[1.0, 3.0, 5.0]);
        assert_close(estimate.value, 3.0);
        assert_close(estimate.upper, 3.0 + 4.3027 * 2.0 / 3.0_f64.sqrt());
        assert_close(estimate.lower, 3.0 - 4.3027 * 2.0 / 3.0_f64.sqrt());
    }

    #[test]
    fn interval_of_fewer_than_two_values_is_unbounded() {
        for values in [&[][..], &[2.0]] {
            let estimate = Estimate::mean(values);
            assert!(estimate.value.is_finite());
            assert!(estimate.lower.is_infinite() && estimate.upper.is_infinite());
        }
    }

    #[test]
    fn interval_of_constant_values_is_a_point() {
        let estimate = Estimate::mean(&[2.0; 5]);
        assert_close(estimate.lower, 2.0);
        assert_close(estimate.upper, 2.0);
    }

    #[test]
    fn interval_of_mean_covers_the_truth_in_95_percent() {
        let mut rng = healing_core::rng::Rng::new(3);
        let covers = |_: &i32| {
            let values: Vec<f64> = (0..12).map(|_| 5.0 + rng.normal()).collect();
            let estimate = Estimate::mean(&values);
            (estimate.lower..=estimate.upper).contains(&5.0)
        };
        let covered = (0..4000).filter(covers).count();
        assert!((3740..=3860).contains(&covered), "{covered} of 4000");
    }

    #[test]
    fn rate_is_weighted_by_hours() {
        // One event in one hour and none in three.
        let estimate = Estimate::rate(&[(1.0, 1.0), (0.0, 3.0)]);
        assert_close(estimate.value, 0.25);
        assert_close(estimate.lower, 0.0);
        // Residuals ±0.75 over a mean of two hours, one degree of freedom.
        assert_close(estimate.upper, 0.25 + 12.7062 * 0.75 / 2.0);
    }

    #[test]
    fn rate_without_events_has_poisson_upper_bound() {
        let estimate = Estimate::rate(&[(0.0, 50.0), (0.0, 50.0)]).times(1000.0);
        assert_close(estimate.upper, 36.8888);
        assert_close(estimate.value, 0.0);
        assert!(Estimate::rate(&[]).upper.is_infinite());
    }
}

//! Whether settings can work together.

use std::time::Duration;

use super::{PolicyConfig, duration, seconds};

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {value}, but must be {expected}")]
pub struct ConfigError {
    /// The setting's path.
    pub setting: &'static str,
    /// What it is.
    pub value: String,
    /// What would be right.
    pub expected: &'static str,
}

impl PolicyConfig {
    /// Whether the settings can work together.
    ///
    /// # Errors
    /// The first setting that cannot.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let Self {
            evidence,
            permission,
            outcome,
            forecast,
            ..
        } = self;
        let in_range = |setting, value: f64, min: f64, max: f64, expected| {
            check(setting, (min..=max).contains(&value), value, expected)
        };
        let at_least = |setting, value: Duration, least: Duration, expected| {
            check(setting, value >= least, duration::text(value), expected)
        };
        at_least("fast_window", self.fast_window, seconds(1), "at least 1s")?;
        at_least(
            "slow_window",
            self.slow_window,
            self.fast_window,
            "at least fast_window",
        )?;
        check(
            "slow_window",
            self.slow_window <= seconds(3600),
            duration::text(self.slow_window),
            "at most 1h",
        )?;
        in_range(
            "evidence.count_share",
            evidence.count_share,
            0.0,
            1.0,
            "between 0 and 1",
        )?;
        in_range(
            "evidence.ratio_threshold",
            evidence.ratio_threshold,
            0.0,
            1.0,
            "between 0 and 1",
        )?;
        in_range(
            "evidence.clear_factor",
            evidence.clear_factor,
            0.0,
            1.0,
            "between 0 and 1",
        )?;
        let polls = "between 1 and 32";
        in_range(
            "evidence.soft_window_polls",
            evidence.soft_window_polls.into(),
            1.0,
            32.0,
            polls,
        )?;
        in_range(
            "evidence.hard_polls",
            evidence.hard_polls.into(),
            1.0,
            32.0,
            polls,
        )?;
        let of = evidence.soft_window_polls.into();
        in_range(
            "evidence.soft_polls",
            evidence.soft_polls.into(),
            1.0,
            of,
            "between 1 and soft_window_polls",
        )?;
        // An app remembers its worst lag for 10 s: what lasts must last longer.
        at_least(
            "evidence.sustain_for",
            evidence.sustain_for,
            seconds(11),
            "at least 11s",
        )?;
        in_range(
            "evidence.panic_share",
            evidence.panic_share,
            0.0,
            1.0,
            "between 0 and 1",
        )?;
        at_least(
            "evidence.lag_threshold",
            evidence.lag_threshold,
            Duration::from_millis(100),
            "at least 100ms",
        )?;
        in_range(
            "evidence.cpu_saturation_percent",
            evidence.cpu_saturation_percent,
            50.0,
            100.0,
            "between 50 and 100",
        )?;
        in_range(
            "evidence.usual_load_ratio",
            evidence.usual_load_ratio,
            1.0,
            evidence.overload_load_ratio,
            "between 1 and overload_load_ratio",
        )?;
        for hour in evidence.batch_hours {
            in_range(
                "evidence.batch_hours",
                hour.into(),
                0.0,
                24.0,
                "hours between 0 and 24",
            )?;
        }
        in_range(
            "evidence.harm_latency_ratio",
            evidence.harm_latency_ratio,
            1.0,
            f64::MAX,
            "at least 1",
        )?;
        at_least(
            "evidence.hang_timeout",
            evidence.hang_timeout,
            seconds(1),
            "at least 1s",
        )?;
        let above = "at least 1";
        in_range(
            "evidence.overload_load_ratio",
            evidence.overload_load_ratio,
            1.0,
            f64::MAX,
            above,
        )?;
        in_range(
            "evidence.overload_latency_ratio",
            evidence.overload_latency_ratio,
            1.0,
            f64::MAX,
            above,
        )?;
        in_range(
            "permission.jitter",
            permission.jitter,
            0.0,
            10.0,
            "between 0 and 10",
        )?;
        in_range(
            "permission.budget",
            permission.budget.into(),
            0.0,
            16.0,
            "at most 16",
        )?;
        let window = permission.budget_window;
        at_least(
            "permission.budget_window",
            window,
            seconds(60),
            "at least 1min",
        )?;
        let first = permission.hard_cooldown;
        let max = permission.hard_cooldown_max;
        at_least(
            "permission.hard_cooldown_max",
            max,
            first,
            "at least hard_cooldown",
        )?;
        let probation = outcome.probation;
        at_least(
            "outcome.deadline",
            outcome.deadline,
            probation,
            "at least probation",
        )?;
        at_least(
            "forecast.sample_interval",
            forecast.sample_interval,
            seconds(1),
            "at least 1s",
        )?;
        in_range(
            "forecast.max_extrapolation",
            forecast.max_extrapolation,
            0.0,
            10.0,
            "between 0 and 10",
        )?;
        in_range(
            "forecast.fd_max_extrapolation",
            forecast.fd_max_extrapolation,
            0.0,
            10.0,
            "between 0 and 10",
        )?;
        in_range(
            "forecast.min_confidence",
            forecast.min_confidence,
            0.0,
            1.0,
            "between 0 and 1",
        )?;
        in_range(
            "forecast.min_usage_percent",
            forecast.min_usage_percent,
            0.0,
            100.0,
            "between 0 and 100",
        )?;
        in_range(
            "forecast.low_load_ratio",
            forecast.low_load_ratio,
            0.0,
            1.0,
            "between 0 and 1",
        )?;
        for cost in self.costs.iter().flatten() {
            in_range("costs", *cost, 0.0, f64::MAX, "at least 0")?;
        }
        Ok(())
    }
}

fn check(
    setting: &'static str,
    holds: bool,
    value: impl std::fmt::Display,
    expected: &'static str,
) -> Result<(), ConfigError> {
    if holds {
        return Ok(());
    }
    Err(ConfigError {
        setting,
        value: value.to_string(),
        expected,
    })
}

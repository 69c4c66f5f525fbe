//! Settings of the policy.

mod duration;
mod settings;

use std::time::Duration;

use serde::{Deserialize, Serialize};
pub use settings::{ConfigError, ConfigErrors, SettingRow, settings_reference};

/// All settings. In files durations are written as `"30s"` or `"10min"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyConfig {
    /// Window for symptoms that must be noticed quickly.
    #[serde(with = "duration")]
    pub fast_window: Duration,
    /// Window for rare events, in which the count rule is evaluated.
    #[serde(with = "duration")]
    pub slow_window: Duration,
    /// Thresholds of the symptoms, and the time for which they must persist.
    pub evidence: EvidenceConfig,
    /// Limits of the treatments.
    pub permission: PermissionConfig,
    /// Times that determine the outcome of a treatment.
    pub outcome: OutcomeConfig,
    /// Thresholds of the forecast of limits.
    pub forecast: ForecastConfig,
    /// Cost of choosing an action (columns: none, reset, restart) when another was correct (rows).
    pub costs: [[f64; 3]; 3],
    /// Role of the model.
    pub model: ModelRole,
}

/// Role of the model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelRole {
    /// The model decides, within the evidence. Use it only with a model that has been evaluated on the
    /// app's own recorded outcomes. It only advises where it lacks a ratio of errors to requests.
    Decides,
    /// The rules decide, and the votes are recorded. This is the default, because the compiled-in model
    /// does worse than the rules on kinds of incidents that it was not trained on.
    #[default]
    Advises,
}

/// Thresholds of the evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvidenceConfig {
    /// Count rule: number of errors in the slow window that must be exceeded.
    pub count_errors: u64,
    /// Count rule: minimum share of errors among the requests of the slow window.
    pub count_share: f64,
    /// Ratio rule: minimum number of requests in the window.
    pub ratio_requests: u64,
    /// Ratio rule: share of errors that must be exceeded.
    pub ratio_threshold: f64,
    /// Fraction of a threshold below which a symptom clears (hysteresis).
    pub clear_factor: f64,
    /// Soft heal: minimum number of polls with a symptom among the last `soft_window_polls`.
    pub soft_polls: u32,
    /// Soft heal: number of polls that are evaluated (at most 32).
    pub soft_window_polls: u32,
    /// Hard heal: number of consecutive polls with a symptom (at most 32).
    pub hard_polls: u32,
    /// Minimum duration of repeated panics, runtime lag or CPU saturation, in addition to
    /// `hard_polls`.
    #[serde(with = "duration")]
    pub sustain_for: Duration,
    /// Panics: minimum share of the requests in the slow window.
    pub panic_share: f64,
    /// Runtime lag: minimum of the worst lag over 10 s.
    #[serde(with = "duration")]
    pub lag_threshold: Duration,
    /// CPU saturation: minimum percentage of the limit.
    pub cpu_saturation_percent: f64,
    /// CPU saturation: maximum load, in multiples of the usual load.
    pub usual_load_ratio: f64,
    /// Batch hours (UTC: from, to), in which jobs may saturate the CPU. Equal hours mean none.
    pub batch_hours: [u8; 2],
    /// Harm: minimum median latency, in multiples of the usual one. Errors are harm too. Without harm,
    /// neither runtime lag nor CPU saturation is a symptom.
    pub harm_latency_ratio: f64,
    /// Time for which an app may be unresponsive before it is restarted.
    #[serde(with = "duration")]
    pub hang_timeout: Duration,
    /// Time for which a running app that has been ready may refuse connections before it is restarted.
    #[serde(with = "duration")]
    pub refused_timeout: Duration,
    /// Age at which a check result expires.
    #[serde(with = "duration")]
    pub check_expiry: Duration,
    /// Overload: minimum load, in multiples of the usual load.
    pub overload_load_ratio: f64,
    /// Overload: minimum latency, in multiples of the usual latency.
    pub overload_latency_ratio: f64,
}

/// Limits of the treatments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PermissionConfig {
    /// Minimum age before an app may be healed. It must also have been ready.
    #[serde(with = "duration")]
    pub startup_grace: Duration,
    /// Pause after a soft heal. It doubles each time the symptom returns after a soft heal that helped.
    #[serde(with = "duration")]
    pub soft_cooldown: Duration,
    /// Pause after a first hard heal. It doubles with each further hard heal.
    #[serde(with = "duration")]
    pub hard_cooldown: Duration,
    /// Maximum pause after a hard heal, or after a soft heal whose pause has doubled.
    #[serde(with = "duration")]
    pub hard_cooldown_max: Duration,
    /// Maximum random extension of a pause, as a fraction of it.
    pub jitter: f64,
    /// Number of restarts that are allowed in `budget_window` (at most 16).
    pub budget: u32,
    /// Sliding window of the restart budget.
    #[serde(with = "duration")]
    pub budget_window: Duration,
    /// Maximum random delay of a first restart of a responsive app whose limit is not imminent.
    #[serde(with = "duration")]
    pub splay: Duration,
    /// Number of consecutive soft heals that may fail before a hard heal is allowed.
    pub soft_attempts: u32,
    /// Number of consecutive hard heals that may fail before an operator is needed.
    pub hard_attempts: u32,
}

/// Times that determine the outcome of a treatment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutcomeConfig {
    /// Healthy time after which a treatment counts as recovered.
    #[serde(with = "duration")]
    pub probation: Duration,
    /// Time without recovery after which a treatment counts as ineffective.
    #[serde(with = "duration")]
    pub deadline: Duration,
    /// Healthy time after which cooldowns and numbers of attempts are reset.
    #[serde(with = "duration")]
    pub reset_after: Duration,
}

/// Thresholds of the forecast of limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForecastConfig {
    /// Sampling interval of the near window. The interval of the far window is five times as long.
    #[serde(with = "duration")]
    pub sample_interval: Duration,
    /// Maximum extrapolation of memory, in multiples of the time for which a rise was observed.
    pub max_extrapolation: f64,
    /// Maximum extrapolation of descriptors, in multiples of the time for which a rise was observed. It
    /// is higher than for memory, because no garbage collector causes a sawtooth that looks like a leak.
    pub fd_max_extrapolation: f64,
    /// Minimum steadiness of a rise. At 1, every point is above all earlier points.
    pub min_confidence: f64,
    /// Minimum usage at which a forecast can raise an alarm, in percent of the limit.
    pub min_usage_percent: f64,
    /// Time to the limit below which a restart does not wait for low load.
    #[serde(with = "duration")]
    pub urgent_below: Duration,
    /// Low load: maximum load, as a fraction of the usual load.
    pub low_load_ratio: f64,
}

// === impl PolicyConfig ===

/// Returns a duration of some seconds.
const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            fast_window: seconds(10),
            slow_window: seconds(60),
            evidence: EvidenceConfig::default(),
            permission: PermissionConfig::default(),
            outcome: OutcomeConfig::default(),
            forecast: ForecastConfig::default(),
            costs: [[0.0, 1.0, 10.0], [5.0, 0.0, 10.0], [20.0, 20.0, 0.0]],
            model: ModelRole::Advises,
        }
    }
}

impl Default for EvidenceConfig {
    fn default() -> Self {
        Self {
            count_errors: 5,
            count_share: 0.05,
            ratio_requests: 50,
            ratio_threshold: 0.10,
            clear_factor: 0.5,
            soft_polls: 3,
            soft_window_polls: 5,
            hard_polls: 5,
            sustain_for: seconds(20),
            panic_share: 0.05,
            lag_threshold: Duration::from_millis(300),
            cpu_saturation_percent: 85.0,
            usual_load_ratio: 1.8,
            batch_hours: [0, 6],
            harm_latency_ratio: 2.0,
            hang_timeout: seconds(10),
            refused_timeout: seconds(30),
            check_expiry: seconds(60),
            overload_load_ratio: 2.0,
            overload_latency_ratio: 2.0,
        }
    }
}

impl Default for PermissionConfig {
    fn default() -> Self {
        Self {
            startup_grace: seconds(10),
            soft_cooldown: seconds(30),
            hard_cooldown: seconds(60),
            hard_cooldown_max: seconds(600),
            jitter: 0.5,
            budget: 3,
            budget_window: seconds(1800),
            splay: seconds(20),
            soft_attempts: 2,
            hard_attempts: 1,
        }
    }
}

impl Default for OutcomeConfig {
    fn default() -> Self {
        Self {
            probation: seconds(30),
            deadline: seconds(120),
            reset_after: seconds(600),
        }
    }
}

impl Default for ForecastConfig {
    fn default() -> Self {
        Self {
            sample_interval: seconds(15),
            max_extrapolation: 0.4,
            fd_max_extrapolation: 1.0,
            min_confidence: 0.8,
            min_usage_percent: 60.0,
            urgent_below: seconds(75),
            low_load_ratio: 0.5,
        }
    }
}

impl PolicyConfig {
    /// Checks that every setting is in its range.
    ///
    /// # Errors
    ///
    /// Every setting that is out of range.
    pub fn validate(&self) -> Result<(), ConfigErrors> {
        settings::validate(self)
    }

    /// Returns settings with short times, for demonstrations and tests with a poll every 250 ms. They are
    /// not for production, because windows this short contain too few requests.
    #[must_use]
    pub fn demo() -> Self {
        let milliseconds = Duration::from_millis;
        let default = Self::default();
        Self {
            fast_window: seconds(2),
            slow_window: seconds(6),
            evidence: EvidenceConfig {
                hang_timeout: seconds(2),
                refused_timeout: seconds(6),
                ..default.evidence
            },
            permission: PermissionConfig {
                startup_grace: milliseconds(500),
                soft_cooldown: seconds(2),
                hard_cooldown: seconds(4),
                hard_cooldown_max: seconds(30),
                splay: seconds(1),
                ..default.permission
            },
            outcome: OutcomeConfig {
                probation: seconds(3),
                deadline: seconds(30),
                reset_after: seconds(60),
            },
            forecast: ForecastConfig {
                sample_interval: seconds(1),
                urgent_below: seconds(10),
                ..default.forecast
            },
            ..default
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_valid_and_round_trip_through_json() {
        for config in [PolicyConfig::default(), PolicyConfig::demo()] {
            config.validate().unwrap();
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<PolicyConfig>(&json).unwrap(), config);
        }
    }

    #[test]
    fn setting_out_of_range_is_named() {
        let json = r#"{"evidence": {"soft_polls": 6}}"#;
        let config: PolicyConfig = serde_json::from_str(json).unwrap();
        let error = config.validate().unwrap_err();
        assert_eq!(
            error.to_string(),
            "evidence.soft_polls is 6, but must be between 1 and soft_window_polls"
        );
        let nan = PolicyConfig {
            costs: [[f64::NAN; 3]; 3],
            ..PolicyConfig::default()
        };
        assert!(nan.validate().is_err());
    }

    #[test]
    fn malformed_settings_are_parse_errors() {
        let json = r#"{"outcome": {"probation": "soon"}}"#;
        let error = serde_json::from_str::<PolicyConfig>(json)
            .unwrap_err()
            .to_string();
        assert!(error.contains("write \"30s\""), "{error}");
        let error = serde_json::from_str::<PolicyConfig>(r#"{"budgets": 3}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `budgets`"));
    }
}

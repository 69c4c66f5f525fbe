//! Settings of the policy.

mod duration;
mod settings;

use std::ops::RangeInclusive;
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
    /// Thresholds of the impairment, and the times for which it must persist.
    pub impairment: ImpairmentConfig,
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
    /// Worst route: minimum share of the app's requests.
    pub route_share: f64,
    /// Fraction of a threshold below which a symptom clears (hysteresis).
    pub clear_factor: f64,
    /// Soft heal: time for which errors must persist.
    #[serde(with = "duration")]
    pub soft_sustain_for: Duration,
    /// Hard heal: time for which errors, panics or the forecast of a limit must persist without
    /// interruption.
    #[serde(with = "duration")]
    pub hard_sustain_for: Duration,
    /// Panics: minimum share of the requests in the slow window.
    pub panic_share: f64,
    /// Time for which an app may be unresponsive before it is restarted.
    #[serde(with = "duration")]
    pub hang_timeout: Duration,
    /// Time for which a running app that has served may refuse connections before it is restarted.
    #[serde(with = "duration")]
    pub refused_timeout: Duration,
    /// Age at which a check result expires.
    #[serde(with = "duration")]
    pub check_expiry: Duration,
}

/// Thresholds of the impairment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImpairmentConfig {
    /// Window over which goodput and demand are compared. It grows until it holds 20 requests.
    #[serde(with = "duration")]
    pub window: Duration,
    /// Soft heal: minimum share of the demand that is not met.
    pub soft_ratio: f64,
    /// Restart: minimum share of the demand that is not met.
    pub hard_ratio: f64,
    /// Time for which the impairment must persist.
    #[serde(with = "duration")]
    pub sustain_for: Duration,
    /// Time after which an impairment that justified a soft heal, and persists, justifies a restart.
    #[serde(with = "duration")]
    pub soft_heal_wait: Duration,
    /// Time with hardly any goodput after which one restart is tried although load is the cause.
    #[serde(with = "duration")]
    pub last_resort_after: Duration,
    /// Time in which half of the proven capacity is forgotten.
    #[serde(with = "duration")]
    pub capacity_half_life: Duration,
    /// Time after which clients give up, if declared: an answer that took longer is not good.
    ///
    /// # Hazards
    ///
    /// Durations are those of whole responses, by the buckets of the app's histogram. It must not be declared
    /// for an app with streams, or if clients differ in their time-outs.
    #[serde(with = "duration::or_none")]
    pub client_timeout: Option<Duration>,
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

/// Poll intervals at which the policy works. Time is counted between polls, so that a symptom needs three
/// of them, and windows grow where polls are rare.
pub const POLL_INTERVALS: RangeInclusive<Duration> = Duration::from_millis(100)..=seconds(60);

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
            impairment: ImpairmentConfig::default(),
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
            route_share: 0.005,
            clear_factor: 0.5,
            soft_sustain_for: seconds(10),
            hard_sustain_for: seconds(20),
            panic_share: 0.05,
            hang_timeout: seconds(10),
            refused_timeout: seconds(10),
            check_expiry: seconds(60),
        }
    }
}

impl Default for ImpairmentConfig {
    fn default() -> Self {
        Self {
            window: seconds(30),
            soft_ratio: 0.2,
            hard_ratio: 0.5,
            sustain_for: seconds(10),
            soft_heal_wait: seconds(60),
            last_resort_after: seconds(300),
            capacity_half_life: seconds(86_400),
            client_timeout: None,
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
                soft_sustain_for: milliseconds(500),
                hard_sustain_for: seconds(1),
                hang_timeout: seconds(2),
                refused_timeout: seconds(2),
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
        let mut declared = PolicyConfig::default();
        declared.impairment.client_timeout = Some(seconds(2));
        for config in [PolicyConfig::default(), PolicyConfig::demo(), declared] {
            config.validate().unwrap();
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<PolicyConfig>(&json).unwrap(), config);
        }
    }

    #[test]
    fn setting_out_of_range_is_named() {
        let json = r#"{"evidence": {"count_share": 6}}"#;
        let config: PolicyConfig = serde_json::from_str(json).unwrap();
        let error = config.validate().unwrap_err();
        assert_eq!(
            error.to_string(),
            "evidence.count_share is 6, but must be between 0 and 1"
        );
        let nan = PolicyConfig {
            costs: [[f64::NAN; 3]; 3],
            ..PolicyConfig::default()
        };
        assert!(nan.validate().is_err());
    }

    #[test]
    fn client_timeout_is_a_duration_or_none() {
        let parse = |text: &str| {
            let json = format!(r#"{{"impairment": {{"client_timeout": "{text}"}}}}"#);
            let config = serde_json::from_str::<PolicyConfig>(&json)?;
            Ok::<_, serde_json::Error>(config.impairment.client_timeout)
        };
        assert_eq!(parse("2s").unwrap(), Some(seconds(2)));
        assert_eq!(parse("none").unwrap(), None);
        let error = parse("never").unwrap_err().to_string();
        assert!(error.contains("`never` is not a duration"), "{error}");
        assert!(error.contains("or \"none\""), "{error}");
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

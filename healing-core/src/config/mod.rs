//! Settings of the policy. The defaults are meant to be lived with; each says what it guards.

mod duration;
mod validate;

use std::time::Duration;

use serde::{Deserialize, Serialize};
pub use validate::ConfigError;

/// Everything that can be set. In files durations are written as `"30s"` or `"10min"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyConfig {
    /// Window for what must be noticed quickly.
    #[serde(with = "duration")]
    pub fast_window: Duration,
    /// Window for what is rare: the count rule looks here.
    #[serde(with = "duration")]
    pub slow_window: Duration,
    /// What counts as a symptom, and for how long it must last.
    pub evidence: EvidenceConfig,
    /// What limits the treatments.
    pub permission: PermissionConfig,
    /// How a treatment is judged.
    pub outcome: OutcomeConfig,
    /// When a limit that will be hit is acted on.
    pub forecast: ForecastConfig,
    /// Cost of each decision (columns: none, reset, restart) by what would have been right (rows).
    pub costs: [[f64; 3]; 3],
    /// Whether the model decides, or only adds its votes to the rules' decision.
    pub model: ModelRole,
}

/// What the model's votes are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelRole {
    /// The model decides, within what the evidence allows: for a model that has been judged on the
    /// app's own recorded outcomes.
    Decides,
    /// The rules decide; the votes are recorded. The default, because on kinds of incidents that the
    /// compiled-in model has not learned from it does worse than the rules.
    #[default]
    Advises,
}

/// Thresholds of the evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvidenceConfig {
    /// Count rule: more errors than this in the slow window …
    pub count_errors: u64,
    /// … that are at least this share of its requests.
    pub count_share: f64,
    /// Ratio rule: at least this many requests in the window …
    pub ratio_requests: u64,
    /// … and a larger share of errors than this.
    pub ratio_threshold: f64,
    /// A symptom that was noticed is over when it is below this part of its threshold.
    pub clear_factor: f64,
    /// Soft heal: a symptom in this many …
    pub soft_polls: u32,
    /// … of the last so many polls (at most 32).
    pub soft_window_polls: u32,
    /// Hard heal: a symptom in this many polls in a row (at most 32).
    pub hard_polls: u32,
    /// Symptoms beside errors (panics, a late runtime, a used-up CPU): in `hard_polls` polls in a row,
    /// and for this long.
    #[serde(with = "duration")]
    pub sustain_for: Duration,
    /// Panics: at least this share of the requests in the slow window.
    pub panic_share: f64,
    /// Late runtime: its lag, at worst in 10 s, is at least this.
    #[serde(with = "duration")]
    pub lag_threshold: Duration,
    /// Used-up CPU: at least this percentage of the limit …
    pub cpu_saturation_percent: f64,
    /// … at no more than this many times the usual load …
    pub usual_load_ratio: f64,
    /// … outside the hours (UTC, 0–24: from, to) in which jobs may use it; from = to: none.
    pub batch_hours: [u8; 2],
    /// Harm, without which neither a late runtime nor a used-up CPU is a symptom: errors, or
    /// requests that take at least this many times as long as usual (their median).
    pub harm_latency_ratio: f64,
    /// How long an app may hang before it is restarted.
    #[serde(with = "duration")]
    pub hang_timeout: Duration,
    /// How long a living app that was ready may refuse connections before it is restarted.
    #[serde(with = "duration")]
    pub refused_timeout: Duration,
    /// News of a check that is older than this does not count.
    #[serde(with = "duration")]
    pub check_expiry: Duration,
    /// Overload: at least this many times the usual load …
    pub overload_load_ratio: f64,
    /// … while requests take at least this many times as long as usual.
    pub overload_latency_ratio: f64,
}

/// What limits the treatments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PermissionConfig {
    /// No heal before the app was ready once and this old.
    #[serde(with = "duration")]
    pub startup_grace: Duration,
    /// Pause after a soft heal.
    #[serde(with = "duration")]
    pub soft_cooldown: Duration,
    /// Pause after a first hard heal; doubles with each further one …
    #[serde(with = "duration")]
    pub hard_cooldown: Duration,
    /// … up to this.
    #[serde(with = "duration")]
    pub hard_cooldown_max: Duration,
    /// Each pause is longer by a random part of itself, at most this.
    pub jitter: f64,
    /// Restarts allowed (at most 16) …
    pub budget: u32,
    /// … in this time.
    #[serde(with = "duration")]
    pub budget_window: Duration,
    /// A first restart that is not for a hang waits a random time up to this, and looks again.
    #[serde(with = "duration")]
    pub splay: Duration,
    /// Soft heals in a row that may fail before a hard one is allowed.
    pub soft_attempts: u32,
    /// Hard heals in a row that may fail before the policy gives up.
    pub hard_attempts: u32,
}

/// How a treatment is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutcomeConfig {
    /// Healthy for this long after a treatment: recovered.
    #[serde(with = "duration")]
    pub probation: Duration,
    /// Not recovered after this long: ineffective.
    #[serde(with = "duration")]
    pub deadline: Duration,
    /// Healthy for this long: doubled cooldowns and a surrender are forgotten.
    #[serde(with = "duration")]
    pub reset_after: Duration,
}

/// When a limit that will be hit is acted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForecastConfig {
    /// Memory and descriptors are kept at this interval for the near view; the far view takes every
    /// fifth.
    #[serde(with = "duration")]
    pub sample_interval: Duration,
    /// A growth is carried on into the future by at most this part of the time it was seen.
    pub max_extrapolation: f64,
    /// The same for descriptors. They have no collector whose sawtooth looks like a leak, so more of
    /// a steady growth is believed.
    pub fd_max_extrapolation: f64,
    /// Only a growth as steady as this counts (1: every point above all before it).
    pub min_confidence: f64,
    /// Below this percentage of the limit nothing is forecast.
    pub min_usage_percent: f64,
    /// With less time than this to the limit no quiet moment is waited for.
    #[serde(with = "duration")]
    pub urgent_below: Duration,
    /// A moment is quiet at this part of the usual load or below.
    pub low_load_ratio: f64,
}

// === impl PolicyConfig ===

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
    /// Short times for polls every 250 ms: for demonstrations and tests, not for production, where
    /// windows this short see noise.
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
    fn profiles_are_valid_and_survive_json() {
        for config in [PolicyConfig::default(), PolicyConfig::demo()] {
            config.validate().unwrap();
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<PolicyConfig>(&json).unwrap(), config);
        }
    }

    #[test]
    fn what_cannot_work_is_named() {
        let json = r#"{"evidence": {"soft_polls": 6}}"#;
        let config: PolicyConfig = serde_json::from_str(json).unwrap();
        let error = config.validate().unwrap_err();
        assert_eq!(
            error.to_string(),
            "evidence.soft_polls is 6, but must be between 1 and soft_window_polls"
        );
        let json = r#"{"outcome": {"probation": "soon"}}"#;
        let error = serde_json::from_str::<PolicyConfig>(json)
            .unwrap_err()
            .to_string();
        assert!(error.contains("write \"30s\""), "{error}");
        let error = serde_json::from_str::<PolicyConfig>(r#"{"budgets": 3}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `budgets`"));
        let nan = PolicyConfig {
            costs: [[f64::NAN; 3]; 3],
            ..PolicyConfig::default()
        };
        assert!(nan.validate().is_err());
    }
}

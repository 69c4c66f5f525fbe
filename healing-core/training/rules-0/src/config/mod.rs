//! Settings of the policy.

mod duration;

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// All settings. In files durations are written as `"30s"` or `"10min"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyConfig {
    /// Window for symptoms that must be noticed quickly.
    #[serde(with = "duration")]
    pub fast_window: Duration,
    /// Window for rare events: the count rule is evaluated here.
    #[serde(with = "duration")]
    pub slow_window: Duration,
    /// Thresholds of the symptoms, and the time for which they must last.
    pub evidence: EvidenceConfig,
    /// Limits of the treatments.
    pub permission: PermissionConfig,
    /// Times by which a treatment is judged.
    pub outcome: OutcomeConfig,
    /// Thresholds of the forecast of limits.
    pub forecast: ForecastConfig,
    /// Cost of each decision (columns: none, reset, restart) by the right one (rows).
    pub costs: [[f64; 3]; 3],
    /// Role of the model.
    pub model: ModelRole,
}

/// Role of the model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelRole {
    /// The model decides, within the evidence: for a model that has been evaluated on the app's own
    /// recorded outcomes.
    Decides,
    /// The rules decide; the votes are recorded. The default, because the compiled-in model does worse
    /// than the rules on kinds of incidents that it was not trained on.
    #[default]
    Advises,
}

/// Thresholds of the evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvidenceConfig {
    /// Count rule: more errors than this in the slow window,
    pub count_errors: u64,
    /// and at least this share of its requests.
    pub count_share: f64,
    /// Ratio rule: at least this many requests in the window,
    pub ratio_requests: u64,
    /// and a larger share of errors than this.
    pub ratio_threshold: f64,
    /// Part of a threshold below which a symptom ends (hysteresis).
    pub clear_factor: f64,
    /// Soft heal: polls that must show a symptom,
    pub soft_polls: u32,
    /// out of this many (at most 32).
    pub soft_window_polls: u32,
    /// Hard heal: polls in a row that must show a symptom (at most 32).
    pub hard_polls: u32,
    /// Time for which the symptoms beside errors (panics, runtime lag, CPU saturation) must last, in
    /// addition to `hard_polls`.
    #[serde(with = "duration")]
    pub sustain_for: Duration,
    /// Panics: at least this share of the requests in the slow window.
    pub panic_share: f64,
    /// Runtime lag: at least this much, at worst in 10 s.
    #[serde(with = "duration")]
    pub lag_threshold: Duration,
    /// CPU saturation: at least this percentage of the limit,
    pub cpu_saturation_percent: f64,
    /// at no more than this many times the usual load,
    pub usual_load_ratio: f64,
    /// outside these hours (UTC, 0–24: from, to) in which jobs may use it; from = to for none.
    pub batch_hours: [u8; 2],
    /// Harm, without which neither runtime lag nor CPU saturation is a symptom: errors, or a median
    /// latency of at least this many times the usual one.
    pub harm_latency_ratio: f64,
    /// Time for which an app may hang before it is restarted.
    #[serde(with = "duration")]
    pub hang_timeout: Duration,
    /// Time for which a living app that was ready may refuse connections before it is restarted.
    #[serde(with = "duration")]
    pub refused_timeout: Duration,
    /// Age from which the result of a check does not count.
    #[serde(with = "duration")]
    pub check_expiry: Duration,
    /// Overload: at least this many times the usual load,
    pub overload_load_ratio: f64,
    /// and at least this many times the usual latency.
    pub overload_latency_ratio: f64,
}

/// Limits of the treatments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PermissionConfig {
    /// Age below which an app, even if it is ready, is not healed.
    #[serde(with = "duration")]
    pub startup_grace: Duration,
    /// Pause after a soft heal.
    #[serde(with = "duration")]
    pub soft_cooldown: Duration,
    /// Pause after a first hard heal; doubles with each further one,
    #[serde(with = "duration")]
    pub hard_cooldown: Duration,
    /// up to this.
    #[serde(with = "duration")]
    pub hard_cooldown_max: Duration,
    /// Random part by which each pause is longer, at most.
    pub jitter: f64,
    /// Restarts that are allowed (at most 16)
    pub budget: u32,
    /// in this time.
    #[serde(with = "duration")]
    pub budget_window: Duration,
    /// Random delay of a first restart that is not for a hang, at most.
    #[serde(with = "duration")]
    pub splay: Duration,
    /// Soft heals in a row that may fail before a hard one is allowed.
    pub soft_attempts: u32,
    /// Hard heals in a row that may fail before an operator is needed.
    pub hard_attempts: u32,
}

/// Times by which a treatment is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutcomeConfig {
    /// Healthy time after a treatment that makes it recovered.
    #[serde(with = "duration")]
    pub probation: Duration,
    /// Time after which a treatment is ineffective.
    #[serde(with = "duration")]
    pub deadline: Duration,
    /// Healthy time after which cooldowns and attempts start over.
    #[serde(with = "duration")]
    pub reset_after: Duration,
}

/// Thresholds of the forecast of limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForecastConfig {
    /// Interval of the near view of memory and descriptors; that of the far view is five times as long.
    #[serde(with = "duration")]
    pub sample_interval: Duration,
    /// Extrapolation of a growth, in multiples of the time for which it was observed.
    pub max_extrapolation: f64,
    /// The same for descriptors. No collector gives them a sawtooth that looks like a leak, so that a
    /// steady growth is extrapolated further.
    pub fd_max_extrapolation: f64,
    /// Steadiness of a growth from which it counts (1: every point is above all before it).
    pub min_confidence: f64,
    /// Percentage of the limit below which nothing is forecast.
    pub min_usage_percent: f64,
    /// Time to the limit below which low load is not awaited.
    #[serde(with = "duration")]
    pub urgent_below: Duration,
    /// Low load: at most this part of the usual load.
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

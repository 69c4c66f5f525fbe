//! Table of all settings: path, value, range and meaning. Validation and the settings reference are
//! derived from it.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{ModelRole, PolicyConfig, duration};

/// Row of the settings reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRow {
    /// Path of the setting, such as `evidence.hang_timeout`.
    pub path: &'static str,
    /// Default value, as it is written in a file.
    pub default: String,
    /// Valid values.
    pub range: &'static str,
    /// Meaning, in one sentence.
    pub text: &'static str,
}

/// Setting whose value is out of range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {value}, but must be {expected}")]
pub struct ConfigError {
    /// Path of the setting.
    pub setting: &'static str,
    /// Invalid value, as it is written in a file.
    pub value: String,
    /// Valid values.
    pub expected: &'static str,
}

/// Every setting whose value is out of range, in the order of the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Row of the table of settings.
struct Setting {
    path: &'static str,
    value: fn(&PolicyConfig) -> Value,
    range: fn(&PolicyConfig) -> RangeInclusive<f64>,
    range_text: &'static str,
    text: &'static str,
}

/// Value of a setting.
enum Value {
    Duration(Duration),
    DurationOrNone(Option<Duration>),
    Number(f64),
    Count(u64),
    Costs([[f64; 3]; 3]),
    Role(ModelRole),
}

/// Upper end of a range without maximum.
const MAX: f64 = f64::MAX;

/// Returns the range of settings that take any value of their type.
fn any(_: &PolicyConfig) -> RangeInclusive<f64> {
    0.0..=MAX
}

macro_rules! settings {
    ($($($part:ident).+ : $range:expr, $range_text:literal, $text:literal;)+) => {
        const SETTINGS: &[Setting] = &[$(Setting {
            path: stringify!($($part).+),
            value: |config| Value::from(config.$($part).+),
            range: $range,
            range_text: $range_text,
            text: $text,
        }),+];
    };
}

settings! {
    fast_window: |_| 1.0..=MAX, "at least 1s",
        "Window for symptoms that must be noticed quickly.";
    slow_window: |c| c.fast_window.as_secs_f64()..=3600.0, "between fast_window and 1h",
        "Window for rare events, in which the count rule is evaluated.";

    evidence.count_errors: any, "any number",
        "Count rule: number of errors in the slow window that must be exceeded.";
    evidence.count_share: |_| 0.0..=1.0, "between 0 and 1",
        "Count rule: minimum share of errors among the requests of the slow window.";
    evidence.ratio_requests: any, "any number",
        "Ratio rule: minimum number of requests in the window.";
    evidence.ratio_threshold: |_| 0.0..=1.0, "between 0 and 1",
        "Ratio rule: share of errors that must be exceeded.";
    evidence.route_share: |_| 0.0..=1.0, "between 0 and 1",
        "Worst route: minimum share of the app's requests.";
    evidence.clear_factor: |_| 0.0..=1.0, "between 0 and 1",
        "Fraction of a threshold below which a symptom clears (hysteresis).";
    evidence.soft_sustain_for: any, "any time",
        "Soft heal: time for which errors must persist.";
    evidence.hard_sustain_for: any, "any time",
        "Hard heal: time for which errors, panics or the forecast of a limit must persist without interruption.";
    evidence.panic_share: |_| 0.0..=1.0, "between 0 and 1",
        "Panics: minimum share of the requests in the slow window.";
    evidence.hang_timeout: |_| 1.0..=MAX, "at least 1s",
        "Time for which an app may be unresponsive before it is restarted.";
    evidence.refused_timeout: any, "any time",
        "Time for which a running app that has served may refuse connections before it is restarted.";
    evidence.check_expiry: any, "any time",
        "Age at which a check result expires.";

    impairment.window: |_| 10.0..=120.0, "between 10s and 2min",
        "Window over which goodput and demand are compared. It grows until it holds 20 requests.";
    impairment.soft_ratio: |c| 0.05..=c.impairment.hard_ratio, "between 0.05 and hard_ratio",
        "Soft heal: minimum share of the demand that is not met.";
    impairment.hard_ratio: |_| 0.2..=1.0, "between 0.2 and 1",
        "Restart: minimum share of the demand that is not met.";
    impairment.sustain_for: |_| 1.0..=MAX, "at least 1s",
        "Time for which the impairment must persist.";
    impairment.soft_heal_wait: |_| 15.0..=MAX, "at least 15s",
        "Time after which an impairment that justified a soft heal, and persists, justifies a restart.";
    impairment.last_resort_after: |_| 60.0..=MAX, "at least 1min",
        "Time with hardly any goodput after which one restart is tried although load is the cause.";
    impairment.capacity_half_life: |_| 3600.0..=MAX, "at least 1h",
        "Time in which half of the proven capacity is forgotten.";
    impairment.client_timeout: |_| 0.01..=60.0, "`none`, or between 10ms and 1min",
        "Time after which clients give up, if declared: an answer that took longer is not good. Durations are those of whole responses, so it must not be declared for an app with streams.";

    permission.startup_grace: any, "any time",
        "Minimum age before an app may be healed. It must also have been ready.";
    permission.soft_cooldown: any, "any time",
        "Pause after a soft heal. It doubles each time the symptom returns after a soft heal that helped.";
    permission.hard_cooldown: any, "any time",
        "Pause after a first hard heal. It doubles with each further hard heal.";
    permission.hard_cooldown_max: |c| c.permission.hard_cooldown.as_secs_f64()..=MAX, "at least hard_cooldown",
        "Maximum pause after a hard heal, or after a soft heal whose pause has doubled.";
    permission.jitter: |_| 0.0..=10.0, "between 0 and 10",
        "Maximum random extension of a pause, as a fraction of it.";
    permission.budget: |_| 0.0..=16.0, "at most 16",
        "Number of restarts that are allowed in `budget_window` (at most 16).";
    permission.budget_window: |_| 60.0..=MAX, "at least 1min",
        "Sliding window of the restart budget.";
    permission.splay: any, "any time",
        "Maximum random delay of a first restart of a responsive app whose limit is not imminent.";
    permission.soft_attempts: any, "any number",
        "Number of consecutive soft heals that may fail before a hard heal is allowed.";
    permission.hard_attempts: any, "any number",
        "Number of consecutive hard heals that may fail before an operator is needed.";

    outcome.probation: any, "any time",
        "Healthy time after which a treatment counts as recovered.";
    outcome.deadline: |c| c.outcome.probation.as_secs_f64()..=MAX, "at least probation",
        "Time without recovery after which a treatment counts as ineffective.";
    outcome.reset_after: any, "any time",
        "Healthy time after which cooldowns and numbers of attempts are reset.";

    forecast.sample_interval: |_| 1.0..=MAX, "at least 1s",
        "Sampling interval of the near window. The interval of the far window is five times as long.";
    forecast.max_extrapolation: |_| 0.0..=10.0, "between 0 and 10",
        "Maximum extrapolation of memory, in multiples of the time for which a rise was observed.";
    forecast.fd_max_extrapolation: |_| 0.0..=10.0, "between 0 and 10",
        "Maximum extrapolation of descriptors, in multiples of the time for which a rise was observed. It is higher than for memory, because no garbage collector causes a sawtooth that looks like a leak.";
    forecast.min_confidence: |_| 0.0..=1.0, "between 0 and 1",
        "Minimum steadiness of a rise. At 1, every point is above all earlier points.";
    forecast.min_usage_percent: |_| 0.0..=100.0, "between 0 and 100",
        "Minimum usage at which a forecast can raise an alarm, in percent of the limit.";
    forecast.urgent_below: any, "any time",
        "Time to the limit below which a restart does not wait for low load.";
    forecast.low_load_ratio: |_| 0.0..=1.0, "between 0 and 1",
        "Low load: maximum load, as a fraction of the usual load.";

    costs: |_| 0.0..=MAX, "at least 0",
        "Cost of choosing an action (columns: none, reset, restart) when another was correct (rows).";
    model: any, "`advises` or `decides`",
        "Role of the model.";
}

/// Returns the settings reference, one row per setting. `SETTINGS.md` shows it.
///
/// ```
/// let row = healing_core::config::settings_reference().next().unwrap();
/// assert_eq!((row.path, row.default.as_str(), row.range), ("fast_window", "10s", "at least 1s"));
/// ```
pub fn settings_reference() -> impl Iterator<Item = SettingRow> {
    let config = PolicyConfig::default();
    SETTINGS.iter().map(move |setting| SettingRow {
        path: setting.path,
        default: (setting.value)(&config).to_string(),
        range: setting.range_text,
        text: setting.text,
    })
}

/// Checks that every setting is in its range; see [`PolicyConfig::validate`].
pub(super) fn validate(config: &PolicyConfig) -> Result<(), ConfigErrors> {
    let errors: Vec<_> = SETTINGS
        .iter()
        .filter_map(|setting| {
            let (value, range) = ((setting.value)(config), (setting.range)(config));
            let is_valid = value.all(|number| range.contains(&number));
            (!is_valid).then(|| ConfigError {
                setting: setting.path,
                value: value.to_string(),
                expected: setting.range_text,
            })
        })
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(ConfigErrors(errors))
    }
}

// === impl Value ===

impl Value {
    /// Returns `true` if a condition holds for every number of the value; durations are in seconds.
    fn all(&self, holds: impl Fn(f64) -> bool) -> bool {
        match self {
            Self::Duration(duration) => holds(duration.as_secs_f64()),
            Self::DurationOrNone(duration) => duration.is_none_or(|d| holds(d.as_secs_f64())),
            Self::Number(number) => holds(*number),
            Self::Count(count) => holds(crate::number::as_f64(*count)),
            Self::Costs(costs) => costs.iter().flatten().all(|cost| holds(*cost)),
            Self::Role(_) => true,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration(duration) => f.write_str(&duration::text(*duration)),
            Self::DurationOrNone(duration) => f.write_str(&duration::or_none::text(*duration)),
            Self::Number(number) => number.fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Costs(costs) => write!(f, "{costs:?}"),
            Self::Role(ModelRole::Advises) => f.write_str("advises"),
            Self::Role(ModelRole::Decides) => f.write_str("decides"),
        }
    }
}

macro_rules! value_from {
    ($($type:ty => $variant:ident),+) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )+};
}

value_from! {
    Duration => Duration, Option<Duration> => DurationOrNone, f64 => Number, u64 => Count, u32 => Count,
    [[f64; 3]; 3] => Costs, ModelRole => Role
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(prefix: &str, value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    paths(&format!("{prefix}.{name}"), value, found);
                }
            }
            _ => found.push(prefix.trim_start_matches('.').to_owned()),
        }
    }

    #[test]
    fn table_has_every_setting_once() {
        let config = serde_json::to_value(PolicyConfig::default()).unwrap();
        let mut expected = Vec::new();
        paths("", &config, &mut expected);
        let mut found: Vec<_> = SETTINGS.iter().map(|row| row.path.to_owned()).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn reference_shows_defaults_as_written_in_files() {
        let row = |path| settings_reference().find(|row| row.path == path).unwrap();
        assert_eq!(row("evidence.hang_timeout").default, "10s");
        assert_eq!(row("permission.budget_window").default, "30m");
        assert_eq!(row("model").default, "advises");
        assert!(settings_reference().all(|row| !row.text.is_empty() && !row.range.is_empty()));
    }

    #[test]
    fn validation_names_every_setting_out_of_range() {
        let json = r#"{"slow_window": "5s", "evidence": {"clear_factor": 6}, "permission": {"jitter": -1}}"#;
        let config: PolicyConfig = serde_json::from_str(json).unwrap();
        assert_eq!(
            config.validate().unwrap_err().to_string(),
            "slow_window is 5s, but must be between fast_window and 1h; \
             evidence.clear_factor is 6, but must be between 0 and 1; \
             permission.jitter is -1, but must be between 0 and 10"
        );
    }

    #[test]
    fn validation_bounds_a_duration_only_if_it_is_declared() {
        let mut config = PolicyConfig::default();
        for (seconds, is_valid) in [(None, true), (Some(60), true), (Some(61), false)] {
            config.impairment.client_timeout = seconds.map(Duration::from_secs);
            assert_eq!(config.validate().is_ok(), is_valid, "{seconds:?}");
        }
        assert_eq!(
            config.validate().unwrap_err().to_string(),
            "impairment.client_timeout is 1m 1s, but must be `none`, or between 10ms and 1min"
        );
    }

    #[test]
    fn validation_rejects_costs_that_are_not_numbers() {
        let mut config = PolicyConfig::default();
        config.costs[1][2] = f64::NAN;
        let errors = config.validate().unwrap_err().0;
        let settings: Vec<_> = errors.iter().map(|error| error.setting).collect();
        assert_eq!(settings, ["costs"]);
    }
}

//! The sidecar's production settings, shortened by the time scale.

use std::time::Duration;

use healing_core::config::{ConfigError, PolicyConfig};
use healing_sidecar::config::SETTINGS;
use toml::{Table, Value};

/// Maximum number of steps in which durations that are too short for validation are lengthened.
const STEPS: usize = 200;
/// Factor of one step.
const STEP: f64 = 1.05;

/// Error of settings that cannot be made for a time scale.
#[derive(Debug, thiserror::Error)]
pub(in crate::trials) enum SettingsError {
    /// A replaced setting does not exist.
    #[error("the policy has no setting {0}")]
    Unknown(String),
    /// A replaced setting is invalid, and is not a duration that could be lengthened.
    #[error(transparent)]
    Invalid(ConfigError),
    /// A replaced setting has the wrong type.
    #[error("the policy cannot be read: {0}")]
    Read(#[from] toml::de::Error),
    /// The settings cannot be written as TOML.
    #[error("the settings cannot be written: {0}")]
    Write(#[from] toml::ser::Error),
    /// The policy stays invalid after all steps.
    #[error("the policy's settings cannot be shortened by this scale")]
    TooShort,
}

/// Returns the sidecar's settings file at this time scale, with some settings of the policy replaced.
///
/// Every duration is divided by the scale. A duration that validation would not accept is shortened as far
/// as it allows (`hang_timeout`: 1 s). Counts, shares and ratios stay.
///
/// # Errors
///
/// Returns an error if a setting is unknown, or cannot be made valid.
pub(super) fn file(
    scale: f64,
    settings: &[(&str, String)],
    replaced: &[(&str, Value)],
) -> Result<String, SettingsError> {
    let mut file = Table::new();
    for setting in SETTINGS {
        if let Ok(duration) = humantime::parse_duration(setting.default) {
            let value = text(duration.div_f64(scale));
            file.insert(setting.name.to_owned(), Value::String(value));
        }
    }
    for (name, value) in settings {
        file.insert((*name).to_owned(), Value::String(value.clone()));
    }
    file.insert("policy".to_owned(), Value::Table(policy(scale, replaced)?));
    Ok(toml::to_string(&file)?)
}

fn policy(scale: f64, replaced: &[(&str, Value)]) -> Result<Table, SettingsError> {
    let mut table = Table::try_from(PolicyConfig::default())?;
    shorten(&mut table, scale);
    for (path, value) in replaced {
        *entry(&mut table, path)? = value.clone();
    }
    for _ in 0..STEPS {
        let policy: PolicyConfig = table.clone().try_into()?;
        let Err(errors) = policy.validate() else {
            return Ok(table);
        };
        let Some(error) = errors.0.first() else {
            return Ok(table);
        };
        let value = entry(&mut table, error.setting)?;
        let short = value
            .as_str()
            .and_then(|text| humantime::parse_duration(text).ok());
        let Some(short) = short else {
            return Err(SettingsError::Invalid(error.clone()));
        };
        *value = Value::String(text(short.mul_f64(STEP)));
    }
    Err(SettingsError::TooShort)
}

fn entry<'a>(table: &'a mut Table, path: &str) -> Result<&'a mut Value, SettingsError> {
    let unknown = || SettingsError::Unknown(path.to_owned());
    let mut keys = path.split('.');
    let first = keys.next().ok_or_else(unknown)?;
    let mut value = table.get_mut(first).ok_or_else(unknown)?;
    for key in keys {
        value = value.get_mut(key).ok_or_else(unknown)?;
    }
    Ok(value)
}

fn shorten(table: &mut Table, scale: f64) {
    for (_, value) in table.iter_mut() {
        match value {
            Value::Table(inner) => shorten(inner, scale),
            Value::String(word) => {
                if let Ok(duration) = humantime::parse_duration(word) {
                    *word = text(duration.div_f64(scale));
                }
            }
            _ => {}
        }
    }
}

fn text(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    format!("{milliseconds}ms")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use healing_sidecar::config::{Flags, load};

    use super::*;

    fn loaded(scale: f64, replaced: &[(&str, Value)]) -> healing_sidecar::config::Settings {
        let mut written = tempfile::NamedTempFile::new().unwrap();
        let text = file(scale, &[], replaced).unwrap();
        written.write_all(text.as_bytes()).unwrap();
        let path = written.path().to_str().unwrap().to_owned();
        let flags = Flags::from([("config", path)]);
        let loaded = load(&flags, &|_: &str| None);
        assert!(loaded.errors.is_empty(), "{:?}\n{text}", loaded.errors);
        loaded.settings
    }

    #[test]
    fn settings_at_scale_1_equal_production() {
        let settings = loaded(1.0, &[]);
        assert_eq!(settings.policy, PolicyConfig::default());
        assert_eq!(settings.poll_interval, Duration::from_secs(5));
    }

    #[test]
    fn scale_shortens_only_durations_and_keeps_settings_valid() {
        for scale in [2.0, 4.0, 8.0, 10.0] {
            let settings = loaded(scale, &[]);
            let default = PolicyConfig::default();
            assert_eq!(settings.policy.permission.budget, default.permission.budget);
            assert_eq!(
                settings.policy.permission.hard_cooldown,
                default.permission.hard_cooldown.div_f64(scale)
            );
        }
        let settings = loaded(4.0, &[]);
        assert_eq!(settings.poll_interval, Duration::from_millis(1250));
        assert_eq!(settings.drain_timeout, Duration::from_millis(2500));
        let sustain = settings.policy.evidence.hard_sustain_for;
        assert_eq!(sustain, Duration::from_secs(5));
    }

    #[test]
    fn replaced_settings_are_used_and_unknown_ones_are_named() {
        let settings = loaded(4.0, &[("permission.budget", Value::Integer(1))]);
        assert_eq!(settings.policy.permission.budget, 1);
        let error = file(1.0, &[], &[("permission.no_such", Value::Integer(1))]).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("permission.no_such"), "{error}");
    }
}

//! Loading of all layers into [`Settings`]. All errors are collected, so that one run reports them all.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use healing_core::config::PolicyConfig;
use healing_core::observation::Mode;
use toml::{Table, Value};

use super::error::{FileError, ValueError};
use super::policy_table::{flatten_policy, merge_policy};
use super::value::{address, duration, one_of, path, restart, url};
use super::{
    ConfigError, Environment, Flags, Loaded, LogFormat, Origin, Profile, Rules, SETTINGS, Setting,
    Settings,
};

/// Maximum of `drain_settle` and `drain_timeout`, well within the 30 s lease of a drain.
const DRAIN_LIMIT: Duration = Duration::from_secs(25);

struct Layers<'a> {
    flags: &'a Flags,
    environment: &'a dyn Environment,
    file: Option<(PathBuf, Table)>,
    demo: bool,
    effective: Vec<(String, String, Origin)>,
    errors: Vec<ConfigError>,
}

pub(super) fn load(flags: &Flags, environment: &dyn Environment) -> Loaded {
    let mut layers = Layers {
        flags,
        environment,
        file: None,
        demo: false,
        effective: Vec::new(),
        errors: Vec::new(),
    };
    layers.read_file();
    // The profile selects the defaults of all further settings.
    let profile = layers.value("profile", |text| {
        one_of(
            text,
            &[("default", Profile::Default), ("demo", Profile::Demo)],
        )
    });
    layers.demo = profile == Profile::Demo;
    let settings = Settings {
        profile,
        app_url: layers.value("app_url", url),
        care_url: layers.value("care_url", url),
        bind: layers.value("bind", address),
        poll_interval: layers.value("poll_interval", |text| {
            duration(text, Duration::from_millis(100), Duration::from_secs(60))
        }),
        probe_timeout: layers.value("probe_timeout", |text| {
            duration(text, Duration::from_millis(10), Duration::from_secs(30))
        }),
        heal_timeout: layers.value("heal_timeout", |text| {
            duration(text, Duration::from_millis(100), Duration::from_secs(300))
        }),
        drain_settle: layers.value("drain_settle", |text| {
            duration(text, Duration::ZERO, DRAIN_LIMIT)
        }),
        drain_timeout: layers.value("drain_timeout", |text| {
            duration(text, Duration::ZERO, DRAIN_LIMIT)
        }),
        mode: layers.value("mode", |text| {
            one_of(
                text,
                &[("observe", Mode::Observe), ("enforce", Mode::Enforce)],
            )
        }),
        restart: layers.value("restart", restart),
        state_dir: layers.value("state_dir", |text| Ok(PathBuf::from(text))),
        model: layers.value("model", path),
        rules: layers.value("rules", |text| {
            one_of(
                text,
                &[("default", Rules::Default), ("original", Rules::Original)],
            )
        }),
        token_file: layers.value("token_file", path),
        log_format: layers.value("log_format", |text| {
            one_of(
                text,
                &[("json", LogFormat::Json), ("text", LogFormat::Text)],
            )
        }),
        policy: layers.policy(),
    };
    layers.check_unknown_keys();
    Loaded {
        settings,
        effective: layers.effective,
        errors: layers.errors,
    }
}

impl Layers<'_> {
    fn read_file(&mut self) {
        let (text, origin) = if let Some(path) = self.flags.get("config") {
            (path.clone(), Origin::Flag("--config".to_owned()))
        } else if let Some(path) = self.environment.get("HEALING_CONFIG")
            && !path.is_empty()
        {
            let path = path.to_string_lossy().into_owned();
            (path, Origin::Env("HEALING_CONFIG"))
        } else {
            return;
        };
        let path = PathBuf::from(text);
        match read_table(&path) {
            Ok(table) => self.file = Some((path, table)),
            Err(error) => self.error("config", origin, &error),
        }
    }

    /// Returns the value from the first layer that has one. An invalid value is replaced by the
    /// default. Using the next layer would hide the error.
    fn value<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, ValueError>) -> T {
        let setting = setting(name);
        let default = setting
            .demo
            .filter(|_| self.demo)
            .unwrap_or(setting.default);
        let fallback = |text: &str| match parse(text) {
            Ok(value) => value,
            // A test parses all defaults of the schema.
            Err(error) => unreachable!("the default of {name} is invalid: {error}"),
        };
        let Some((text, origin)) = self.lookup(setting) else {
            self.record(name, default, Origin::Default);
            return fallback(default);
        };
        let parsed = text.and_then(|text| parse(&text).map(|value| (value, text)));
        match parsed {
            Ok((value, text)) => {
                self.record(name, &text, origin);
                value
            }
            Err(error) => {
                self.error(name, origin, &error);
                self.record(name, default, Origin::Invalid);
                fallback(default)
            }
        }
    }

    /// Returns text and origin of a setting that is set. The inner error reports a value that is not
    /// text.
    fn lookup(&self, setting: &Setting) -> Option<(Result<String, ValueError>, Origin)> {
        if let Some(text) = self.flags.get(setting.name) {
            let flag = format!("--{}", setting.name.replace('_', "-"));
            return Some((Ok(text.clone()), Origin::Flag(flag)));
        }
        // Manifests and shells use an empty variable for one that is not set.
        if let Some(value) = self.environment.get(setting.env)
            && !value.is_empty()
        {
            let text = value.into_string().map_err(ValueError::NotUtf8);
            return Some((text, Origin::Env(setting.env)));
        }
        let (path, table) = self.file.as_ref()?;
        let text = match table.get(setting.name)? {
            Value::String(text) => Ok(text.clone()),
            other => Err(ValueError::NotString {
                found: other.clone(),
                name: setting.name,
                example: setting.default,
            }),
        };
        Some((text, Origin::File(path.clone())))
    }

    /// Returns the policy of the profile, merged with the file's `[policy]` table.
    fn policy(&mut self) -> PolicyConfig {
        let base = if self.demo {
            PolicyConfig::demo()
        } else {
            PolicyConfig::default()
        };
        let given = self.file.as_ref().and_then(|(path, table)| {
            let policy = table.get("policy")?.clone();
            Some((policy, Origin::File(path.clone())))
        });
        let (policy, origin) = match given {
            None => (base, Origin::Default),
            Some((given, origin)) => match merge_policy(&base, given) {
                Ok(policy) => (policy, origin),
                Err(error) => {
                    self.error("policy", origin, &error);
                    (base, Origin::Invalid)
                }
            },
        };
        for (name, value) in flatten_policy(&policy) {
            self.effective.push((name, value, origin.clone()));
        }
        policy
    }

    fn check_unknown_keys(&mut self) {
        let Some((path, table)) = &self.file else {
            return;
        };
        let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        let unknown: Vec<String> = table
            .keys()
            .filter(|key| *key != "policy" && !known.contains(&key.as_str()))
            .cloned()
            .collect();
        let origin = Origin::File(path.clone());
        for key in unknown {
            let problem = format!(
                "there is no such setting; known settings: {}, policy",
                known.join(", ")
            );
            self.error(&key, origin.clone(), &problem);
        }
    }

    fn record(&mut self, name: &str, value: &str, origin: Origin) {
        self.effective
            .push((name.to_owned(), value.to_owned(), origin));
    }

    fn error(&mut self, setting: &str, origin: Origin, problem: &impl ToString) {
        self.errors.push(ConfigError {
            setting: setting.to_owned(),
            origin,
            problem: problem.to_string(),
        });
    }
}

fn setting(name: &str) -> &'static Setting {
    match SETTINGS.iter().find(|setting| setting.name == name) {
        Some(setting) => setting,
        None => unreachable!("{name} is not in the schema of the settings"),
    }
}

fn read_table(path: &Path) -> Result<Table, FileError> {
    let text = fs::read_to_string(path).map_err(|error| FileError::Read(path.to_owned(), error))?;
    text.parse::<Table>()
        .map_err(|error| FileError::Syntax(path.to_owned(), error))
}

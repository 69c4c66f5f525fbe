//! From the layers to [`Settings`], collecting every error instead of stopping at the first.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use healing_core::config::PolicyConfig;
use healing_core::observation::Mode;
use toml::{Table, Value};

use super::{
    ConfigError, Environment, Flags, Loaded, LogFormat, Origin, Profile, Restart, Rules, SETTINGS,
    Setting, Settings,
};

/// A drain is a lease of 30 s: settling and finishing must fit well within it.
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
    let profile = layers.value("profile", |text| {
        choose(
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
            duration(text, Duration::from_millis(100), Duration::from_secs(3600))
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
            choose(
                text,
                &[("observe", Mode::Observe), ("enforce", Mode::Enforce)],
            )
        }),
        restart: layers.value("restart", restart),
        state_dir: layers.value("state_dir", |text| Ok(PathBuf::from(text))),
        model: layers.value("model", path),
        rules: layers.value("rules", |text| {
            choose(
                text,
                &[("default", Rules::Default), ("original", Rules::Original)],
            )
        }),
        token_file: layers.value("token_file", path),
        log_format: layers.value("log_format", |text| {
            choose(
                text,
                &[("json", LogFormat::Json), ("text", LogFormat::Text)],
            )
        }),
        policy: layers.policy(),
    };
    layers.unknown_keys();
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
            Err(problem) => self.error("config", origin, problem),
        }
    }

    /// The first layer that has a value decides; a wrong one falls to the default, not to the next
    /// layer: that would hide the mistake.
    fn value<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> T {
        let setting = find(name);
        let default = setting
            .demo
            .filter(|_| self.demo)
            .unwrap_or(setting.default);
        let fallback = |text: &str| match parse(text) {
            Ok(value) => value,
            // The table's own defaults parse: a test goes through all of them.
            Err(problem) => unreachable!("the default of {name} is wrong: {problem}"),
        };
        let Some((text, origin)) = self.given(setting) else {
            self.note(name, default, Origin::Default);
            return fallback(default);
        };
        let parsed = text.and_then(|text| parse(&text).map(|value| (value, text)));
        match parsed {
            Ok((value, text)) => {
                self.note(name, &text, origin);
                value
            }
            Err(problem) => {
                self.error(name, origin, problem);
                self.note(name, default, Origin::Invalid);
                fallback(default)
            }
        }
    }

    /// The text of a setting and its origin; the inner error is for what cannot be text.
    fn given(&self, setting: &Setting) -> Option<(Result<String, String>, Origin)> {
        if let Some(text) = self.flags.get(setting.name) {
            let flag = format!("--{}", setting.name.replace('_', "-"));
            return Some((Ok(text.clone()), Origin::Flag(flag)));
        }
        // Set but empty is how manifests and shells say "not set".
        if let Some(value) = self.environment.get(setting.env)
            && !value.is_empty()
        {
            let text = value
                .into_string()
                .map_err(|value| format!("{} is not UTF-8", value.display()));
            return Some((text, Origin::Env(setting.env)));
        }
        let (path, table) = self.file.as_ref()?;
        let text = match table.get(setting.name)? {
            Value::String(text) => Ok(text.clone()),
            other => Err(format!(
                "{other} is no string; a string is expected, such as {} = \"{}\"",
                setting.name, setting.default
            )),
        };
        Some((text, Origin::File(path.clone())))
    }

    /// The profile's policy with the file's `[policy]` table laid over it.
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
            Some((given, origin)) => match overlay_policy(&base, given) {
                Ok(policy) => (policy, origin),
                Err(problem) => {
                    self.error("policy", origin, problem);
                    (base, Origin::Invalid)
                }
            },
        };
        if let Ok(Value::Table(table)) = Value::try_from(&policy) {
            let mut lines = Vec::new();
            flatten("policy", &table, &mut lines);
            for (name, value) in lines {
                self.effective.push((name, value, origin.clone()));
            }
        }
        policy
    }

    fn unknown_keys(&mut self) {
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
                "there is no such setting; known: {}, policy",
                known.join(", ")
            );
            self.error(&key, origin.clone(), problem);
        }
    }

    fn note(&mut self, name: &str, value: &str, origin: Origin) {
        self.effective
            .push((name.to_owned(), value.to_owned(), origin));
    }

    fn error(&mut self, setting: &str, origin: Origin, problem: String) {
        self.errors.push(ConfigError {
            setting: setting.to_owned(),
            origin,
            problem,
        });
    }
}

fn find(name: &str) -> &'static Setting {
    match SETTINGS.iter().find(|setting| setting.name == name) {
        Some(setting) => setting,
        None => unreachable!("{name} is not in the table of settings"),
    }
}

fn read_table(path: &Path) -> Result<Table, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    text.parse::<Table>()
        .map_err(|error| format!("{} is not TOML: {error}", path.display()))
}

fn overlay_policy(base: &PolicyConfig, given: Value) -> Result<PolicyConfig, String> {
    let Value::Table(given) = given else {
        return Err("a table is expected: [policy]".to_owned());
    };
    let mut table = Table::try_from(base).map_err(|error| error.to_string())?;
    overlay(&mut table, given);
    let policy: PolicyConfig = table
        .try_into()
        .map_err(|error: toml::de::Error| error.message().to_owned())?;
    policy.validate().map_err(|error| error.to_string())?;
    Ok(policy)
}

/// Tables merge, everything else is replaced.
fn overlay(base: &mut Table, given: Table) {
    for (key, value) in given {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => overlay(inner, value),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn flatten(prefix: &str, table: &Table, lines: &mut Vec<(String, String)>) {
    let ordered: BTreeMap<_, _> = table.iter().collect();
    for (key, value) in ordered {
        let name = format!("{prefix}.{key}");
        match value {
            Value::Table(inner) => flatten(&name, inner, lines),
            Value::String(text) => lines.push((name, text.clone())),
            other => lines.push((name, other.to_string())),
        }
    }
}

// === one function for each kind of value ===

fn choose<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    choices
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, value)| *value)
        .ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            format!("\"{text}\" is not one of {}", words.join(", "))
        })
}

fn restart(text: &str) -> Result<Restart, String> {
    match text {
        "exit" => Ok(Restart::Exit),
        "liveness" => Ok(Restart::Liveness),
        "signal" => Err(format!(
            "\"{text}\" is not available in this version; use exit or liveness"
        )),
        _ => Err(format!("\"{text}\" is not one of exit, liveness")),
    }
}

fn duration(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let value = humantime::parse_duration(text)
        .map_err(|error| format!("\"{text}\" is not a duration such as 5s or 250ms: {error}"))?;
    if value < least || value > most {
        return Err(format!(
            "{text} is out of range: from {} to {}",
            humantime::format_duration(least),
            humantime::format_duration(most)
        ));
    }
    Ok(value)
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("\"{text}\" is not ADDRESS:PORT, such as 0.0.0.0:5001"))
}

#[allow(clippy::unnecessary_wraps)] // the shape of a parser
fn path(text: &str) -> Result<Option<PathBuf>, String> {
    Ok((!text.is_empty()).then(|| PathBuf::from(text)))
}

fn url(text: &str) -> Result<reqwest::Url, String> {
    let right = "such as http://127.0.0.1:5000";
    let url = reqwest::Url::parse(text).map_err(|error| format!("\"{text}\": {error}; {right}"))?;
    if url.scheme() != "http" {
        return Err(format!(
            "\"{text}\": only http is spoken to the app in the same pod, {right}"
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("\"{text}\": no credentials here; {right}"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("\"{text}\": no path is expected, {right}"));
    }
    Ok(url)
}

//! Changes that a script can make to the simulation, and their values.

use std::time::Duration;

use healing_core::health::CheckState;
use healing_core::observation::{InvalidAnswer, Mode, ProbeResult};

use crate::world::World;

/// Change, such as `errors=30%`.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) text: String,
    effect: Effect,
}

/// Effect of a change on the simulation.
#[derive(Debug, Clone)]
enum Effect {
    Number(fn(&mut World, f64), f64),
    Flag(fn(&mut World, bool), bool),
    Probe(fn(&mut World, Probe), Probe),
    Word(fn(&mut World, &'static str), &'static str),
    Jump(bool, Duration),
    Event(fn(&mut World)),
}

/// Result of a probe that a script selects.
#[derive(Debug, Clone, Copy)]
enum Probe {
    Responds,
    TimesOut,
    Refuses,
    Invalid,
    NotProbed,
}

/// Kind of a change's value, with its effect.
enum Kind {
    Percentage(fn(&mut World, f64)),
    Rate(fn(&mut World, f64)),
    Seconds(fn(&mut World, f64)),
    Count(fn(&mut World, f64)),
    PercentPerMinute(fn(&mut World, f64)),
    YesNo(fn(&mut World, bool)),
    Probe(fn(&mut World, Probe)),
    OneOf(&'static [&'static str], fn(&mut World, &'static str)),
    Jump,
    Event(fn(&mut World)),
}

/// Every change, sorted by name.
const CHANGES: [(&str, Kind); 41] = [
    ("age", Kind::Seconds(|w, seconds| w.app.uptime = seconds)),
    ("app-restarts", Kind::Event(|w| w.app.restart())),
    (
        "capture-answer",
        Kind::Event(|w| w.captured = Some(w.app.health())),
    ),
    ("care", Kind::Probe(set_care)),
    (
        "care-latency",
        Kind::Seconds(|w, seconds| w.app.care_seconds = seconds),
    ),
    (
        "checks",
        Kind::OneOf(&["running", "stopped"], |w, word| {
            w.app.checks_stopped = word == "stopped";
            w.app.check_age = 0.1;
        }),
    ),
    (
        "counters-reset",
        Kind::Event(|w| {
            (w.app.requests, w.app.errors) = (5.0, 3.0);
        }),
    ),
    ("cpu", Kind::Percentage(|w, percent| w.app.cpu = percent)),
    (
        "dependency",
        Kind::OneOf(&["none", "unknown", "passing", "failing"], |w, word| {
            w.app.dependency = match word {
                "unknown" => Some(CheckState::Unknown),
                "passing" => Some(CheckState::Passing),
                "failing" => Some(CheckState::Failing),
                _ => None,
            };
        }),
    ),
    (
        "dependency-optional",
        Kind::YesNo(|w, yes| w.app.dependency_optional = yes),
    ),
    ("doctor-restarts", Kind::Event(World::restart_doctor)),
    ("draining", Kind::YesNo(|w, yes| w.app.draining = yes)),
    (
        "error-burst",
        Kind::Count(|w, count| w.app.simulate_errors(count)),
    ),
    (
        "errors",
        Kind::Percentage(|w, percent| w.app.failing = percent / 100.0),
    ),
    (
        "fields",
        Kind::OneOf(&["five", "all"], |w, word| {
            w.app.five_fields = word == "five";
        }),
    ),
    (
        "front-door",
        Kind::Probe(|w, probe| {
            w.app.front_door = probe_result(probe, || ((), Duration::from_millis(1)));
        }),
    ),
    ("lag", Kind::Seconds(|w, seconds| w.app.lag = seconds)),
    ("late", Kind::YesNo(|w, yes| w.circumstances.late = yes)),
    (
        "latency",
        Kind::Seconds(|w, seconds| w.app.seconds = seconds),
    ),
    (
        "memory",
        Kind::Percentage(|w, percent| w.app.memory = percent),
    ),
    (
        "memory-growth",
        Kind::PercentPerMinute(|w, percent| w.app.memory_per_second = percent / 60.0),
    ),
    (
        "mode",
        Kind::OneOf(&["observe", "enforce"], |w, word| {
            w.circumstances.mode = if word == "observe" {
                Mode::Observe
            } else {
                Mode::Enforce
            };
        }),
    ),
    (
        "panics",
        Kind::Percentage(|w, percent| w.app.panicking = percent / 100.0),
    ),
    ("paused", Kind::YesNo(|w, yes| w.circumstances.paused = yes)),
    (
        "pod-draining",
        Kind::YesNo(|w, yes| w.circumstances.draining = yes),
    ),
    (
        "process",
        Kind::OneOf(&["unknown", "alive", "dead"], |w, word| {
            w.circumstances.process_alive = match word {
                "alive" => Some(true),
                "dead" => Some(false),
                _ => None,
            };
        }),
    ),
    ("rate", Kind::Rate(|w, rate| w.app.rate = rate)),
    ("replay-answer", Kind::Event(|w| w.replays = true)),
    ("requests", Kind::Count(|w, count| w.app.requests = count)),
    (
        "restart",
        Kind::OneOf(&["helps", "fails"], |w, word| {
            w.app.restart_helps = word == "helps";
        }),
    ),
    (
        "route-errors",
        Kind::Percentage(|w, percent| w.app.route_failing = percent / 100.0),
    ),
    (
        "route-share",
        Kind::Percentage(|w, percent| w.app.route_share = percent / 100.0),
    ),
    (
        "soft-heal",
        Kind::OneOf(&["helps", "fails", "aborts"], |w, word| {
            w.app.soft_helps = word == "helps";
            w.soft_heal_aborts = word == "aborts";
        }),
    ),
    ("stalled", Kind::YesNo(|w, yes| w.app.stalled = yes)),
    ("started", Kind::YesNo(|w, yes| w.app.started = yes)),
    ("starting", Kind::YesNo(|w, yes| w.app.starting = yes)),
    (
        "state-writable",
        Kind::YesNo(|w, yes| w.circumstances.state_writable = yes),
    ),
    (
        "throttled",
        Kind::Percentage(|w, percent| w.app.throttled = percent / 100.0),
    ),
    ("total-errors", Kind::Count(|w, count| w.app.errors = count)),
    (
        "version-known",
        Kind::YesNo(|w, yes| w.app.version_known = yes),
    ),
    ("wall-clock", Kind::Jump),
];

fn set_care(world: &mut World, probe: Probe) {
    world.app.care = match probe {
        Probe::Responds => None,
        // `Probe::Responds` removes the override, so this value is not used.
        other => Some(probe_result(other, || (Default::default(), Duration::ZERO))),
    };
}

fn probe_result<T>(probe: Probe, valid: impl FnOnce() -> (T, Duration)) -> ProbeResult<T> {
    match probe {
        Probe::Responds => {
            let (value, took) = valid();
            ProbeResult::Valid(value, took)
        }
        Probe::TimesOut => ProbeResult::TimedOut,
        Probe::Refuses => ProbeResult::Refused,
        Probe::Invalid => ProbeResult::Invalid(InvalidAnswer::Malformed),
        Probe::NotProbed => ProbeResult::NotProbed,
    }
}

impl Change {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let Some((_, kind)) = CHANGES.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = CHANGES.iter().map(|(known, _)| *known).collect();
            return Err(format!(
                "unknown change `{name}`; known are {}",
                known.join(", ")
            ));
        };
        let effect = match (kind, value) {
            (Kind::Event(effect), None) => Effect::Event(*effect),
            (Kind::Event(_), Some(_)) => return Err(format!("`{name}` takes no value")),
            (_, None) => return Err(format!("`{name}` needs a value: `{name}=…`")),
            (kind, Some(value)) => kind
                .effect(value)
                .map_err(|error| format!("`{text}`: {error}"))?,
        };
        Ok(Self {
            text: text.to_owned(),
            effect,
        })
    }

    pub(crate) fn apply(&self, world: &mut World) {
        match &self.effect {
            Effect::Number(set, value) => set(world, *value),
            Effect::Flag(set, value) => set(world, *value),
            Effect::Probe(set, value) => set(world, *value),
            Effect::Word(set, value) => set(world, value),
            Effect::Jump(true, jump) => world.now.wall += *jump,
            Effect::Jump(false, jump) => world.now.wall = world.now.wall.saturating_sub(*jump),
            Effect::Event(apply) => apply(world),
        }
    }
}

impl Kind {
    fn effect(&self, value: &str) -> Result<Effect, String> {
        Ok(match self {
            Self::Percentage(set) => Effect::Number(*set, number(value, "%", "percentage", "30%")?),
            Self::Rate(set) => Effect::Number(*set, number(value, "/s", "rate", "200/s")?),
            Self::Seconds(set) => Effect::Number(*set, duration(value)?.as_secs_f64()),
            Self::Count(set) => Effect::Number(*set, number(value, "", "count", "6")?),
            Self::PercentPerMinute(set) => {
                Effect::Number(*set, number(value, "%/min", "growth", "2%/min")?)
            }
            Self::YesNo(set) => Effect::Flag(*set, choice(value, &[("yes", true), ("no", false)])?),
            Self::Probe(set) => Effect::Probe(
                *set,
                choice(
                    value,
                    &[
                        ("answers", Probe::Responds),
                        ("hangs", Probe::TimesOut),
                        ("refuses", Probe::Refuses),
                        ("invalid", Probe::Invalid),
                        ("not_probed", Probe::NotProbed),
                    ],
                )?,
            ),
            Self::OneOf(words, set) => {
                let words: Vec<_> = words.iter().map(|&word| (word, word)).collect();
                Effect::Word(*set, choice(value, &words)?)
            }
            Self::Jump => match value.split_at_checked(1) {
                Some(("+", jump)) => Effect::Jump(true, duration(jump)?),
                Some(("-", jump)) => Effect::Jump(false, duration(jump)?),
                _ => return Err(format!("`{value}` is not a jump; write +1day or -2h")),
            },
            Self::Event(apply) => Effect::Event(*apply),
        })
    }
}

fn number(value: &str, unit: &str, kind: &str, example: &str) -> Result<f64, String> {
    value
        .strip_suffix(unit)
        .and_then(|number| number.parse::<f64>().ok())
        .filter(|number| number.is_finite())
        .ok_or_else(|| format!("`{value}` is not a {kind}; write {example}"))
}

pub(crate) fn duration(word: &str) -> Result<Duration, String> {
    humantime::parse_duration(word)
        .map_err(|_| format!("`{word}` is not a time; write 5s or 10min"))
}

/// Returns a time of day as seconds after midnight.
pub(crate) fn time_of_day(word: &str) -> Result<u64, String> {
    word.split_once(':')
        .and_then(|(hour, minute)| Some((hour.parse().ok()?, minute.parse().ok()?)))
        .filter(|&(hour, minute): &(u64, u64)| hour < 24 && minute < 60)
        .map(|(hour, minute)| hour * 3600 + minute * 60)
        .ok_or_else(|| format!("`{word}` is not a time of day; write 12:00"))
}

pub(crate) fn choice<T: Copy>(word: &str, choices: &[(&str, T)]) -> Result<T, String> {
    choices
        .iter()
        .find(|(known, _)| *known == word)
        .map(|(_, value)| *value)
        .ok_or_else(|| {
            let known: Vec<_> = choices.iter().map(|(known, _)| *known).collect();
            format!("`{word}` is unknown; known are {}", known.join(", "))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_sorted_and_unique() {
        assert!(CHANGES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}

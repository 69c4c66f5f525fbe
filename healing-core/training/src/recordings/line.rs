//! Parser of one line of `rec.jsonl`.

use std::collections::BTreeMap;
use std::time::Duration;

use healing_core::health::Health;
use healing_core::observation::{InvalidAnswer, ProbeResult};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::RecordingErrorKind;
use super::health::HealthRebuilder;
use super::sample::{
    AppCounts, CgroupCpu, FRONT_DOOR_LIMIT, FrontDoor, RecordedSample, Scheduler, Sockets,
};

/// Expected form of a line, for error messages.
const EXPECTED: &str = "an object with the fields that the README of the recordings lists";

/// Longest time in a recording, in seconds: a bound for values from the file.
const MAX_SECONDS: f64 = 1e6;

/// Recorded form of a line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedLine {
    t: f64,
    care: Outcome,
    care_s: f64,
    #[serde(default)]
    h: Option<Map<String, Value>>,
    #[serde(default)]
    front: Option<(f64, Outcome, f64)>,
    #[serde(default)]
    sched: Option<(f64, f64)>,
    #[serde(default)]
    top: BTreeMap<u32, f64>,
    #[serde(default)]
    sock: Option<Vec<u64>>,
    #[serde(default)]
    cpustat: Option<CpuStat>,
    #[serde(default)]
    counts: Option<[u64; 4]>,
}

/// Outcome of a request: the status of its response, or a word.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Outcome {
    Status(u16),
    Word(String),
}

/// `cpu.stat` of cgroup v1; times in nanoseconds.
#[derive(Debug, Deserialize)]
struct CpuStat {
    nr_periods: u64,
    nr_throttled: u64,
    throttled_time: u64,
}

/// Returns the sample of a line. `rebuilder` has seen the lines before it.
pub(super) fn parse(
    text: &str,
    rebuilder: &mut HealthRebuilder,
) -> Result<RecordedSample, RecordingErrorKind> {
    let line: RecordedLine =
        serde_json::from_str(text).map_err(|error| RecordingErrorKind::json(&error, EXPECTED))?;
    let care_duration = duration(line.care_s)?;
    let health = line.h.map(|h| rebuilder.rebuild(h)).transpose()?;
    Ok(RecordedSample {
        seconds: duration(line.t)?.as_secs_f64(),
        care: care(&line.care, health, care_duration)?,
        care_duration,
        front_door: line.front.map(front_door).transpose()?,
        scheduler: line.sched.map(|(cpu_seconds, wait_seconds)| Scheduler {
            cpu_seconds,
            wait_seconds,
        }),
        busiest_threads: line.top,
        sockets: line.sock.as_deref().map(sockets).transpose()?,
        cgroup_cpu: line.cpustat.as_ref().map(cgroup_cpu),
        app_counts: line
            .counts
            .map(|[begun, answered, answered_errors, cancelled]| AppCounts {
                begun,
                answered,
                answered_errors,
                cancelled,
            }),
    })
}

fn duration(seconds: f64) -> Result<Duration, RecordingErrorKind> {
    if (0.0..=MAX_SECONDS).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(RecordingErrorKind::value(seconds, "seconds from 0 to 1e6"))
    }
}

fn care(
    outcome: &Outcome,
    health: Option<Health>,
    duration: Duration,
) -> Result<ProbeResult<Health>, RecordingErrorKind> {
    match (outcome, health) {
        (Outcome::Status(200), Some(health)) => Ok(ProbeResult::Valid(health, duration)),
        (Outcome::Status(200), None) => Err(RecordingErrorKind::Missing("`h` of a response")),
        (Outcome::Status(status), _) => Ok(ProbeResult::Invalid(InvalidAnswer::Status(*status))),
        (Outcome::Word(word), _) => failure(word),
    }
}

fn front_door(
    (asked, outcome, seconds): (f64, Outcome, f64),
) -> Result<FrontDoor, RecordingErrorKind> {
    let duration = duration(seconds)?;
    let result = match &outcome {
        Outcome::Status(_) if duration > FRONT_DOOR_LIMIT => ProbeResult::TimedOut,
        Outcome::Status(200) => ProbeResult::Valid((), duration),
        Outcome::Status(status) => ProbeResult::Invalid(InvalidAnswer::Status(*status)),
        Outcome::Word(word) => failure(word)?,
    };
    Ok(FrontDoor {
        asked_seconds: asked,
        duration,
        result,
    })
}

/// Returns the result of a request without a response.
fn failure<T>(word: &str) -> Result<ProbeResult<T>, RecordingErrorKind> {
    match word {
        "timeout" => Ok(ProbeResult::TimedOut),
        "refused" => Ok(ProbeResult::Refused),
        "ConnectionResetError" => Ok(ProbeResult::Invalid(InvalidAnswer::Transport)),
        _ => Err(RecordingErrorKind::value(
            word,
            "a status, `timeout`, `refused` or `ConnectionResetError`",
        )),
    }
}

fn sockets(figures: &[u64]) -> Result<Sockets, RecordingErrorKind> {
    let (&[backlog, established, unread, close_wait, close_wait_unread], rest) = figures
        .split_first_chunk()
        .ok_or_else(|| wrong_sockets(figures))?;
    let (unread_bytes, stuck) = match *rest {
        [] => (None, None),
        [unread_bytes, stuck] => (Some(unread_bytes), Some(stuck)),
        _ => return Err(wrong_sockets(figures)),
    };
    Ok(Sockets {
        backlog,
        established,
        unread,
        close_wait,
        close_wait_unread,
        unread_bytes,
        stuck,
    })
}

fn wrong_sockets(figures: &[u64]) -> RecordingErrorKind {
    RecordingErrorKind::value(format!("{figures:?}"), "5 or 7 socket figures")
}

fn cgroup_cpu(stat: &CpuStat) -> CgroupCpu {
    CgroupCpu {
        periods: stat.nr_periods,
        throttled_periods: stat.nr_throttled,
        throttled_seconds: Duration::from_nanos(stat.throttled_time).as_secs_f64(),
    }
}

#[cfg(test)]
mod tests;

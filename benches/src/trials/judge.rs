//! Judgement of a run: pure, and blind to the doctor's own account of it.

use serde::{Deserialize, Serialize};

use super::expected::{Bounds, Expected};
use crate::load::Counts;

/// Share of successful requests from which clients count as served.
const SERVED: f64 = 0.95;

/// Kind of a treatment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The recovery hooks ran.
    SoftHeal,
    /// The doctor ended itself with 88.
    Restart,
}

/// A treatment that took place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Treatment {
    /// Kind.
    pub kind: Kind,
    /// Seconds after the fault at time scale 1; negative before the fault.
    pub seconds: f64,
    /// Reason code of the doctor's journal; empty if there is none.
    pub reason: String,
}

/// Everything about a run that is judged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// Treatments in their order.
    pub treatments: Vec<Treatment>,
    /// Outcome of the doctor's own verification, for the table only.
    pub outcomes: Vec<String>,
    /// Requests that were due after the fault.
    pub requests: Counts,
    /// Requests of the last part of the run.
    pub at_end: Counts,
    /// Median latency after the fault, in milliseconds.
    pub p50_ms: Option<u64>,
    /// 99th percentile of the latency after the fault, in milliseconds.
    pub p99_ms: Option<u64>,
    /// Findings of the case itself that are wrong.
    pub problems: Vec<String>,
}

/// Judgement of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Everything that is wrong; empty if the run is right.
    pub wrong: Vec<String>,
    /// Restarts beyond those that are right.
    pub false_restarts: u32,
    /// Soft heals beyond those that are right.
    pub false_soft_heals: u32,
}

impl Judgement {
    /// Reports if nothing is wrong.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// Compares a run with its expectation.
#[must_use]
pub fn judge(expected: &Expected, observed: &Observed) -> Judgement {
    let mut wrong = observed.problems.clone();
    let restarts = count(observed, Kind::Restart);
    let soft_heals = count(observed, Kind::SoftHeal);
    restarts.describe("restart", expected.restarts, &mut wrong);
    soft_heals.describe("soft heal", expected.soft_heals, &mut wrong);

    let needed = if expected.restarts.0 > 0 {
        Some(Kind::Restart)
    } else {
        (expected.soft_heals.0 > 0).then_some(Kind::SoftHeal)
    };
    let first = observed.treatments.iter().find(|treatment| {
        treatment.seconds >= 0.0 && needed.is_none_or(|kind| treatment.kind == kind)
    });
    match (first, expected.within) {
        (Some(first), Some(within)) if first.seconds > f64::from(within) => wrong.push(format!(
            "treated after {:.0} s, should be within {within} s",
            first.seconds
        )),
        (None, _) if expected.any_treatment => wrong.push("nothing was done".to_owned()),
        _ => {}
    }
    if expected.served_at_end {
        match observed.at_end.ok_share() {
            None => wrong.push("no request at the end".to_owned()),
            Some(share) if share < SERVED => wrong.push(format!(
                "clients are not served at the end: {} failed",
                observed.at_end
            )),
            Some(_) => {}
        }
    }
    let failed = observed.requests.failed();
    if let Some(most) = expected.failed_at_most.filter(|most| failed > *most) {
        wrong.push(format!(
            "{failed} requests failed, should be at most {most}"
        ));
    }
    if observed.requests.total() == 0 {
        wrong.push("there was no load".to_owned());
    }
    Judgement {
        wrong,
        false_restarts: restarts.false_ones(expected.restarts),
        false_soft_heals: soft_heals.false_ones(expected.soft_heals),
    }
}

/// Treatments of one kind.
#[derive(Debug, Clone, Copy)]
struct Number {
    before: u32,
    after: u32,
}

fn count(observed: &Observed, kind: Kind) -> Number {
    let number = |before: bool| {
        let treatments = observed.treatments.iter();
        let of_kind = treatments.filter(|each| each.kind == kind && (each.seconds < 0.0) == before);
        u32::try_from(of_kind.count()).unwrap_or(u32::MAX)
    };
    Number {
        before: number(true),
        after: number(false),
    }
}

impl Number {
    fn false_ones(self, (_, most): Bounds) -> u32 {
        self.before + self.after.saturating_sub(most)
    }

    fn describe(self, what: &str, (least, most): Bounds, wrong: &mut Vec<String>) {
        if self.before > 0 {
            wrong.push(format!("{} {what}(s) before the fault", self.before));
        }
        if self.after < least {
            wrong.push(format!(
                "{} {what}(s), should be at least {least}",
                self.after
            ));
        }
        if self.after > most {
            wrong.push(format!(
                "{} {what}(s), should be at most {most}",
                self.after
            ));
        }
    }
}

#[cfg(test)]
mod tests;

//! Judgement of a run, as a pure function that does not see the doctor's own evaluation.

use serde::{Deserialize, Serialize};

use super::expected::{Bounds, Expected};
use crate::load::Counts;

/// Minimum share of successful requests at which clients count as served.
const SERVED: f64 = 0.95;

/// Kind of a treatment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The recovery hooks ran.
    SoftHeal,
    /// The doctor exited with 88.
    Restart,
}

/// Treatment that was carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Treatment {
    /// Kind of the treatment.
    pub kind: Kind,
    /// Time after the fault, in seconds at time scale 1; negative before the fault.
    pub seconds: f64,
    /// Reason code in the doctor's journal; empty if there is none.
    pub reason: String,
}

/// Observations of a run that are judged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// Treatments in the order of time.
    pub treatments: Vec<Treatment>,
    /// Outcomes in the doctor's journal, which are not judged.
    pub outcomes: Vec<String>,
    /// Requests that were due after the fault.
    pub requests: Counts,
    /// Requests of the last part of the run.
    pub at_end: Counts,
    /// Median latency after the fault, in milliseconds.
    pub p50_ms: Option<u64>,
    /// 99th percentile of the latency after the fault, in milliseconds.
    pub p99_ms: Option<u64>,
    /// Findings of the case that are wrong beyond its expectation.
    pub problems: Vec<String>,
}

/// Judgement of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Deviations from the expectation; empty if the run is right.
    pub wrong: Vec<String>,
    /// Number of restarts above the maximum.
    pub false_restarts: u32,
    /// Number of soft heals above the maximum.
    pub false_soft_heals: u32,
}

impl Judgement {
    /// Returns `true` if nothing is wrong.
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
        false_restarts: restarts.false_treatments(expected.restarts),
        false_soft_heals: soft_heals.false_treatments(expected.soft_heals),
    }
}

/// Numbers of treatments of one kind before and after the fault.
#[derive(Debug, Clone, Copy)]
struct TreatmentCount {
    before: u32,
    after: u32,
}

fn count(observed: &Observed, kind: Kind) -> TreatmentCount {
    let number = |before: bool| {
        let treatments = observed.treatments.iter();
        let of_kind = treatments.filter(|each| each.kind == kind && (each.seconds < 0.0) == before);
        u32::try_from(of_kind.count()).unwrap_or(u32::MAX)
    };
    TreatmentCount {
        before: number(true),
        after: number(false),
    }
}

impl TreatmentCount {
    /// Returns the number of treatments that are not right.
    fn false_treatments(self, (_, most): Bounds) -> u32 {
        self.before + self.after.saturating_sub(most)
    }

    /// Adds the deviations from the bounds.
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

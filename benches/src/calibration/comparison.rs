//! Comparison of a recording with its simulations.

use std::ops::RangeInclusive;

use super::deviations;
use super::figures::{FIGURES, Figure};
use super::recording::{Parameters, Recording};
use super::simulated::simulate;
use super::tolerance::Tolerance;

/// Simulations of each recording, which differ in their random numbers.
const SEEDS: u64 = 40;
/// Share of the simulations below and above the range that is compared. A real run is one draw, so even a
/// perfect simulator differs from it by chance.
const TAIL: f64 = 0.05;

/// Recording next to its simulations.
#[derive(Debug)]
pub(super) struct Comparison {
    /// Parameters of both sides.
    pub(super) parameters: Parameters,
    /// Figures of both sides.
    pub(super) rows: Vec<Row>,
}

/// One figure of both sides.
#[derive(Debug)]
pub(super) struct Row {
    /// Name of the figure.
    pub(super) name: &'static str,
    /// Figure of the recording.
    pub(super) real: Option<f64>,
    /// Median of the simulations.
    pub(super) median: f64,
    /// Figures of nine tenths of the simulations.
    pub(super) range: RangeInclusive<f64>,
    /// Tolerance.
    pub(super) tolerance: Tolerance,
    /// Cause of a known deviation beyond the tolerance.
    pub(super) cause: Option<&'static str>,
}

// === impl Comparison ===

impl Comparison {
    /// Simulates the parameters of a recording, and compares each figure.
    pub(super) fn of(recording: &Recording) -> Self {
        let parameters = &recording.parameters;
        let simulated: Vec<_> = (1..=SEEDS).map(|seed| simulate(parameters, seed)).collect();
        let row = |figure: &Figure| {
            let mut values: Vec<f64> = simulated.iter().filter_map(|run| figure.of(run)).collect();
            values.sort_by(f64::total_cmp);
            Row {
                name: figure.name,
                real: figure.of(recording),
                median: quantile(&values, 0.5),
                range: quantile(&values, TAIL)..=quantile(&values, 1.0 - TAIL),
                tolerance: (figure.tolerance)(parameters),
                cause: deviations::cause(&parameters.name, parameters.utilisation, figure.name),
            }
        };
        Self {
            rows: FIGURES.iter().map(row).collect(),
            parameters: parameters.clone(),
        }
    }

    /// Returns the figures whose result is not the documented one.
    pub(super) fn undocumented(&self) -> impl Iterator<Item = String> {
        let Parameters {
            name, utilisation, ..
        } = &self.parameters;
        let rows = self.rows.iter().filter(|row| !row.is_as_documented());
        rows.map(move |row| format!("{name}, utilisation {utilisation:.1}: {}", row.name))
    }
}

// === impl Row ===

impl Row {
    /// Returns `true` if both sides are the same within the tolerance.
    pub(super) fn is_met(&self) -> bool {
        let accepts = |real| self.tolerance.accepts(real, &self.range);
        self.real.is_some_and(accepts)
    }

    /// Returns `true` if the result is the documented one: the tolerance is met, or its known deviation is
    /// present.
    pub(super) fn is_as_documented(&self) -> bool {
        self.is_met() == self.cause.is_none()
    }
}

/// Returns a quantile of sorted values; not a number without values.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into the values"
)]
fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    let last = sorted.len().saturating_sub(1) as f64;
    let index = (last * quantile).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

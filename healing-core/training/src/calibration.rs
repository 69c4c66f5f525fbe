//! Calibration of predicted probabilities. An action that is predicted at 30 % should be correct in 30 %
//! of the cases. Decisions by expected cost depend on that.

use std::fmt;

use serde::Serialize;

use healing_core::decision::Action;

/// Number of bins of the reliability table.
pub const BINS: usize = 10;

/// Calibration of a set of predictions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Mean of -ln(probability of the correct action), in nats.
    pub log_loss: f64,
    /// Expected calibration error: mean distance between predicted probability and observed frequency.
    pub expected_error: f64,
    /// Reliability table, with one bin per tenth: 0–10 %, 10–20 %, …
    pub table: Vec<CalibrationBin>,
}

/// One bin of the reliability table, with all probabilities within one tenth, of any action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// Number of probabilities in the bin.
    pub count: usize,
    /// Mean of the probabilities; absent if the bin is empty.
    #[serde(rename = "said")]
    pub mean_predicted: Option<f64>,
    /// Share of the probabilities whose action was correct; absent if the bin is empty.
    #[serde(rename = "was_right")]
    pub observed_frequency: Option<f64>,
}

/// Compares each row's probabilities with the correct action. All results are zero without rows.
#[must_use]
#[allow(clippy::cast_precision_loss)] // rows
pub fn calibration(rows: impl IntoIterator<Item = ([f64; 3], Action)>) -> Calibration {
    let (mut loss, mut count) = (0.0, 0_usize);
    let mut sums = [(0_usize, 0.0, 0_usize); BINS];
    for (probabilities, correct) in rows {
        // A probability of 0 for the correct action would make the loss infinite; votes never give one.
        loss -= probabilities[correct as usize].max(1e-15).ln();
        count += 1;
        for action in Action::ALL {
            let probability = probabilities[action as usize];
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 10
            let tenth = ((probability * BINS as f64) as usize).min(BINS - 1);
            let (count, sum, hits) = &mut sums[tenth];
            *count += 1;
            *sum += probability;
            *hits += usize::from(action == correct);
        }
    }
    let mut expected_error = 0.0;
    let table = sums.map(|(in_tenth, sum, hits)| {
        if in_tenth == 0 {
            return CalibrationBin::default();
        }
        expected_error += (sum - hits as f64).abs();
        let share = |part: f64| Some(part / in_tenth as f64);
        CalibrationBin {
            count: in_tenth,
            mean_predicted: share(sum),
            observed_frequency: share(hits as f64),
        }
    });
    let rows = count.max(1) as f64;
    Calibration {
        log_loss: loss / rows,
        expected_error: expected_error / (rows * Action::ALL.len() as f64),
        table: table.to_vec(),
    }
}

impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            log_loss,
            expected_error,
            table,
        } = self;
        writeln!(
            f,
            "calibration: log loss {log_loss:.4}, expected calibration error {expected_error:.4}"
        )?;
        writeln!(
            f,
            "{:>12}{:>9}{:>11}{:>10}",
            "probability", "count", "predicted", "observed"
        )?;
        for (tenth, entry) in table.iter().enumerate() {
            if let CalibrationBin {
                count,
                mean_predicted: Some(predicted),
                observed_frequency: Some(observed),
            } = entry
            {
                let from = tenth * 10;
                let range = format!("{from}-{} %", from + 10);
                writeln!(f, "{range:>12}{count:>9}{predicted:>11.3}{observed:>10.3}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use healing_core::rng::Rng;

    #[test]
    fn calibration_error_separates_true_from_overconfident_probabilities() {
        let mut rng = Rng::new(9);
        let mut calibrated = Vec::new();
        let mut overconfident = Vec::new();
        for _ in 0..20_000 {
            let soft = rng.between(0.05, 0.9);
            let correct = if rng.unit() < soft {
                Action::ResetErrors
            } else {
                Action::NoAction
            };
            calibrated.push(([1.0 - soft - 0.01, soft, 0.01], correct));
            let sure = if soft > 0.5 { 0.98 } else { 0.01 };
            overconfident.push(([0.99 - sure, sure, 0.01], correct));
        }
        let (calibrated, overconfident) = (calibration(calibrated), calibration(overconfident));
        assert!(calibrated.expected_error < 0.02, "{calibrated}");
        assert!(overconfident.expected_error > 0.1, "{overconfident}");
        assert!(overconfident.log_loss > calibrated.log_loss);
        for tenth in &calibrated.table {
            if let (Some(predicted), Some(observed)) =
                (tenth.mean_predicted, tenth.observed_frequency)
            {
                assert!((predicted - observed).abs() < 0.05, "{calibrated}");
            }
        }
    }

    #[test]
    fn calibration_is_finite_without_rows_and_for_impossible_outcomes() {
        let empty = calibration([]);
        assert!(empty.log_loss == 0.0 && empty.expected_error == 0.0);
        assert!(
            empty
                .table
                .iter()
                .all(|tenth| tenth.mean_predicted.is_none())
        );
        let wrong = calibration([([1.0, 0.0, 0.0], Action::RestartService)]);
        assert!(wrong.log_loss.is_finite());
    }
}

//! Are the probabilities what they say? Of all the times that 30 % were given to an action, it should
//! have been right in 30 %: decisions by expected cost rest on that.

use std::fmt;

use serde::Serialize;

use healing_core::decision::Action;

/// Classes of probability in the table.
pub const BINS: usize = 10;

/// How probabilities held against what was right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Mean of -ln(probability of the right action).
    pub log_loss: f64,
    /// Mean distance between a probability and how often it was right, over the table.
    pub expected_error: f64,
    /// One entry for each tenth: 0–10 %, 10–20 %, …
    pub table: Vec<Tenth>,
}

/// All probabilities within one tenth, of any action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Tenth {
    /// How many there were.
    pub count: usize,
    /// Their mean; absent without any.
    pub said: Option<f64>,
    /// Share of them whose action was right; absent without any.
    pub was_right: Option<f64>,
}

/// Holds each row's probabilities against the action that was right. Empty for no rows.
#[must_use]
#[allow(clippy::cast_precision_loss)] // rows
pub fn calibration(rows: impl IntoIterator<Item = ([f64; 3], Action)>) -> Calibration {
    let (mut loss, mut count) = (0.0, 0_usize);
    let mut sums = [(0_usize, 0.0, 0_usize); BINS];
    for (probabilities, right) in rows {
        // A probability of 0 for what was right would be infinitely wrong: votes never give one.
        loss -= probabilities[right as usize].max(1e-15).ln();
        count += 1;
        for action in Action::ALL {
            let said = probabilities[action as usize];
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 10
            let tenth = ((said * BINS as f64) as usize).min(BINS - 1);
            let (count, sum, was_right) = &mut sums[tenth];
            *count += 1;
            *sum += said;
            *was_right += usize::from(action == right);
        }
    }
    let mut expected_error = 0.0;
    let table = sums.map(|(in_tenth, sum, right)| {
        if in_tenth == 0 {
            return Tenth::default();
        }
        expected_error += (sum - right as f64).abs();
        let share = |part: f64| Some(part / in_tenth as f64);
        Tenth {
            count: in_tenth,
            said: share(sum),
            was_right: share(right as f64),
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
            "calibration: log loss {log_loss:.4}, expected error {expected_error:.4}"
        )?;
        writeln!(
            f,
            "{:>12}{:>9}{:>9}{:>11}",
            "probability", "count", "said", "was right"
        )?;
        for (tenth, entry) in table.iter().enumerate() {
            if let Tenth {
                count,
                said: Some(said),
                was_right: Some(right),
            } = entry
            {
                let from = tenth * 10;
                let range = format!("{from}-{} %", from + 10);
                writeln!(f, "{range:>12}{count:>9}{said:>9.3}{right:>11.3}")?;
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
    fn true_probabilities_are_calibrated_and_sure_ones_are_not() {
        let mut rng = Rng::new(9);
        let mut honest = Vec::new();
        let mut boastful = Vec::new();
        for _ in 0..20_000 {
            let soft = rng.between(0.05, 0.9);
            let right = if rng.unit() < soft {
                Action::ResetErrors
            } else {
                Action::NoAction
            };
            honest.push(([1.0 - soft - 0.01, soft, 0.01], right));
            let sure = if soft > 0.5 { 0.98 } else { 0.01 };
            boastful.push(([0.99 - sure, sure, 0.01], right));
        }
        let (honest, boastful) = (calibration(honest), calibration(boastful));
        assert!(honest.expected_error < 0.02, "{honest}");
        assert!(boastful.expected_error > 0.1, "{boastful}");
        assert!(boastful.log_loss > honest.log_loss);
        for tenth in &honest.table {
            if let (Some(said), Some(right)) = (tenth.said, tenth.was_right) {
                assert!((said - right).abs() < 0.05, "{honest}");
            }
        }
    }

    #[test]
    fn no_rows_are_no_numbers_out_of_nothing() {
        let empty = calibration([]);
        assert!(empty.log_loss == 0.0 && empty.expected_error == 0.0);
        assert!(empty.table.iter().all(|tenth| tenth.said.is_none()));
        let wrong = calibration([([1.0, 0.0, 0.0], Action::RestartService)]);
        assert!(wrong.log_loss.is_finite());
    }
}

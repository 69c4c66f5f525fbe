//! Evaluation of a classifier on held-out rows, as data and as text.

use std::fmt;

use serde::Serialize;

use super::calibration::{Calibration, calibration};
use super::dataset::Dataset;
use healing_core::decision::Action;
use healing_core::model::forest::CLASSES;
use healing_core::model::{Model, RowFault};
use healing_core::rng::Rng;

/// Evaluation report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Number of rows.
    pub rows: usize,
    /// Share of rows classified as labelled.
    pub accuracy: f64,
    /// Number of rows by label (outer) and prediction (inner).
    pub confusion: [[usize; CLASSES]; CLASSES],
    /// One entry for each class.
    pub classes: Vec<ClassReport>,
    /// Calibration of the predicted probabilities.
    pub calibration: Calibration,
    /// Permutation importance of each feature, largest first.
    pub importances: Vec<Importance>,
}

/// One class of a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassReport {
    /// Action that the class stands for.
    pub action: Action,
    /// Share of the rows predicted as this class that have its label; absent if no row is predicted as it.
    pub precision: Option<f64>,
    /// Share of the rows with this label that are predicted as this class; absent if no row has the label.
    pub recall: Option<f64>,
    /// Number of rows with this label.
    pub support: usize,
}

/// Permutation importance of one feature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Importance {
    /// Name of the feature.
    pub feature: String,
    /// Accuracy lost when the feature's column is shuffled; it may be slightly negative for an irrelevant
    /// feature.
    pub accuracy_lost: f64,
}

/// Number of shuffles of each column.
const SHUFFLES: u64 = 5;

/// Evaluates `model` on `data`, whose columns must be the model's; `seed` determines the shuffles.
///
/// # Errors
///
/// If the columns are not the model's.
pub fn evaluate(model: &Model, data: &Dataset, seed: u64) -> Result<Report, RowFault> {
    let mut confusion = [[0; CLASSES]; CLASSES];
    let mut predictions = Vec::with_capacity(data.len());
    for (row, label) in data.rows().zip(data.labels()) {
        let votes = model.row_votes(row)?;
        confusion[*label as usize][votes.class() as usize] += 1;
        predictions.push((votes.probabilities(), *label));
    }
    let rows = data.len();
    let accuracy = ratio(
        (0..CLASSES).map(|class| confusion[class][class]).sum(),
        rows,
    );
    let mut importances = importances(data, seed, |row| Ok(model.row_votes(row)?.class()))?;
    importances.sort_by(|a, b| b.accuracy_lost.total_cmp(&a.accuracy_lost));
    Ok(Report {
        rows,
        accuracy: accuracy.unwrap_or(0.0),
        confusion,
        classes: Action::ALL
            .map(|action| class_report(action, &confusion))
            .to_vec(),
        calibration: calibration(predictions),
        importances,
    })
}

/// Returns precision, recall and support of one class.
fn class_report(action: Action, confusion: &[[usize; CLASSES]; CLASSES]) -> ClassReport {
    let class = action as usize;
    let hits = confusion[class][class];
    let support = confusion[class].iter().sum();
    ClassReport {
        action,
        precision: ratio(hits, confusion.iter().map(|row| row[class]).sum()),
        recall: ratio(hits, support),
        support,
    }
}

/// Returns the permutation importance of each feature, in the order of the columns.
///
/// # Errors
///
/// The first error of `classify`.
pub(super) fn importances(
    data: &Dataset,
    seed: u64,
    classify: impl Fn(&[f32]) -> Result<Action, RowFault>,
) -> Result<Vec<Importance>, RowFault> {
    let accuracy = |rows: &mut dyn Iterator<Item = (Vec<f32>, Action)>| {
        let mut hits = 0;
        for (row, label) in rows {
            hits += usize::from(classify(&row)? == label);
        }
        Ok(ratio(hits, data.len()).unwrap_or(0.0))
    };
    let rows = || {
        let labels = data.labels().iter().copied();
        data.rows().map(<[f32]>::to_vec).zip(labels)
    };
    let baseline = accuracy(&mut rows())?;
    let importance = |(feature, name): (usize, &String)| {
        let mut lost = 0.0;
        for repeat in 0..SHUFFLES {
            let mut column: Vec<f32> = data.column(feature).collect();
            Rng::new(seed + repeat)
                .part(feature as u64)
                .shuffle(&mut column);
            let mut shuffled = rows().zip(column).map(|((mut row, label), value)| {
                row[feature] = value;
                (row, label)
            });
            lost += baseline - accuracy(&mut shuffled)?;
        }
        #[allow(clippy::cast_precision_loss)] // five
        let accuracy_lost = lost / SHUFFLES as f64;
        Ok(Importance {
            feature: name.clone(),
            accuracy_lost,
        })
    };
    data.features().iter().enumerate().map(importance).collect()
}

/// Returns `part / whole`; absent if `whole` is 0.
fn ratio(part: usize, whole: usize) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)] // rows
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "accuracy {:.4} on {} rows", self.accuracy, self.rows)?;
        writeln!(f, "\nconfusion (rows: label, columns: prediction)")?;
        write!(f, "{:>16}", "")?;
        for action in Action::ALL {
            write!(f, "{:>16}", action.as_str())?;
        }
        for (action, row) in Action::ALL.iter().zip(&self.confusion) {
            write!(f, "\n{:>16}", action.as_str())?;
            for count in row {
                write!(f, "{count:>16}")?;
            }
        }
        writeln!(
            f,
            "\n\n{:>16}{:>11}{:>11}{:>11}",
            "class", "precision", "recall", "support"
        )?;
        let show = |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{share:.4}"));
        for class in &self.classes {
            let (precision, recall) = (show(class.precision), show(class.recall));
            let name = class.action.as_str();
            writeln!(
                f,
                "{name:>16}{precision:>11}{recall:>11}{:>11}",
                class.support
            )?;
        }
        write!(
            f,
            "\n{}\n{}",
            self.calibration,
            Importances(&self.importances)
        )
    }
}

/// Text table of permutation importances.
pub struct Importances<'a>(pub &'a [Importance]);

impl fmt::Display for Importances<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "permutation importances (accuracy lost when shuffled)")?;
        for Importance {
            feature,
            accuracy_lost,
        } in self.0
        {
            writeln!(f, "{feature:>28}  {accuracy_lost:+.4}")?;
        }
        Ok(())
    }
}

//! How good a classifier is on rows it has not seen: as data, and as a table.

use std::fmt;

use serde::Serialize;

use super::calibration::{Calibration, calibration};
use super::dataset::Dataset;
use healing_core::decision::Action;
use healing_core::model::forest::CLASSES;
use healing_core::model::{Model, RowFault};
use healing_core::rng::Rng;

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Rows judged.
    pub rows: usize,
    /// Share of rows classified as labelled.
    pub accuracy: f64,
    /// Rows by label, then by prediction.
    pub confusion: [[usize; CLASSES]; CLASSES],
    /// One entry a class.
    pub classes: Vec<ClassReport>,
    /// Whether the probabilities are what they say.
    pub calibration: Calibration,
    /// How much accuracy is lost when one feature's column is shuffled, largest first.
    pub importances: Vec<Importance>,
}

/// One class of a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassReport {
    /// The action.
    pub action: Action,
    /// Of the rows predicted so, the share that is labelled so; absent where none is predicted so.
    pub precision: Option<f64>,
    /// Of the rows labelled so, the share that is predicted so; absent where none is labelled so.
    pub recall: Option<f64>,
    /// Rows labelled so.
    pub support: usize,
}

/// One feature's permutation importance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Importance {
    /// The feature.
    pub feature: String,
    /// Accuracy lost; may be slightly below zero for a feature that does not matter.
    pub accuracy_lost: f64,
}

/// Times each column is shuffled.
const SHUFFLES: u64 = 5;

/// Judges `model` on `data`, whose columns must be the model's. `seed` shuffles columns.
///
/// # Errors
/// Where the columns are not the model's.
pub fn evaluate(model: &Model, data: &Dataset, seed: u64) -> Result<Report, RowFault> {
    let mut confusion = [[0; CLASSES]; CLASSES];
    let mut said = Vec::with_capacity(data.len());
    for (row, label) in data.rows().zip(data.labels()) {
        let votes = model.row_votes(row)?;
        confusion[*label as usize][votes.class() as usize] += 1;
        said.push((votes.probabilities(), *label));
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
        calibration: calibration(said),
        importances,
    })
}

fn class_report(action: Action, confusion: &[[usize; CLASSES]; CLASSES]) -> ClassReport {
    let class = action as usize;
    let right = confusion[class][class];
    let support = confusion[class].iter().sum();
    ClassReport {
        action,
        precision: ratio(right, confusion.iter().map(|row| row[class]).sum()),
        recall: ratio(right, support),
        support,
    }
}

/// How much accuracy each feature carries, in the order of the columns.
///
/// # Errors
/// What `classify` says.
pub(super) fn importances(
    data: &Dataset,
    seed: u64,
    classify: impl Fn(&[f32]) -> Result<Action, RowFault>,
) -> Result<Vec<Importance>, RowFault> {
    let accuracy = |rows: &mut dyn Iterator<Item = (Vec<f32>, Action)>| {
        let mut right = 0;
        for (row, label) in rows {
            right += usize::from(classify(&row)? == label);
        }
        Ok(ratio(right, data.len()).unwrap_or(0.0))
    };
    let rows = || {
        let labels = data.labels().iter().copied();
        data.rows().map(<[f32]>::to_vec).zip(labels)
    };
    let whole = accuracy(&mut rows())?;
    let importance = |(feature, name): (usize, &String)| {
        let mut lost = 0.0;
        for shuffle in 0..SHUFFLES {
            let mut column: Vec<f32> = data.column(feature).collect();
            Rng::new(seed + shuffle)
                .part(feature as u64)
                .shuffle(&mut column);
            let mut changed = rows().zip(column).map(|((mut row, label), value)| {
                row[feature] = value;
                (row, label)
            });
            lost += whole - accuracy(&mut changed)?;
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

fn ratio(part: usize, whole: usize) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)] // rows
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "accuracy {:.4} on {} rows", self.accuracy, self.rows)?;
        writeln!(f, "\nconfusion (rows: right, columns: predicted)")?;
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

/// Importances as a table.
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

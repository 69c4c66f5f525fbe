//! Data set: labelled rows of feature values.

use healing_core::decision::Action;
use healing_core::model::file::checksum;
use healing_core::model::forest::MAX_FEATURES;

/// Labelled rows over named features; all values are finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    features: Vec<String>,
    values: Vec<f32>,
    labels: Vec<Action>,
    groups: Vec<String>,
}

/// Error of adding a row.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// The row has more or fewer values than the data set has features.
    #[error("the row has {found} values, the data set has {expected} features")]
    Width {
        /// Number of values in the row.
        found: usize,
        /// Number of features of the data set.
        expected: usize,
    },
    /// A value is NaN or infinite; smartcore panics on it while training.
    #[error("{feature} is {value}: values must be finite")]
    NotFinite {
        /// Name of the feature.
        feature: String,
        /// Value of the feature.
        value: f32,
    },
}

/// Error of a selection of a column that the data set does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no column `{0}`")]
pub struct MissingColumn(pub String);

impl Dataset {
    /// Returns an empty data set over at most [`MAX_FEATURES`] features; further names are dropped, so that
    /// [`push`](Dataset::push) rejects rows with more values.
    #[must_use]
    pub fn new<S: Into<String>>(features: impl IntoIterator<Item = S>) -> Self {
        Self {
            features: features
                .into_iter()
                .take(MAX_FEATURES)
                .map(Into::into)
                .collect(),
            values: Vec::new(),
            labels: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// Adds a row. Splits keep the rows of one `group` (an incident) on one side.
    ///
    /// # Errors
    ///
    /// See [`RowError`].
    pub fn push(&mut self, row: &[f32], label: Action, group: &str) -> Result<(), RowError> {
        if row.len() != self.features.len() {
            return Err(RowError::Width {
                found: row.len(),
                expected: self.features.len(),
            });
        }
        if let Some(at) = row.iter().position(|value| !value.is_finite()) {
            return Err(RowError::NotFinite {
                feature: self.features[at].clone(),
                value: row[at],
            });
        }
        self.values.extend_from_slice(row);
        self.labels.push(label);
        self.groups.push(group.to_owned());
        Ok(())
    }

    /// Returns the names of the columns.
    #[must_use]
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Returns `true` if there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Returns the values of one row.
    #[must_use]
    pub fn row(&self, index: usize) -> &[f32] {
        let width = self.features.len();
        &self.values[index * width..(index + 1) * width]
    }

    /// Returns the values of all rows.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        (0..self.len()).map(|index| self.row(index))
    }

    /// Returns the values of one column.
    pub fn column(&self, feature: usize) -> impl Iterator<Item = f32> {
        self.rows().map(move |row| row[feature])
    }

    /// Returns the label of each row.
    #[must_use]
    pub fn labels(&self) -> &[Action] {
        &self.labels
    }

    /// Returns the group of each row.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Returns the rows with these indices, in this order.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let mut chosen = Self::new(self.features.iter().cloned());
        for &index in indices {
            chosen.values.extend_from_slice(self.row(index));
            chosen.labels.push(self.labels[index]);
            chosen.groups.push(self.groups[index].clone());
        }
        chosen
    }

    /// Returns the columns of these names, in this order.
    ///
    /// # Errors
    ///
    /// The first name that is not a column.
    pub fn columns(&self, names: &[String]) -> Result<Self, MissingColumn> {
        let at = |name: &String| {
            let found = self.features.iter().position(|feature| feature == name);
            found.ok_or_else(|| MissingColumn(name.clone()))
        };
        let places: Vec<usize> = names.iter().map(at).collect::<Result<_, _>>()?;
        let values = self.rows().flat_map(|row| places.iter().map(|&at| row[at]));
        Ok(Self {
            features: names.to_vec(),
            values: values.collect(),
            labels: self.labels.clone(),
            groups: self.groups.clone(),
        })
    }

    /// Returns the number of rows of each class.
    #[must_use]
    pub fn class_counts(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for label in &self.labels {
            counts[*label as usize] += 1;
        }
        counts
    }

    /// Returns a hash of names, values and labels, which a model's header keeps as a reference to its
    /// training data.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let mut bytes = self.features.join("\n").into_bytes();
        for (row, label) in self.rows().zip(&self.labels) {
            bytes.extend(row.iter().flat_map(|value| value.to_le_bytes()));
            bytes.push(*label as u8);
        }
        checksum(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_selects_by_name() {
        let mut data = Dataset::new(["a", "b", "c"]);
        data.push(&[1.0, 2.0, 3.0], Action::ResetErrors, "g")
            .unwrap();
        let names = ["c".to_owned(), "a".to_owned()];
        let chosen = data.columns(&names).unwrap();
        assert_eq!(
            (chosen.features(), chosen.row(0)),
            (&names[..], &[3.0, 1.0][..])
        );
        assert_eq!(chosen.labels(), [Action::ResetErrors]);
        assert_eq!(
            data.columns(&["d".to_owned()]),
            Err(MissingColumn("d".to_owned()))
        );
    }
}

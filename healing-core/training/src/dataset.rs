//! Rows of figures with the action that was right for each.

use healing_core::decision::Action;
use healing_core::model::file::checksum;
use healing_core::model::forest::MAX_FEATURES;

/// Labelled rows over named features. All figures are finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    features: Vec<String>,
    values: Vec<f32>,
    labels: Vec<Action>,
    groups: Vec<String>,
}

/// Why a row cannot be part of a data set.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// More or fewer figures than features.
    #[error("{found} figures, the data set has {expected} features")]
    Width {
        /// In the row.
        found: usize,
        /// In the data set.
        expected: usize,
    },
    /// NaN or infinite: smartcore panics on it while training.
    #[error("{feature} is {value}: figures must be finite")]
    NotFinite {
        /// Which feature.
        feature: String,
        /// What it is.
        value: f32,
    },
}

impl Dataset {
    /// An empty set.
    ///
    /// # Panics
    /// Never; more than 64 features are cut off only by [`Dataset::push`] refusing every row.
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

    /// Adds a row. `group` says what it belongs to (an incident, a situation), for splits that keep
    /// what belongs together on one side.
    ///
    /// # Errors
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

    /// Names of the columns.
    #[must_use]
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// No rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// One row's figures.
    #[must_use]
    pub fn row(&self, index: usize) -> &[f32] {
        let width = self.features.len();
        &self.values[index * width..(index + 1) * width]
    }

    /// All rows' figures.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        (0..self.len()).map(|index| self.row(index))
    }

    /// One column's figures.
    pub fn column(&self, feature: usize) -> impl Iterator<Item = f32> {
        self.rows().map(move |row| row[feature])
    }

    /// The right actions.
    #[must_use]
    pub fn labels(&self) -> &[Action] {
        &self.labels
    }

    /// What each row belongs to.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The rows with these indices, in this order.
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

    /// The columns of these names, in this order.
    ///
    /// # Errors
    /// The first name that is no column here.
    pub fn columns(&self, names: &[String]) -> Result<Self, String> {
        let at = |name: &String| {
            let found = self.features.iter().position(|feature| feature == name);
            found.ok_or_else(|| name.clone())
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

    /// Rows of each class.
    #[must_use]
    pub fn class_counts(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for label in &self.labels {
            counts[*label as usize] += 1;
        }
        counts
    }

    /// A hash of names, figures and labels: a model's header says what it was trained on.
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
    fn columns_are_chosen_by_name() {
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
        assert_eq!(data.columns(&["d".to_owned()]), Err("d".to_owned()));
    }
}

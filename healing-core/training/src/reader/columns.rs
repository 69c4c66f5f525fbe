//! Column names and their roles.

use super::ErrorKind;
use super::Limits;
use super::role::Role;
use super::rows::Rows;
use crate::dataset::Dataset;
use healing_core::model::forest::MAX_FEATURES;

/// Columns in the order of the first line.
#[derive(Debug, Default)]
pub(super) struct Columns {
    names: Vec<(String, Role)>,
    features: usize,
}

impl Columns {
    /// Adds a column, whose name determines its role.
    pub(super) fn push(&mut self, name: &str, limits: &Limits) -> Result<(), ErrorKind> {
        if name.is_empty() {
            return Err(ErrorKind::UnnamedColumn);
        }
        if name.len() > limits.name_bytes {
            return Err(ErrorKind::NameTooLong {
                found: name.len(),
                limit: limits.name_bytes,
            });
        }
        if self.find(name, 0).is_some() {
            return Err(ErrorKind::DuplicateName(name.to_owned()));
        }
        let role = match name {
            "label" => Role::Label,
            "group" => Role::Group,
            "time" => Role::Time,
            _ if self.features == MAX_FEATURES => return Err(ErrorKind::TooManyFeatures),
            _ => {
                self.features += 1;
                Role::Feature(self.features - 1)
            }
        };
        self.names.push((name.to_owned(), role));
        Ok(())
    }

    /// Checks that there is a label and at least one feature.
    pub(super) fn check(&self) -> Result<(), ErrorKind> {
        if !self.names.iter().any(|(_, role)| *role == Role::Label) {
            return Err(ErrorKind::NoLabelColumn);
        }
        if self.features == 0 {
            return Err(ErrorKind::NoFeature);
        }
        Ok(())
    }

    /// Returns a column's index and role by its name; looks at index `hint` first.
    pub(super) fn find(&self, name: &str, hint: usize) -> Option<(usize, Role)> {
        let at = if self.names.get(hint).is_some_and(|known| known.0 == name) {
            hint
        } else {
            self.names.iter().position(|known| known.0 == name)?
        };
        Some((at, self.names[at].1))
    }

    /// Returns the number of columns.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns a column's name and role by its index.
    pub(super) fn get(&self, at: usize) -> Option<(&str, Role)> {
        self.names
            .get(at)
            .map(|(name, role)| (name.as_str(), *role))
    }

    /// Returns a collector of rows of these columns.
    pub(super) fn rows(&self, limits: Limits) -> Rows {
        let features = self.names.iter().filter_map(|(name, role)| match role {
            Role::Feature(_) => Some(name.clone()),
            _ => None,
        });
        Rows::new(Dataset::new(features), limits)
    }
}

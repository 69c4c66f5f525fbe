//! Tolerances between a real and a simulated figure.

use std::ops::RangeInclusive;

/// Largest difference at which two figures count as the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tolerance {
    /// Difference, in the unit of the figure.
    Within(f64),
    /// Quotient.
    Factor(f64),
}

// === impl Tolerance ===

impl Tolerance {
    /// Returns `true` if `real` is in the range, or near enough to one of its ends.
    pub(super) fn accepts(self, real: f64, simulated: &RangeInclusive<f64>) -> bool {
        let (low, high) = (*simulated.start(), *simulated.end());
        match self {
            Self::Within(most) => (low - most..=high + most).contains(&real),
            Self::Factor(most) => (low / most..=high * most).contains(&real),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerance_extends_the_range_at_both_ends() {
        for (tolerance, accepted, rejected) in [
            (Tolerance::Within(1.0), [9.0, 21.0], [8.9, 21.1]),
            (Tolerance::Factor(2.0), [5.0, 40.0], [4.9, 40.1]),
        ] {
            assert!(
                accepted
                    .iter()
                    .all(|real| tolerance.accepts(*real, &(10.0..=20.0)))
            );
            assert!(
                rejected
                    .iter()
                    .all(|real| !tolerance.accepts(*real, &(10.0..=20.0)))
            );
        }
    }
}

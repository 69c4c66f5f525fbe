//! Mean and confidence bound over seeds.

/// Student's t for 19 degrees of freedom, two-sided 95 %: exact for 20 seeds, too small for fewer.
const STUDENT_T: f64 = 2.093;

/// Returns the mean; 0 without values.
#[allow(clippy::cast_precision_loss)] // seeds
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Returns the upper 95 % bound of the mean.
pub(crate) fn upper_bound(values: &[f64]) -> f64 {
    mean(values) + STUDENT_T * standard_error(values)
}

/// Returns the standard error of the mean.
#[allow(clippy::cast_precision_loss)] // seeds
fn standard_error(values: &[f64]) -> f64 {
    let (mean, count) = (mean(values), values.len().max(2) as f64);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (count - 1.0) / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_bound_is_mean_plus_t_standard_errors() {
        // Variance 4 over three values: the standard error is 2 / √3.
        let values = [1.0, 3.0, 5.0];
        assert!((mean(&values) - 3.0).abs() < 1e-12);
        let expected = 3.0 + STUDENT_T * 2.0 / 3.0_f64.sqrt();
        assert!((upper_bound(&values) - expected).abs() < 1e-12);
    }

    #[test]
    fn upper_bound_of_single_value_is_the_value() {
        assert!((upper_bound(&[2.0]) - 2.0).abs() < 1e-12);
    }
}

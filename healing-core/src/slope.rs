//! Robust regression: the median of the slopes between all pairs of points (Theil–Sen), which is
//! hardly affected by up to a quarter of outliers, and the steadiness of the rise (Kendall's tau).

/// Maximum number of points that a line is fitted to.
pub(crate) const POINTS: usize = 24;
/// Maximum number of pairs of points.
const PAIRS: usize = POINTS * (POINTS - 1) / 2;

/// Straight line through points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    /// Rise per unit of time.
    pub(crate) slope: f64,
    /// Value at time 0.
    pub(crate) intercept: f64,
    /// Share of the pairs of points that rise minus the share that fall, −1 to 1.
    pub(crate) steadiness: f64,
}

/// Returns the line through the last [`POINTS`] points (time, value), in order of time; `None` for
/// fewer than three points or if all have the same time.
pub(crate) fn fit(points: &[(f32, f32)]) -> Option<Line> {
    let points = &points[points.len().saturating_sub(POINTS)..];
    if points.len() < 3 {
        return None;
    }
    let mut slopes = [0.0_f32; PAIRS];
    let mut pairs = 0;
    let mut rising = 0_i32;
    for (index, &(late, high)) in points.iter().enumerate() {
        for &(early, low) in &points[..index] {
            if late > early {
                let slope = (high - low) / (late - early);
                if slope > 0.0 {
                    rising += 1;
                } else if slope < 0.0 {
                    rising -= 1;
                }
                slopes[pairs] = slope;
                pairs += 1;
            }
        }
    }
    let slope = median(&mut slopes[..pairs])?;
    let mut intercepts = [0.0_f32; POINTS];
    for (intercept, &(time, value)) in intercepts.iter_mut().zip(points) {
        *intercept = value - slope * time;
    }
    let intercept = median(&mut intercepts[..points.len()])?;
    #[allow(clippy::cast_precision_loss)] // at most 276
    let steadiness = f64::from(rising) / pairs as f64;
    Some(Line {
        slope: f64::from(slope),
        intercept: f64::from(intercept),
        steadiness,
    })
}

/// Returns the median, or the upper of the two middle values.
fn median(values: &mut [f32]) -> Option<f32> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    let (_, median, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    Some(*median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_hardly_move_the_line() {
        let mut points: Vec<(f32, f32)> = (0_u8..20)
            .map(|i| (f32::from(i), 3.0 * f32::from(i)))
            .collect();
        points[4].1 = 500.0;
        points[11].1 = -90.0;
        points[17].1 = 1.0;
        let line = fit(&points).unwrap();
        assert!((line.slope - 3.0).abs() < 0.1, "{line:?}");
        assert!(line.intercept.abs() < 1.0, "{line:?}");
        assert!(line.steadiness > 0.5, "{line:?}");
    }

    #[test]
    fn noise_has_no_steady_slope() {
        let points: Vec<(f32, f32)> = (0_u8..24)
            .map(|i| (f32::from(i), f32::from(i.wrapping_mul(97) % 11)))
            .collect();
        assert!(fit(&points).unwrap().steadiness.abs() < 0.4);
    }

    #[test]
    fn fit_needs_three_points_and_different_times() {
        assert_eq!(fit(&[(0.0, 1.0), (1.0, 2.0)]), None);
        assert_eq!(fit(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
    }
}

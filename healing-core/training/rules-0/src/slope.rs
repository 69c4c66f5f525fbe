//! A robust slope: the median of the slopes between all pairs of points (Theil–Sen), which up to a
//! quarter of outliers hardly move, and how steadily the points rise (Kendall's tau).

/// Points that one slope is made of, at most.
pub(crate) const POINTS: usize = 24;
const PAIRS: usize = POINTS * (POINTS - 1) / 2;

/// A straight line through points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    /// Rise per unit of time.
    pub(crate) slope: f64,
    /// The line's value at time 0.
    pub(crate) intercept: f64,
    /// Share of the pairs that rise minus the share that falls, −1 to 1.
    pub(crate) steadiness: f64,
}

/// The line through at most [`POINTS`] points (time, value), in order of time; `None` for fewer than
/// three or where all have the same time.
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

fn median(values: &mut [f32]) -> Option<f32> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    let (_, median, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    Some(*median)
}

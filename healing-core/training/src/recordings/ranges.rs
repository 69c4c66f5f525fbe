//! Ranges of the figures over many recordings, for a simulator that must contain them.

use std::fmt;

use super::figures::figures;
use super::recording::Recording;

/// Range of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Name of the [figure](super::Figure).
    pub name: &'static str,
    /// Number of seconds that have the figure.
    pub seconds: usize,
    /// Smallest value.
    pub min: f64,
    /// Median over these seconds.
    pub median: f64,
    /// 99th percentile over these seconds.
    pub p99: f64,
    /// Largest value.
    pub max: f64,
}

/// Returns the range of each figure that any of the recordings has.
#[must_use]
pub fn figure_ranges<'a>(recordings: impl IntoIterator<Item = &'a Recording>) -> Vec<Range> {
    let mut values: Vec<(&'static str, Vec<f64>)> = Vec::new();
    for figures in recordings.into_iter().flat_map(figures) {
        if values.is_empty() {
            values = figures
                .iter()
                .map(|figure| (figure.name, Vec::new()))
                .collect();
        }
        for (figure, (_, values)) in figures.iter().zip(&mut values) {
            values.extend(figure.value);
        }
    }
    values
        .into_iter()
        .filter_map(|(name, values)| Range::of(name, values))
        .collect()
}

// === impl Range ===

impl Range {
    /// Returns the range of the values, if there are any.
    fn of(name: &'static str, mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        Some(Self {
            name,
            seconds: values.len(),
            min: values[0],
            median: values[last / 2],
            p99: values[last - last / 100],
            max: values[last],
        })
    }

    /// Heads of the columns of a table of ranges.
    pub const HEAD: &'static str =
        "figure                      seconds          min       median          p99          max";
}

impl fmt::Display for Range {
    /// Writes a row of the table, without a line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, seconds, .. } = self;
        write!(f, "{name:26} {seconds:8}")?;
        for value in [self.min, self.median, self.p99, self.max] {
            let decimals = if value.fract() == 0.0 { 0 } else { 6 };
            write!(f, " {value:12.decimals$}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_covers_all_values() {
        let values = (0..=200).map(f64::from).collect();
        let range = Range::of("x", values).unwrap();
        assert_eq!((range.seconds, range.min, range.max), (201, 0.0, 200.0));
        assert_eq!((range.median, range.p99), (100.0, 198.0));
        assert_eq!(Range::of("x", Vec::new()), None);
    }
}

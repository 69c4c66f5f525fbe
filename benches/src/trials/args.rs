//! Command line of the trials.

use std::path::PathBuf;

use super::stub::Stub;

/// Runs the doctor on real services with faults, and judges its treatments.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "cargo trials", bin_name = "cargo trials", version)]
pub(super) struct Args {
    /// Run only the cases whose name contains NAME (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub(super) only: Vec<String>,
    /// Print the cases and the right treatment of each
    #[arg(long)]
    pub(super) list: bool,
    /// Divide every duration by X
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = scale)]
    pub(super) time_scale: f64,
    /// Append one line per case to FILE, and skip the cases that it already contains
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Run a short selection, with the first transport of each case
    #[arg(long, value_enum, value_name = "NAME")]
    pub(super) selection: Option<Selection>,
    /// Run each case with its first transport only
    #[arg(long)]
    pub(super) first_transport: bool,
    /// Run the two long saturation cases, 30 minutes each at time scale 1
    #[arg(long, conflicts_with_all = ["selection", "only"])]
    pub(super) soak: bool,
    /// Put a stub in place of the doctor, to check that its runs are judged wrong
    #[arg(long, value_enum, value_name = "NAME")]
    pub(super) decider: Option<Stub>,
    /// Keep the logs and the state of each run below DIR
    #[arg(long, value_name = "DIR")]
    pub(super) keep: Option<PathBuf>,
}

/// Selection of cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Selection {
    /// At most five minutes at time scale 8
    Ci,
}

/// Error of a time scale that is not a number of the allowed range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give a number from 1 to 10")]
struct InvalidScale;

/// Parses a time scale. The maximum is 10, because the policy's windows of 10 s cannot be shorter than a
/// second.
fn scale(text: &str) -> Result<f64, InvalidScale> {
    match text.parse::<f64>() {
        Ok(scale) if (1.0..=10.0).contains(&scale) => Ok(scale),
        _ => Err(InvalidScale),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn time_scale_is_bounded() {
        assert_eq!(scale("4"), Ok(4.0));
        for wrong in ["0.5", "11", "NaN", "fast"] {
            assert!(scale(wrong).is_err(), "{wrong}");
        }
    }
}

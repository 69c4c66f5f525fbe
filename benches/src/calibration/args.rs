//! Command line of the calibration.

use std::path::PathBuf;
use std::time::Duration;

/// Compares the simulator with the patient app under real load.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "cargo calibration", bin_name = "cargo calibration", version)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
pub(super) enum Command {
    /// Record the patient app under real load (needs root and cgroups)
    Record,
    /// Simulate the parameters of the recordings, and print both sides
    Compare {
        /// Replace the committed table too
        #[arg(long)]
        write: bool,
    },
    /// Serve as the patient app of a recording
    #[command(hide = true)]
    Patient(PatientArgs),
}

/// Command line of the patient app of a recording.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct PatientArgs {
    /// Cgroup to join
    #[arg(long)]
    pub(super) cgroup: PathBuf,
    /// Port of the app on 127.0.0.1
    #[arg(long)]
    pub(super) app: u16,
    /// Care port on 127.0.0.1
    #[arg(long)]
    pub(super) care: u16,
    /// Worker threads of the app's runtime
    #[arg(long)]
    pub(super) workers: usize,
    /// CPU time of a request to `/work`
    #[arg(long, value_parser = humantime::parse_duration)]
    pub(super) work: Duration,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Args::command().debug_assert();
    }
}

//! The demo's command line.

use std::path::PathBuf;

/// Inject faults into a real app on this machine and watch it being healed, in about a minute.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "cargo demo", bin_name = "cargo demo", version)]
pub struct Args {
    /// Write the result of each scenario to FILE, as a JSON array
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Keep app, sidecar and load running afterwards, until Ctrl-C
    #[arg(long)]
    pub stay: bool,
    /// The app listens on N, the sidecar on N+1, the care port on N+2; 0 selects free ports
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub port_base: u16,
}

//! Command line of the trial service.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use humantime::parse_duration;

/// Runs a service with injectable faults, for the trials.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "trial-service", version)]
pub struct Args {
    /// Address of the app's own port
    #[arg(long, default_value = "127.0.0.1:0")]
    pub bind: SocketAddr,
    /// Address of the care port
    #[arg(long, default_value = "127.0.0.1:0")]
    pub care_bind: SocketAddr,
    /// Address of the port that takes faults
    #[arg(long, default_value = "127.0.0.1:0")]
    pub control_bind: SocketAddr,
    /// Worker threads of the app's runtime
    #[arg(long, default_value_t = 4)]
    pub workers: usize,
    /// CPU time of one request
    #[arg(long, default_value = "0s", value_parser = parse_duration)]
    pub work: Duration,
    /// Time without a tick after which the runtime counts as stalled
    #[arg(long, default_value = "10s", value_parser = parse_duration)]
    pub stall_after: Duration,
    /// Time for which a stopping instance still accepts connections
    #[arg(long, default_value = "3s", value_parser = parse_duration)]
    pub lame_duck: Duration,
    /// Maximum time for requests in flight to finish during shutdown
    #[arg(long, default_value = "20s", value_parser = parse_duration)]
    pub drain_deadline: Duration,
    /// Join the cgroup DIR at the start (may be repeated)
    #[arg(long, value_name = "DIR")]
    pub cgroup: Vec<PathBuf>,
    /// Lower the limit of file descriptors
    #[arg(long, value_name = "N")]
    pub max_descriptors: Option<u64>,
    /// Append starts and soft heals to FILE
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// Time between binding the port and serving it
    #[arg(long, default_value = "0s", value_parser = parse_duration)]
    pub serve_delay: Duration,
    /// Time between binding the port and serving it, for every start but the first
    #[arg(long, default_value = "0s", value_parser = parse_duration)]
    pub restart_delay: Duration,
    /// Start the care thread before the port is bound
    #[arg(long)]
    pub care_first: bool,
    /// Time after each start at which all workers are blocked
    #[arg(long, value_parser = parse_duration)]
    pub wedge_after: Option<Duration>,
    /// Only burn CPU with THREADS threads, and serve nothing
    #[arg(long, value_name = "THREADS", requires = "seconds")]
    pub hog: Option<usize>,
    /// Seconds after which `--hog` exits
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
}

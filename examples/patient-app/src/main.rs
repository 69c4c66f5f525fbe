//! The program `patient-app`, which is the patient or (`patient-app dependency`) its dependency.

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use patient_app::{Settings, dependency};
use tracing_subscriber::EnvFilter;

/// An axum app with real faults to inject, and the healing layer.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Command {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    subcommand: Option<Subcommand>,
}

#[derive(Debug, clap::Subcommand)]
enum Subcommand {
    /// Serve the records that the patient depends on
    Dependency {
        /// Address to listen on
        #[arg(long, value_name = "ADDR:PORT", default_value = dependency::DEFAULT_BIND)]
        bind: SocketAddr,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Command::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match run(command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command.subcommand {
        None => patient_app::run(command.settings).await?,
        Some(Subcommand::Dependency { bind }) => dependency::run(bind).await?,
    }
    Ok(())
}

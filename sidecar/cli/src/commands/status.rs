//! `healing status`: the sidecar's report on itself and its app.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use healing_sidecar::app_client::http::Client;
use healing_sidecar::config::SettingsArgs;
use reqwest::Url;

use super::error::CommandError;
use super::{block_on, print, settings};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Time limit of the request. The sidecar responds from memory.
const LIMIT: Duration = Duration::from_secs(5);

pub(super) fn run(args: &Args) -> Result<ExitCode, CommandError> {
    let address = reachable(settings(&args.settings)?.bind);
    let url = Url::parse(&format!("http://{address}")).map_err(std::io::Error::other)?;
    let client = Client::new(&url).map_err(CommandError::HttpClient)?;
    let response = block_on(client.get(&[address], "/status", LIMIT))?
        .map_err(|error| CommandError::NoResponse(address, error))?;
    if response.status != 200 {
        return Err(CommandError::Status(address, response.status));
    }
    let status: serde_json::Value = serde_json::from_slice(&response.body)
        .map_err(|error| CommandError::NotSidecar(address, error))?;
    print(&format!("{}\n", serde_json::to_string_pretty(&status)?));
    Ok(ExitCode::SUCCESS)
}

/// Returns the loopback address in place of an unspecified one, to which no client can connect.
fn reachable(bind: SocketAddr) -> SocketAddr {
    let ip = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bind.port())
}

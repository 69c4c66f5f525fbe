//! `healing status`: what the sidecar says of itself and of the app.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use super::{block_on, fail, print, settings};
use healing_sidecar::config::SettingsArgs;
use healing_sidecar::doctor::http;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
}

/// The sidecar answers from memory.
const LIMIT: Duration = Duration::from_secs(5);

pub(super) fn run(args: &Args) -> ExitCode {
    let settings = match settings(&args.settings) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let address = reachable(settings.bind);
    let url = match reqwest::Url::parse(&format!("http://{address}/status")) {
        Ok(url) => url,
        Err(error) => return fail(1, error),
    };
    let client = match http::client() {
        Ok(client) => client,
        Err(error) => return fail(1, error),
    };
    match block_on(http::get(&client, &url, LIMIT)) {
        Err(error) => fail(1, error),
        Ok(Err(error)) => fail(1, format_args!("the sidecar at {address}: {error}")),
        Ok(Ok(reply)) if reply.status != 200 => fail(
            1,
            format_args!("the sidecar at {address} answered with {}", reply.status),
        ),
        Ok(Ok(reply)) => match serde_json::from_slice::<serde_json::Value>(&reply.body)
            .and_then(|value| serde_json::to_string_pretty(&value))
        {
            Ok(text) => {
                print(&format!("{text}\n"));
                ExitCode::SUCCESS
            }
            Err(error) => fail(1, format_args!("{address} is no sidecar: {error}")),
        },
    }
}

/// A server bound to all addresses is asked on the loopback one.
fn reachable(bind: SocketAddr) -> SocketAddr {
    let ip = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bind.port())
}

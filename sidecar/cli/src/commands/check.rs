//! `healing check`: one probe of the app, as by the sidecar.

use std::process::ExitCode;

use healing_core::observation::{PortSockets, ProbeResult};
use healing_sidecar::app_client::{Probe, ProbeResults};
use healing_sidecar::config::SettingsArgs;
use healing_sidecar::sockets::{OwnConnections, Unreadable};

use super::error::CommandError;
use super::{block_on, print, settings};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CommandError> {
    let settings = settings(&args.settings)?;
    let probe = Probe::new(&settings, &OwnConnections::default());
    let ProbeResults {
        care,
        front_door,
        sockets,
        resolution,
    } = block_on(probe.run())?;
    if resolution.is_none() {
        print("host names  not resolved, so the poll would be void\n");
    }
    print(&format!("front door  {}\n", describe(&front_door)));
    print(&format!("sockets     {}\n", describe_sockets(sockets)));
    print(&format!("care port   {}\n", describe(&care.result)));
    if let Some(out_of_range) = &care.out_of_range {
        print(&format!("            {out_of_range}\n"));
    }
    if let ProbeResult::Valid(health, _) = &care.result {
        print(&format!("{}\n", serde_json::to_string_pretty(health)?));
    }
    Ok(match (&care.result, &front_door) {
        (ProbeResult::Valid(..), ProbeResult::Valid(..)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn describe<T>(result: &ProbeResult<T>) -> String {
    match result {
        ProbeResult::Valid(_, took) => format!("responded after {took:.1?}"),
        ProbeResult::Invalid(problem) => format!("invalid response: {problem:?}"),
        ProbeResult::Refused => "connection refused".to_owned(),
        ProbeResult::TimedOut => "no response within the time limit".to_owned(),
        ProbeResult::NotProbed => "not probed".to_owned(),
    }
}

fn describe_sockets(sockets: Result<PortSockets, Unreadable>) -> String {
    match sockets {
        Ok(sockets) => format!(
            "{} established, {} not accepted, {} unread with {} bytes",
            sockets.established, sockets.backlog, sockets.unread, sockets.unread_bytes
        ),
        Err(error) => format!("not readable: {error}"),
    }
}

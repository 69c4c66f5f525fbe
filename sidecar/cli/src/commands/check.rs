//! `healing check`: one probe of the app, as by the sidecar, and the model's vote on it.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use healing_core::observation::{Circumstances, Now, Observation, PortSockets, ProbeResult};
use healing_core::policy::Policy;
use healing_sidecar::app_client::{Probe, ProbeResults};
use healing_sidecar::config::{Settings, SettingsArgs};
use healing_sidecar::proposer::LoadedProposer;
use healing_sidecar::sockets::Unreadable;

use super::error::CommandError;
use super::{block_on, print, settings};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CommandError> {
    let settings = settings(&args.settings)?;
    let probe = Probe::new(&settings).map_err(CommandError::HttpClient)?;
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
    let observation = Observation {
        care: care.result,
        front_door,
        sockets: sockets.ok(),
        circumstances: Circumstances::default(),
    };
    print(&model_vote(&settings, &observation));
    if let ProbeResult::Valid(health, _) = &observation.care {
        print(&format!("{}\n", serde_json::to_string_pretty(health)?));
    }
    Ok(match (&observation.care, &observation.front_door) {
        (ProbeResult::Valid(..), ProbeResult::Valid(..)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// Returns the answer to the question for the model's vote, with its reasons, on the app's present figures.
fn model_vote(settings: &Settings, observation: &Observation) -> String {
    let LoadedProposer {
        proposer, label, ..
    } = LoadedProposer::load(settings);
    let mut policy = Policy::new(settings.policy.clone(), proposer, 0);
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = Now {
        monotonic: Duration::ZERO,
        wall: wall.unwrap_or_default(),
    };
    let Some(record) = policy.step(now, observation).model else {
        return format!("model votes: no, because the {label} decide\n");
    };
    let mut text = format!("model votes: {record} ({label})\n");
    if !record.absent.is_empty() {
        text += "            (windows and usual values need several polls: /status has the sidecar's own)\n";
    }
    text
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

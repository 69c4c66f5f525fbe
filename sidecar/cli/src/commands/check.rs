//! `healing check`: one probe of the app, as by the sidecar.

use std::process::ExitCode;

use healing_core::observation::ProbeResult;
use healing_sidecar::app_client::{Probe, http};
use healing_sidecar::config::SettingsArgs;

use super::error::CommandError;
use super::{block_on, print, settings};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CommandError> {
    let settings = settings(&args.settings)?;
    let client = http::client().map_err(CommandError::HttpClient)?;
    let probe = Probe::new(
        client,
        &settings.app_url,
        &settings.care_url,
        settings.probe_timeout,
    );
    let (care, front_door) = block_on(probe.run())?;
    print(&format!("front door  {}\n", describe(&front_door)));
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

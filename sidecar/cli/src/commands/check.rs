//! `healing check`: one look at the app, as the sidecar takes it.

use std::process::ExitCode;

use healing_core::observation::ProbeResult;

use super::{block_on, fail, print, settings};
use healing_sidecar::config::SettingsArgs;
use healing_sidecar::doctor::http;
use healing_sidecar::doctor::probe::Probe;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
}

pub(super) fn run(args: &Args) -> ExitCode {
    let settings = match settings(&args.settings) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let client = match http::client() {
        Ok(client) => client,
        Err(error) => return fail(1, error),
    };
    let probe = Probe::new(
        client,
        &settings.app_url,
        &settings.care_url,
        settings.probe_timeout,
    );
    let (care, front_door) = match block_on(probe.look()) {
        Ok(answers) => answers,
        Err(error) => return fail(1, error),
    };
    print(&format!("front door  {}\n", describe(&front_door)));
    print(&format!("care port   {}\n", describe(&care)));
    if let ProbeResult::Valid(health, _) = &care {
        match serde_json::to_string_pretty(health) {
            Ok(text) => print(&format!("{text}\n")),
            Err(error) => return fail(1, error),
        }
    }
    match (&care, &front_door) {
        (ProbeResult::Valid(..), ProbeResult::Valid(..)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn describe<T>(answer: &ProbeResult<T>) -> String {
    match answer {
        ProbeResult::Valid(_, took) => format!("answered after {took:.1?}"),
        ProbeResult::Invalid(why) => format!("answered with nonsense: {why:?}"),
        ProbeResult::Refused => "refused: nobody listens".to_owned(),
        ProbeResult::TimedOut => "did not answer in time".to_owned(),
        ProbeResult::NotProbed => "was not asked".to_owned(),
    }
}

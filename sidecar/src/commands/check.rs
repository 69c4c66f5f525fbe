//! `healing check`: one look at the app, as the sidecar takes it.

use std::process::ExitCode;

use healing_core::observation::Answer;

use super::{block_on, fail, print, settings};
use crate::config::SettingsArgs;
use crate::doctor::http;
use crate::doctor::probe::Probe;

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
    if let Answer::Valid(health, _) = &care {
        match serde_json::to_string_pretty(health) {
            Ok(text) => print(&format!("{text}\n")),
            Err(error) => return fail(1, error),
        }
    }
    match (&care, &front_door) {
        (Answer::Valid(..), Answer::Valid(..)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn describe<T>(answer: &Answer<T>) -> String {
    match answer {
        Answer::Valid(_, took) => format!("answered after {took:.1?}"),
        Answer::Invalid(why) => format!("answered with nonsense: {why:?}"),
        Answer::Refused => "refused: nobody listens".to_owned(),
        Answer::TimedOut => "did not answer in time".to_owned(),
        Answer::NotAsked => "was not asked".to_owned(),
    }
}

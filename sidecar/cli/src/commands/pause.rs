//! `healing pause` and `healing resume`: the kill switch.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{fail, print, settings};
use healing_sidecar::config::SettingsArgs;
use healing_sidecar::doctor::Pause;

#[derive(Debug, clap::Args)]
pub(super) struct PauseArgs {
    /// Why, for whoever finds it paused.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Resume by itself after this long [default: paused until `healing resume`].
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    time: Option<Duration>,
    #[command(flatten)]
    settings: SettingsArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    settings: SettingsArgs,
}

pub(super) fn pause(args: PauseArgs) -> ExitCode {
    let settings = match settings(&args.settings) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let until_unix_ms = args.time.and_then(|time| {
        let until = SystemTime::now().checked_add(time)?;
        u64::try_from(until.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
    });
    let pause = Pause {
        reason: args.reason,
        until_unix_ms,
    };
    let dir = settings.state_dir.display();
    if let Err(error) = pause.write(&settings.state_dir) {
        return fail(
            1,
            format_args!(
                "cannot write to {dir}: {error}; name the sidecar's own directory by --state-dir"
            ),
        );
    }
    let until = match (args.time, until_unix_ms) {
        (Some(time), Some(_)) => format!("for {}", humantime::format_duration(time)),
        _ => "until resumed".to_owned(),
    };
    print(&format!("paused {until} (in {dir})\n"));
    ExitCode::SUCCESS
}

pub(super) fn resume(args: &ResumeArgs) -> ExitCode {
    let settings = match settings(&args.settings) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let dir = settings.state_dir.display();
    match Pause::remove(&settings.state_dir) {
        Ok(true) => print(&format!("resumed (in {dir})\n")),
        Ok(false) => print(&format!("nothing was paused in {dir}\n")),
        Err(error) => return fail(1, format_args!("cannot resume in {dir}: {error}")),
    }
    ExitCode::SUCCESS
}

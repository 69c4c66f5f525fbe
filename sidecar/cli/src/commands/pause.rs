//! `healing pause` and `healing resume`: the kill switch.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use healing_sidecar::config::SettingsArgs;
use healing_sidecar::store::Pause;

use super::error::CommandError;
use super::{print, settings};

#[derive(Debug, clap::Args)]
pub(super) struct PauseArgs {
    /// Reason, shown in the sidecar's status.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Resume automatically after this time [default: paused until `healing resume`].
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    duration: Option<Duration>,
    #[command(flatten)]
    settings: SettingsArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    settings: SettingsArgs,
}

pub(super) fn pause(args: PauseArgs) -> Result<ExitCode, CommandError> {
    let dir = settings(&args.settings)?.state_dir;
    let until_unix_ms = args.duration.and_then(|duration| {
        let until = SystemTime::now().checked_add(duration)?;
        u64::try_from(until.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
    });
    let pause = Pause {
        reason: args.reason,
        until_unix_ms,
    };
    pause
        .write(&dir)
        .map_err(|error| CommandError::Pause(dir.clone(), error))?;
    let until = match (args.duration, until_unix_ms) {
        (Some(duration), Some(_)) => format!("for {}", humantime::format_duration(duration)),
        _ => "until resumed".to_owned(),
    };
    print(&format!("paused {until} (in {})\n", dir.display()));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn resume(args: &ResumeArgs) -> Result<ExitCode, CommandError> {
    let dir = settings(&args.settings)?.state_dir;
    let was_paused =
        Pause::remove(&dir).map_err(|error| CommandError::Resume(dir.clone(), error))?;
    let result = if was_paused { "resumed" } else { "not paused" };
    print(&format!("{result} (in {})\n", dir.display()));
    Ok(ExitCode::SUCCESS)
}

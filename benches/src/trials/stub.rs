//! Stub deciders in place of the doctor: one harmful, one blind. The instrument must report both as wrong.

use std::process::ExitCode;
use std::time::Duration;

use healing_core::health::Health;
use healing_sidecar::exit_code;
use healing_sidecar::parent_death::die_with_pod;

/// Environment variable that makes the trials' own binary a stub.
pub(super) const STUB: &str = "HEALING_TRIALS_STUB";
const POLL: Duration = Duration::from_millis(500);
/// Polls above the threshold in a row before a restart.
const POLLS: u32 = 3;
const THRESHOLD: f64 = 80.0;

/// Decider without any sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Stub {
    /// Restarts at 80 % CPU
    RestartAtCpu,
    /// Never acts
    Never,
}

impl Stub {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::RestartAtCpu => "restart-at-cpu",
            Self::Never => "never",
        }
    }
}

/// Plays the stub that the environment names, if it names one.
pub(super) fn play() -> Option<ExitCode> {
    let name = std::env::var(STUB).ok()?;
    if die_with_pod().is_err() {
        return Some(ExitCode::FAILURE);
    }
    let harmful = name == Stub::RestartAtCpu.as_str();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return Some(ExitCode::FAILURE);
    };
    runtime.block_on(async {
        if harmful {
            restart_at_cpu().await;
        } else {
            std::future::pending::<()>().await;
        }
    });
    Some(ExitCode::from(
        u8::try_from(exit_code::RESTART_ALL).unwrap_or_default(),
    ))
}

async fn restart_at_cpu() {
    let url = std::env::var("HEALING_CARE_URL").unwrap_or_default();
    let client = reqwest::Client::new();
    let mut above = 0;
    while above < POLLS {
        tokio::time::sleep(POLL).await;
        let usage = async {
            let request = client.get(format!("{url}/health")).timeout(POLL);
            let text = request.send().await.ok()?.text().await.ok()?;
            let health: Health = serde_json::from_str(&text).ok()?;
            health.cpu_usage
        };
        above = match usage.await {
            Some(usage) if usage > THRESHOLD => above + 1,
            _ => 0,
        };
    }
}

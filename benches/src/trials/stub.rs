//! Stub deciders in place of the doctor, one harmful and one passive. Both must be judged wrong.

use std::process::ExitCode;
use std::time::Duration;

use healing_core::health::Health;
use healing_sidecar::exit_code;
use healing_sidecar::parent_death::die_with_pod;

/// Environment variable that makes the trials' own binary a stub.
pub(super) const STUB: &str = "HEALING_TRIALS_STUB";
/// Interval and timeout of the polls.
const POLL: Duration = Duration::from_millis(500);
/// Number of consecutive polls above the threshold before a restart.
const POLLS: u32 = 3;
/// CPU usage above which the harmful stub restarts the app, in percent.
const THRESHOLD: f64 = 80.0;

/// Stub decider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Stub {
    /// Restarts at 80 % CPU
    RestartAtCpu,
    /// Never acts
    Never,
}

impl Stub {
    /// Returns the name on the command line and in JSON.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::RestartAtCpu => "restart-at-cpu",
            Self::Never => "never",
        }
    }
}

/// Runs the stub that the environment names. Returns `None` if it names none.
pub(super) fn run() -> Option<ExitCode> {
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

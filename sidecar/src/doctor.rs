//! The doctor: polls the app, lets `healing-core` decide, treats, and records the reasons.
//!
//! No failure of the sidecar restarts an app. A panic in the control loop is caught and counted, and
//! the loop starts again from its saved state. If the loop stops beating, the watchdog re-executes
//! the program. Exit code 88 can only be produced by a hard heal whose intent is on disk.
//!
//! # Hazards
//!
//! - [`run`] must be the process's main task, because the watchdog re-executes the whole program.
//! - Files are written on the same thread. A state directory on unresponsive storage therefore
//!   blocks the loop until the watchdog acts. Use a local directory (an `emptyDir`).

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use crate::app_client::http::Client;
use crate::app_client::{AppClient, CareClient, Probe};
use crate::config::{ConfigError, Loaded, Profile, Settings};
use crate::control_loop::ControlLoop;
use crate::exit_code;
use crate::heartbeat::Heartbeat;
use crate::status::{Metrics, Shared, mode_name, serve};
use crate::supervise::supervise;
use crate::treatment::ExitForRestart;
use crate::watchdog;

/// Runs the doctor until `shutdown` resolves (exit code 0) or a hard heal is ready (88).
///
/// If a setting is invalid, the doctor only observes; see [`Loaded::fail_safe`].
pub async fn run(loaded: Loaded, shutdown: impl Future<Output = ()>) -> ExitCode {
    let loaded = loaded.fail_safe();
    let metrics = match Metrics::new() {
        Ok(metrics) => metrics,
        // Unreachable unless two metrics clash, which any test would catch.
        Err(error) => {
            tracing::error!(%error, "cannot set up the metrics");
            return ExitCode::from(exit_code::SOFTWARE);
        }
    };
    let app = match app_client(&loaded.settings) {
        Ok(app) => app,
        Err(error) => {
            tracing::error!(%error, "cannot set up the HTTP client");
            return ExitCode::from(exit_code::SOFTWARE);
        }
    };
    let settings = Arc::new(loaded.settings);
    let shared = Arc::new(Shared::new(
        metrics,
        Heartbeat::new(),
        watchdog_timeout(&settings),
    ));
    publish(&shared, &settings, &loaded.errors);

    tokio::spawn(serve(
        Arc::clone(&shared),
        settings.bind,
        |address: SocketAddr| tracing::info!(%address, "status server"),
    ));
    if let Err(error) = watchdog::start(&shared.heartbeat, shared.watchdog_timeout) {
        tracing::error!(%error, "cannot start the watchdog; a blocked control loop will not be detected");
    }
    tokio::select! {
        biased;
        () = shutdown => {
            tracing::info!("shutdown signal received");
            ExitCode::SUCCESS
        }
        exit = run_loop(settings, shared, app) => exit.into(),
    }
}

fn app_client(settings: &Settings) -> reqwest::Result<AppClient> {
    let care = Client::new(&settings.care_url)?;
    Ok(AppClient {
        probe: Probe::new(settings)?,
        care: CareClient::new(care, settings.token_file.clone()),
    })
}

/// Runs the control loop, and starts it again from its saved state after a panic.
async fn run_loop(settings: Arc<Settings>, shared: Arc<Shared>, app: AppClient) -> ExitForRestart {
    supervise(
        || {
            let (settings, shared) = (Arc::clone(&settings), Arc::clone(&shared));
            let app = app.clone();
            async move { ControlLoop::start(&settings, shared, app).run().await }
        },
        || {
            shared.metrics.loop_panics.inc();
            shared.heartbeat.beat();
        },
        settings.poll_interval,
    )
    .await
}

/// Returns the watchdog timeout, which is longer than any wait of the control loop.
fn watchdog_timeout(settings: &Settings) -> Duration {
    let margin = match settings.profile {
        Profile::Default => 30,
        Profile::Demo => 8,
    };
    Duration::from_secs(margin)
        + settings.poll_interval * 2
        + settings.probe_timeout * 4
        + settings.heal_timeout
        + settings.drain_settle
}

/// Publishes mode, configuration errors and re-executions in log, metrics and status page.
fn publish(shared: &Shared, settings: &Settings, errors: &[ConfigError]) {
    for error in errors {
        tracing::error!(setting = %error.setting, %error, "invalid configuration");
    }
    if !errors.is_empty() {
        tracing::error!(
            count = errors.len(),
            "invalid configuration: the doctor only observes, with defaults in place of invalid values"
        );
    }
    let re_executions = watchdog::re_executions();
    if re_executions > 0 {
        tracing::error!(
            re_executions,
            "the watchdog re-executed the doctor because its control loop was blocked"
        );
    }
    let mode = mode_name(settings.mode);
    let metrics = &shared.metrics;
    metrics.watchdog_restarts.inc_by(re_executions);
    metrics.config_invalid.set(i64::from(!errors.is_empty()));
    metrics.set_mode(mode);
    let mut view = shared.view();
    view.mode = mode;
    view.config_errors = errors.iter().map(ToString::to_string).collect();
}

//! The doctor: polls the app, lets `healing-core` decide, treats, and records why.
//!
//! No fault in here restarts an app. A panic in the control loop is caught and counted, and the
//! loop starts again from its saved state; the watchdog re-executes a loop that hangs; exit code 88,
//! which alone restarts the app, can only be made from a hard heal whose intent is on disk.
//!
//! # Hazards
//!
//! - [`run`] expects to be the process's main task: the watchdog re-executes the whole program.
//! - Files are written on the same thread: a state directory on storage that hangs stops the loop
//!   until the watchdog acts. Use a local directory (an `emptyDir`).

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use crate::app_client::{AppClient, CareClient, Probe, http};
use crate::config::{ConfigError, Loaded, Profile, Settings};
use crate::control_loop::ControlLoop;
use crate::exit_code;
use crate::heartbeat::Heartbeat;
use crate::status::{Metrics, Shared, mode_name, serve};
use crate::supervise::supervise;
use crate::treatment::ExitForRestart;
use crate::watchdog;

/// Runs the doctor until `shutdown` is ready (exit code 0) or a hard heal is ready (88).
///
/// With errors in the settings it only observes; see [`Loaded::fail_safe`].
pub async fn run(loaded: Loaded, shutdown: impl Future<Output = ()>) -> ExitCode {
    let loaded = loaded.fail_safe();
    let metrics = match Metrics::new() {
        Ok(metrics) => metrics,
        // Only a mistake in the table of metrics, which each test that makes one would find.
        Err(error) => {
            tracing::error!(%error, "cannot set up the metrics");
            return ExitCode::from(exit_code::SOFTWARE);
        }
    };
    let client = match http::client() {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "cannot set up the HTTP client");
            return ExitCode::from(exit_code::SOFTWARE);
        }
    };
    let settings = Arc::new(loaded.settings);
    let shared = Arc::new(Shared::new(metrics, Heartbeat::new(), patience(&settings)));
    publish(&shared, &settings, &loaded.errors);

    tokio::spawn(serve(
        Arc::clone(&shared),
        settings.bind,
        |address: SocketAddr| tracing::info!(%address, "status server"),
    ));
    if let Err(error) = watchdog::start(&shared.heartbeat, shared.patience) {
        tracing::error!(%error, "no watchdog: a control loop that hangs will not be noticed");
    }
    tokio::select! {
        biased;
        () = shutdown => {
            tracing::info!("shutdown signal received");
            ExitCode::SUCCESS
        }
        exit = run_loop(settings, shared, client) => exit.into(),
    }
}

/// Runs the control loop, and starts it again from its saved state after a panic.
async fn run_loop(
    settings: Arc<Settings>,
    shared: Arc<Shared>,
    client: reqwest::Client,
) -> ExitForRestart {
    let app = AppClient {
        probe: Probe::new(
            client.clone(),
            &settings.app_url,
            &settings.care_url,
            settings.probe_timeout,
        ),
        care: CareClient::new(client, &settings.care_url, settings.token_file.clone()),
    };
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

/// Returns a time longer than any wait of the control loop.
fn patience(settings: &Settings) -> Duration {
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

/// Publishes mode, configuration errors and re-executions in log, metrics and view.
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
    let restarts = watchdog::restarts();
    if restarts > 0 {
        tracing::error!(restarts, "the watchdog re-executed the doctor after a hang");
    }
    let mode = mode_name(settings.mode);
    let metrics = &shared.metrics;
    metrics.watchdog_restarts.inc_by(restarts);
    metrics.config_invalid.set(i64::from(!errors.is_empty()));
    metrics.set_mode(mode);
    let mut view = shared.view();
    view.mode = mode;
    view.config_errors = errors.iter().map(ToString::to_string).collect();
}

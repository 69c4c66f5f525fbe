//! The doctor: looks at the app, lets `healing-core` decide, treats, and records why.
//!
//! First do no harm. Nothing that goes wrong in here restarts an app: a panic in the loop is
//! caught, counted and the loop started again from its saved state; a loop that hangs is started
//! anew in place by its watchdog; the exit code 88, which alone restarts the app, is returned
//! from one place only (`hard_heal.rs`) after the intent is on disk.
//!
//! # Hazards
//!
//! - [`run`] expects to be the process's main task: the watchdog re-executes the whole program.
//! - Files are written on the same thread: a state directory on storage that hangs stops the loop
//!   until the watchdog steps in. Use a local directory (an `emptyDir`).

pub mod brain;
mod care;
mod clock;
mod contain;
mod hard_heal;
pub mod http;
mod journal;
mod patient;
mod pause;
mod plausible;
pub mod probe;
mod record;
mod soft_heal;
mod state;
mod unfinished;
pub(crate) mod watchdog;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use self::contain::contain;
use self::patient::{Doctor, Exit};
pub use self::pause::Pause;
use self::watchdog::Heartbeat;
use crate::config::{Loaded, Profile, Settings};
use crate::exit_code;
use crate::status::{Metrics, Shared, serve};

/// Look after the app until `shutdown` is ready (exit code 0) or a hard heal is due (88).
///
/// Settings with errors are only observed with; see [`Loaded::fail_safe`].
pub async fn run(loaded: Loaded, shutdown: impl Future<Output = ()>) -> ExitCode {
    let loaded = loaded.fail_safe();
    let metrics = match Metrics::new() {
        Ok(metrics) => metrics,
        // Only a mistake in the table of metrics; a test goes through it.
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be set up");
            return ExitCode::from(exit_code::SOFTWARE);
        }
    };
    let client = match http::client() {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "the HTTP client cannot be set up");
            return ExitCode::from(exit_code::SOFTWARE);
        }
    };
    let settings = Arc::new(loaded.settings);
    let shared = Arc::new(Shared::new(metrics, Heartbeat::new(), patience(&settings)));
    announce(&shared, &settings, &loaded.errors);

    tokio::spawn(serve(
        Arc::clone(&shared),
        settings.bind,
        |address: SocketAddr| tracing::info!(%address, "status server"),
    ));
    if let Err(error) = watchdog::watch(&shared.heartbeat, shared.patience) {
        tracing::error!(%error, "no watchdog: a loop that hangs will not be noticed");
    }
    tokio::select! {
        biased;
        () = shutdown => {
            tracing::info!("told to end");
            ExitCode::SUCCESS
        }
        exit = keep_looking(settings, shared, client) => match exit {
            Exit::RestartAll => {
                ExitCode::from(u8::try_from(exit_code::RESTART_ALL).unwrap_or(1))
            },
        },
    }
}

/// The loop, started again from its saved state whenever it panics.
async fn keep_looking(
    settings: Arc<Settings>,
    shared: Arc<Shared>,
    client: reqwest::Client,
) -> Exit {
    let pause = settings.poll_interval;
    let counted = Arc::clone(&shared);
    contain(
        || {
            let (settings, shared) = (Arc::clone(&settings), Arc::clone(&shared));
            let client = client.clone();
            async move { Doctor::start(settings, shared, client).run().await }
        },
        || {
            counted.metrics.loop_panics.inc();
            counted.heartbeat.beat();
        },
        pause,
    )
    .await
}

/// Longer than anything the loop waits for on purpose.
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

fn announce(shared: &Shared, settings: &Settings, errors: &[crate::config::ConfigError]) {
    let mode = mode_word(settings.mode);
    for error in errors {
        tracing::error!(setting = %error.setting, %error, "invalid configuration");
    }
    if !errors.is_empty() {
        tracing::error!(
            count = errors.len(),
            "the configuration is wrong: the doctor only observes, with defaults in place of what is wrong"
        );
    }
    let restarts = watchdog::restarts();
    if restarts > 0 {
        tracing::error!(restarts, "the doctor hung and was started anew in place");
    }
    shared.metrics.watchdog_restarts.inc_by(restarts);
    shared
        .metrics
        .config_invalid
        .set(i64::from(!errors.is_empty()));
    shared.metrics.set_mode(mode);
    let mut view = shared.view();
    view.mode = mode;
    view.config_errors = errors.iter().map(ToString::to_string).collect();
}

fn mode_word(mode: healing_core::observation::Mode) -> &'static str {
    match mode {
        healing_core::observation::Mode::Observe => "observe",
        healing_core::observation::Mode::Enforce => "enforce",
    }
}

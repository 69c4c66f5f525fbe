//! `POST /heal`: what it takes, what it refuses, and what it does.
//!
//! # Hazards
//! `restart_service` ends the *process*, whatever else lives in it. `reset_errors` without a
//! recovery hook zeroes a counter and heals nothing; the answer says so.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use healing_core::health::{HealAction, HealResponse, HookOutcome, Status};
use http::StatusCode;
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::runtime::Handle;

use crate::app::App;
use crate::care::access::HeaderRule;
use crate::care::log;
use crate::care::refusal::Refusal;
use crate::endpoints::{Answer, Door, json};
use crate::lifecycle::LEASE;

/// A request is one short word in JSON.
pub(super) const MOST_BODY_BYTES: usize = 4096;
/// A body that has not come by then does not come.
const BODY_WITHIN: Duration = Duration::from_secs(5);

/// Access first, so that a stranger's body is not even read.
pub(crate) async fn answer<B>(
    app: &Arc<App>,
    door: Door,
    rule: HeaderRule,
    peer: Option<SocketAddr>,
    head: &Parts,
    body: B,
) -> Answer
where
    B: http_body::Body + Send,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let done = async {
        app.access
            .may_heal(head, peer, rule)
            .map_err(Refusal::Forbidden)?;
        let action = action(&read(door, body).await?)?;
        perform(app, action).await
    };
    match done.await {
        Ok(response) => json(StatusCode::OK, &response),
        Err(refusal) => {
            let why = format!("{refusal:?}");
            log::say(move || tracing::warn!(refusal = why, ?peer, "POST /heal was refused"));
            refusal.answer()
        }
    }
}

async fn read<B>(door: Door, body: B) -> Result<Bytes, Refusal>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let collected = Limited::new(body, MOST_BODY_BYTES).collect();
    let collected = match door {
        // The app's own runtime may have no timer, and its server is the owner's.
        Door::App => collected.await,
        Door::Care => tokio::time::timeout(BODY_WITHIN, collected)
            .await
            .map_err(|_| {
                Refusal::Malformed(format!("the body did not arrive within {BODY_WITHIN:?}"))
            })?,
    };
    match collected {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge),
        Err(error) => Err(Refusal::Malformed(format!(
            "the body could not be read: {error}"
        ))),
    }
}

/// An empty body means `reset_errors`, as in the original system.
fn action(body: &[u8]) -> Result<HealAction, Refusal> {
    if body.trim_ascii().is_empty() {
        return Ok(HealAction::ResetErrors);
    }
    let request: serde_json::Value = serde_json::from_slice(body)
        .map_err(|error| Refusal::Malformed(format!("the body is not JSON: {error}")))?;
    let Some(action) = request.get("action").and_then(serde_json::Value::as_str) else {
        return Err(Refusal::Malformed(
            "the body has no text \"action\"".to_owned(),
        ));
    };
    HealAction::ALL
        .into_iter()
        .find(|known| known.as_str() == action)
        .ok_or_else(|| Refusal::UnknownAction(action.chars().take(64).collect()))
}

async fn perform(app: &Arc<App>, action: HealAction) -> Result<HealResponse, Refusal> {
    let now = Instant::now();
    match action {
        HealAction::ResetErrors => reset_errors(app).await,
        HealAction::RestartService => restart_service(app, now),
        HealAction::Drain => {
            app.life.drain(now);
            log::say(|| tracing::info!(lease = ?LEASE, "draining"));
            Ok(unchanged(
                app,
                action,
                format!("not ready for {LEASE:?}, unless renewed or undrained"),
            ))
        }
        HealAction::Undrain => {
            let was = app.life.undrain(now);
            let message = match (app.life.is_leaving(), was) {
                (true, _) => "this instance is ending; it stays not ready",
                (false, true) => "the drain is over",
                (false, false) => "there was no drain",
            };
            Ok(unchanged(app, action, message.to_owned()))
        }
    }
}

fn unchanged(app: &App, action: HealAction, message: String) -> HealResponse {
    let error_count = app.meter.error_count();
    HealResponse {
        action,
        message,
        previous_error_count: error_count,
        current_status: Status::of(error_count),
        hooks: Vec::new(),
    }
}

/// Runs the hooks, then zeroes the count: what fails after the treatment is news, what failed
/// during it is not.
async fn reset_errors(app: &Arc<App>) -> Result<HealResponse, Refusal> {
    if app.heart.is_stalled(Instant::now()) {
        return Err(Refusal::RuntimeStalled);
    }
    let heal = app
        .hooks
        .begin()
        .map_err(|_| Refusal::AlreadyHealing("a soft heal is running; wait for its answer"))?;
    let (hooks_run_on, timed_on) = match app.runtimes.get() {
        Some(runtimes) => (runtimes.app.clone(), runtimes.care.clone()),
        None => (Handle::current(), Handle::current()),
    };
    // A task of its own: a client that goes away must not leave the heal half done.
    let task = timed_on.spawn({
        let app = Arc::clone(app);
        async move {
            let hooks = heal.run(&hooks_run_on).await;
            let previous_error_count = app.meter.reset_errors();
            drop(heal);
            let message = told(&hooks);
            let said = message.clone();
            log::say(move || tracing::info!(previous_error_count, said, "soft heal"));
            HealResponse {
                action: HealAction::ResetErrors,
                message,
                previous_error_count,
                current_status: Status::of(app.meter.error_count()),
                hooks,
            }
        }
    });
    task.await
        .map_err(|error| Refusal::Broken(error.to_string()))
}

fn told(hooks: &[HookOutcome]) -> String {
    let failed: Vec<_> = hooks
        .iter()
        .filter_map(|hook| {
            hook.error
                .as_ref()
                .map(|error| format!("{} ({error})", hook.name))
        })
        .collect();
    let succeeded = hooks.len() - failed.len();
    match (hooks.len(), failed.is_empty()) {
        (0, _) => {
            "error_count is zero again; no recovery hook is registered, so nothing was healed"
                .to_owned()
        }
        (all, true) => {
            format!("error_count is zero again; {all} of {all} recovery hooks succeeded")
        }
        (all, false) => format!(
            "error_count is zero again; {succeeded} of {all} recovery hooks succeeded, not: {}",
            failed.join(", ")
        ),
    }
}

/// Condemns; the care thread does the rest (see [`super::ending`]).
fn restart_service(app: &App, now: Instant) -> Result<HealResponse, Refusal> {
    if app.runtimes.get().is_none() {
        return Err(Refusal::CareNotStarted);
    }
    if !app.life.condemn(now) {
        return Err(Refusal::AlreadyHealing(
            "restart_service was accepted before; this instance ends",
        ));
    }
    log::say(|| tracing::warn!("restart_service: this instance is condemned"));
    let timing = &app.timing;
    let how = if app.heart.is_stalled(now) {
        "open requests are not waited for, the runtime is stalled".to_owned()
    } else {
        format!(
            "{:?} as a lame duck, then at most {:?} for open requests",
            timing.lame_duck, timing.drain_deadline
        )
    };
    let message = format!(
        "condemned: not ready from now on; {how}; exits {}, but not within {:?} from now, so that a \
         supervisor can restart it by /livez",
        super::ending::CONDEMNED,
        timing.condemned_wait
    );
    Ok(unchanged(app, HealAction::RestartService, message))
}

//! Handler of `POST /heal`: parses the request and performs its action.
//!
//! # Hazards
//!
//! `restart_service` exits the whole *process*, and so stops other instances in it. `reset_errors` without
//! a recovery hook only resets a counter; the response states this.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use healing_wire::heal::{HealAction, HealResponse, HookOutcome};
use healing_wire::health::Status;
use http::StatusCode;
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::runtime::Handle;

use super::access::authorize;
use super::port::Port;
use super::rejection::{MAX_BODY_BYTES, MalformedBody, Rejection};
use super::response::{EndpointResponse, json};
use crate::deferred_log;
use crate::exit_code;
use crate::lifecycle::LEASE;
use crate::settings::HeaderRule;
use crate::shared::Shared;

/// Time limit of a request's body on the care port.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Answers a heal request. Access is checked before the body is read.
pub(super) async fn answer<B>(
    shared: &Arc<Shared>,
    port: Port,
    rule: HeaderRule,
    peer: Option<SocketAddr>,
    head: &Parts,
    body: B,
) -> EndpointResponse
where
    B: http_body::Body + Send,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let result = async {
        authorize(head, peer, rule, shared.settings.token_file.as_ref())?;
        let action = parse_action(&read_body(port, body).await?)?;
        perform(shared, action).await
    };
    match result.await {
        Ok(response) => json(StatusCode::OK, &response),
        Err(rejection) => {
            let reason = rejection.to_string();
            deferred_log::emit(move || tracing::warn!(reason, ?peer, "rejected POST /heal"));
            rejection.into_response()
        }
    }
}

async fn read_body<B>(port: Port, body: B) -> Result<Bytes, Rejection>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let collected = Limited::new(body, MAX_BODY_BYTES).collect();
    let collected = match port {
        // The app's runtime may have no timer, and its server has its own limits.
        Port::App => collected.await,
        Port::Care => tokio::time::timeout(BODY_TIMEOUT, collected)
            .await
            .map_err(|_| MalformedBody::Timeout(BODY_TIMEOUT))?,
    };
    match collected {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Rejection::TooLarge),
        Err(error) => Err(MalformedBody::Unreadable(error).into()),
    }
}

/// Parses the action. An empty body means `reset_errors`, as in the original system.
fn parse_action(body: &[u8]) -> Result<HealAction, Rejection> {
    if body.trim_ascii().is_empty() {
        return Ok(HealAction::ResetErrors);
    }
    let request: serde_json::Value =
        serde_json::from_slice(body).map_err(MalformedBody::NotJson)?;
    let Some(action) = request.get("action").and_then(serde_json::Value::as_str) else {
        return Err(MalformedBody::NoAction.into());
    };
    HealAction::ALL
        .into_iter()
        .find(|known| known.as_str() == action)
        .ok_or_else(|| Rejection::UnknownAction(action.chars().take(64).collect()))
}

async fn perform(shared: &Arc<Shared>, action: HealAction) -> Result<HealResponse, Rejection> {
    let now = Instant::now();
    match action {
        HealAction::ResetErrors => reset_errors(shared).await,
        HealAction::RestartService => restart_service(shared, now),
        HealAction::Drain => {
            shared.lifecycle.drain(now);
            deferred_log::emit(|| tracing::info!(lease = ?LEASE, "draining"));
            let message = format!(
                "not ready for {LEASE:?}; repeat drain to renew the lease, or send undrain to cancel it"
            );
            Ok(without_hooks(shared, action, message))
        }
        HealAction::Undrain => {
            let was_draining = shared.lifecycle.cancel_drain(now);
            let message = match (shared.lifecycle.is_shutting_down(), was_draining) {
                (true, _) => "this instance is shutting down and stays not ready",
                (false, true) => "the drain is cancelled",
                (false, false) => "there was no drain to cancel",
            };
            Ok(without_hooks(shared, action, message.to_owned()))
        }
    }
}

/// Returns the response of an action that runs no hooks and leaves `error_count` as it is.
fn without_hooks(shared: &Shared, action: HealAction, message: String) -> HealResponse {
    let error_count = shared.meter.error_count();
    HealResponse {
        action,
        message,
        previous_error_count: error_count,
        current_status: Status::of(error_count),
        hooks: Vec::new(),
    }
}

/// Runs the hooks, then resets `error_count` to zero, so that it counts only errors after the treatment.
async fn reset_errors(shared: &Arc<Shared>) -> Result<HealResponse, Rejection> {
    if shared.heartbeat.is_stalled(Instant::now()) {
        return Err(Rejection::RuntimeStalled);
    }
    let heal = shared.hooks.begin()?;
    let (hook_runtime, timer_runtime) = match shared.runtimes.get() {
        Some(runtimes) => (runtimes.app.clone(), runtimes.care.clone()),
        None => (Handle::current(), Handle::current()),
    };
    // A separate task, so that a client that disconnects does not cancel the heal halfway.
    let task = timer_runtime.spawn({
        let shared = Arc::clone(shared);
        async move {
            let hooks = heal.run(&hook_runtime).await;
            let previous_error_count = shared.meter.reset_errors();
            drop(heal);
            let message = summarize(&hooks);
            let outcome = message.clone();
            deferred_log::emit(move || {
                tracing::info!(previous_error_count, outcome, "soft heal finished");
            });
            HealResponse {
                action: HealAction::ResetErrors,
                message,
                previous_error_count,
                current_status: Status::of(shared.meter.error_count()),
                hooks,
            }
        }
    });
    Ok(task.await?)
}

fn summarize(hooks: &[HookOutcome]) -> String {
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
            "error_count was reset to zero; no recovery hook is registered, so nothing was healed"
                .to_owned()
        }
        (all, true) => {
            format!("error_count was reset to zero; {all} of {all} recovery hooks succeeded")
        }
        (all, false) => format!(
            "error_count was reset to zero; {succeeded} of {all} recovery hooks succeeded; failed: {}",
            failed.join(", ")
        ),
    }
}

/// Condemns the instance; the care thread then shuts it down.
fn restart_service(shared: &Shared, now: Instant) -> Result<HealResponse, Rejection> {
    if shared.runtimes.get().is_none() {
        return Err(Rejection::CareNotStarted);
    }
    if !shared.lifecycle.condemn(now) {
        return Err(Rejection::AlreadyCondemned);
    }
    deferred_log::emit(|| tracing::warn!("accepted restart_service; this instance is condemned"));
    let timing = &shared.settings.timing;
    let shutdown = if shared.heartbeat.is_stalled(now) {
        "it does not wait for requests in flight, because the runtime is stalled".to_owned()
    } else {
        format!(
            "it waits {:?} as a lame duck, then at most {:?} for requests in flight",
            timing.lame_duck, timing.drain_deadline
        )
    };
    let message = format!(
        "condemned and not ready; {shutdown}; it exits with code {} after {:?} at the earliest, so that a \
         supervisor can restart it by /livez first",
        exit_code::CONDEMNED,
        timing.condemned_wait
    );
    Ok(without_hooks(shared, HealAction::RestartService, message))
}

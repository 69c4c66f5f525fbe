//! Routes and healing of the trial service.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use healing_tower::Healing;
use patient_app::burn;

use super::args::Args;
use super::events::{EventKind, EventLog};
use super::faults::Faults;

#[derive(Debug, Clone)]
struct Service {
    work: Duration,
    faults: Arc<Faults>,
}

/// Returns the routes `/` and `/other`.
pub(super) fn routes(args: &Args, faults: &Arc<Faults>) -> Router {
    let service = Service {
        work: args.work,
        faults: Arc::clone(faults),
    };
    Router::new()
        .route(
            "/",
            get(|State(service): State<Service>| respond(service, false)),
        )
        .route(
            "/other",
            get(|State(service): State<Service>| respond(service, true)),
        )
        .with_state(service)
}

async fn respond(service: Service, second_route: bool) -> (StatusCode, &'static str) {
    burn(service.work);
    match service.faults.apply(second_route).await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(_failed) => (StatusCode::INTERNAL_SERVER_ERROR, "failed\n"),
    }
}

/// Returns the healing with one recovery hook, which repairs none of the faults.
pub(super) fn healing(args: &Args, events: Option<EventLog>) -> Healing {
    Healing::builder("trial-service")
        .care_bind(args.care_bind)
        .stall_after(args.stall_after)
        .lame_duck(args.lame_duck)
        .drain_deadline(args.drain_deadline)
        .soft_heal("caches", move || {
            if let Some(events) = &events {
                events.append(EventKind::SoftHeal);
            }
            async { Ok::<(), Infallible>(()) }
        })
        .build()
}

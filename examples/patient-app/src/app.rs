//! The router, with and without the healing layer.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use healing_tower::{CheckOptions, Healing};
use tower_http::trace::TraceLayer;

use crate::patient::Patient;
use crate::settings::Settings;
use crate::{data, faults, overview, work};

/// Returns the patient's own routes, without the healing layer.
pub fn routes(patient: &Arc<Patient>) -> Router {
    Router::new()
        .route("/", get(overview::overview))
        .route("/data", get(data::data))
        .route("/simulate-error", get(data::simulate_error))
        .route("/work", get(work::work))
        .merge(faults::routes().with_state(Arc::clone(&patient.faults)))
        .layer(TraceLayer::new_for_http())
        .with_state(Arc::clone(patient))
}

/// Returns the healing of the patient. Its soft heal drops the cache, and its check of the dependency vetoes
/// restarts.
pub fn healing(patient: &Arc<Patient>, settings: &Settings) -> Healing {
    let hook_patient = Arc::clone(patient);
    let mut builder = Healing::builder("patient-app")
        .heal_on_app_port_without_header() // the original system's monitor sends none
        .soft_heal("cache", move || {
            let patient = Arc::clone(&hook_patient);
            async move {
                patient.cache.clear();
                Ok::<(), std::convert::Infallible>(())
            }
        });
    if let Some(dependency) = patient.dependency.clone() {
        let options = CheckOptions::default().interval(Duration::from_secs(1));
        builder = builder.dependency_with("records", options, move || {
            let dependency = dependency.clone();
            async move { dependency.ping().await }
        });
    }
    if let Some(care_bind) = settings.care_bind {
        builder = builder.care_bind(care_bind);
    }
    if let Some(stall_after) = settings.stall_after {
        builder = builder.stall_after(stall_after);
    }
    builder.build()
}

/// Returns the whole app as one service, with the healing layer.
pub fn app(patient: &Arc<Patient>, healing: &Healing) -> Router {
    healing.wrap(routes(patient))
}

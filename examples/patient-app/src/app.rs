//! The router, with and without the healing layer.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use healing_tower::{CheckOptions, Healing};
use tower_http::trace::TraceLayer;

use crate::patient::Patient;
use crate::settings::Settings;
use crate::{data, faults, overview};

/// The patient's own routes: what there would be without healing.
pub fn routes(patient: &Arc<Patient>) -> Router {
    Router::new()
        .route("/", get(overview::overview))
        .route("/data", get(data::data))
        .route("/simulate-error", get(data::simulate_error))
        .merge(faults::routes())
        .layer(TraceLayer::new_for_http())
        .with_state(Arc::clone(patient))
}

/// What heals the patient: the cache is its soft heal, the dependency a check that vetoes
/// restarts.
pub fn healing(patient: &Arc<Patient>, settings: &Settings) -> Healing {
    let hooked = Arc::clone(patient);
    let mut builder = Healing::builder("patient-app")
        .heal_on_app_port_without_header() // as the original system's monitor asks
        .soft_heal("cache", move || {
            let patient = Arc::clone(&hooked);
            async move {
                patient.cache.clear();
                Ok::<(), std::convert::Infallible>(())
            }
        });
    if let Some(dependency) = patient.dependency.clone() {
        let often = CheckOptions::default().interval(Duration::from_secs(1));
        builder = builder.dependency_with("records", often, move || {
            let dependency = dependency.clone();
            async move { dependency.ping().await }
        });
    }
    if let Some(care_bind) = settings.care_bind {
        builder = builder.care_bind(care_bind);
    }
    if let Some(silence) = settings.stall_after {
        builder = builder.stall_after(silence);
    }
    builder.build()
}

/// The whole app, as one service: for `oneshot`.
pub fn app(patient: &Arc<Patient>, healing: &Healing) -> Router {
    healing.wrap(routes(patient))
}

//! Real faults, one file each, behind `GET /faults` and `POST|DELETE /faults/{name}`.

mod cpu_spin;
mod dependency_outage;
mod leak;
mod poisoned_cache;
mod wedge;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde::{Deserialize, Serialize};
use serde_json::json;

use cpu_spin::CpuSpin;
use leak::Leak;
use wedge::Wedge;

use crate::cache::Cache;
use crate::dependency::Dependency;
use crate::loopback;

/// Fault that can be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A share of `/data` fails until the cache is dropped.
    PoisonedCache,
    /// Memory grows.
    Leak,
    /// Every worker of the runtime sleeps in a blocking call.
    Wedge,
    /// Threads spin.
    CpuSpin,
    /// The dependency's process exits.
    DependencyOutage,
}

impl Fault {
    /// All faults, in display order.
    pub const ALL: [Self; 5] = [
        Self::PoisonedCache,
        Self::Leak,
        Self::Wedge,
        Self::CpuSpin,
        Self::DependencyOutage,
    ];

    /// Returns the name, which is also the URL path segment.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PoisonedCache => "poisoned-cache",
            Self::Leak => "leak",
            Self::Wedge => "wedge",
            Self::CpuSpin => "cpu-spin",
            Self::DependencyOutage => "dependency-outage",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::PoisonedCache => "a quarter of /data fails until the cache is dropped",
            Self::Leak => "memory grows; ?mib_per_second=16&max_mib=1024",
            Self::Wedge => "every worker sleeps in a blocking call; ?seconds=N (default: forever)",
            Self::CpuSpin => "threads spin; ?threads=N (default: one per core)",
            Self::DependencyOutage => "the dependency's process exits",
        }
    }

    fn named(name: &str) -> Result<Self, FaultError> {
        Self::ALL
            .into_iter()
            .find(|fault| fault.name() == name)
            .ok_or_else(|| FaultError::Unknown(name.to_owned()))
    }
}

/// State of all faults, and the parts of the patient that they affect.
#[derive(Debug)]
pub(crate) struct Faults {
    cache: Arc<Cache>,
    dependency: Option<Dependency>,
    leak: Leak,
    wedge: Wedge,
    cpu_spin: CpuSpin,
}

impl Faults {
    /// Creates the faults of a patient with this cache and dependency, all of them off.
    pub(crate) fn new(cache: Arc<Cache>, dependency: Option<Dependency>) -> Self {
        Self {
            cache,
            dependency,
            leak: Leak::default(),
            wedge: Wedge::default(),
            cpu_spin: CpuSpin::default(),
        }
    }
}

/// Parameters of all faults. Each fault ignores those of others.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultParams {
    /// `leak`: growth, in MiB per second.
    pub mib_per_second: Option<u32>,
    /// `leak`: maximum, in MiB.
    pub max_mib: Option<u32>,
    /// `wedge`: duration, in seconds (default: forever).
    pub seconds: Option<u32>,
    /// `cpu-spin`: number of threads.
    pub threads: Option<usize>,
}

/// State of a fault in `GET /faults`.
#[derive(Debug, Serialize)]
struct FaultStatus {
    name: &'static str,
    about: &'static str,
    /// Set while the fault is active, by its observed state and not by the last request.
    on: bool,
    detail: String,
}

/// Error of switching a fault on or off.
#[derive(Debug)]
pub(crate) enum FaultError {
    /// There is no fault of this name.
    Unknown(String),
    /// The fault cannot be switched in the current state. The text is the reason.
    NotPossible(String),
}

impl IntoResponse for FaultError {
    fn into_response(self) -> Response {
        let (status, error, message) = match self {
            Self::Unknown(name) => {
                let known = Fault::ALL.map(Fault::name).join(", ");
                (
                    StatusCode::NOT_FOUND,
                    "unknown_fault",
                    format!("unknown fault {name}; known faults: {known}"),
                )
            }
            Self::NotPossible(message) => (StatusCode::CONFLICT, "not_possible", message),
        };
        (status, Json(json!({ "error": error, "message": message }))).into_response()
    }
}

/// Returns the routes, which accept requests from loopback only.
pub(crate) fn routes() -> Router<Arc<Faults>> {
    Router::new()
        .route("/faults", get(list))
        .route("/faults/{name}", post(switch_on).delete(switch_off))
        .layer(middleware::from_fn(loopback::only))
}

async fn list(State(faults): State<Arc<Faults>>) -> Json<Vec<FaultStatus>> {
    let mut all = Vec::with_capacity(Fault::ALL.len());
    for fault in Fault::ALL {
        all.push(state(&faults, fault).await);
    }
    Json(all)
}

async fn switch_on(
    State(faults): State<Arc<Faults>>,
    Path(name): Path<String>,
    Query(params): Query<FaultParams>,
) -> Result<Json<FaultStatus>, FaultError> {
    let fault = Fault::named(&name)?;
    match fault {
        Fault::PoisonedCache => poisoned_cache::on(&faults.cache),
        Fault::Leak => faults.leak.on(params),
        Fault::Wedge => faults.wedge.on(params),
        Fault::CpuSpin => faults.cpu_spin.on(params),
        Fault::DependencyOutage => dependency_outage::on(faults.dependency.as_ref()).await,
    }?;
    tracing::warn!(fault = fault.name(), "fault switched on");
    Ok(Json(state(&faults, fault).await))
}

async fn switch_off(
    State(faults): State<Arc<Faults>>,
    Path(name): Path<String>,
) -> Result<Json<FaultStatus>, FaultError> {
    let fault = Fault::named(&name)?;
    match fault {
        Fault::PoisonedCache => poisoned_cache::off(&faults.cache),
        Fault::Leak => faults.leak.off(),
        Fault::Wedge => faults.wedge.off(),
        Fault::CpuSpin => faults.cpu_spin.off(),
        Fault::DependencyOutage => dependency_outage::off(faults.dependency.as_ref()).await?,
    }
    tracing::info!(fault = fault.name(), "fault switched off");
    Ok(Json(state(&faults, fault).await))
}

async fn state(faults: &Faults, fault: Fault) -> FaultStatus {
    let (on, detail) = match fault {
        Fault::PoisonedCache => poisoned_cache::state(&faults.cache),
        Fault::Leak => faults.leak.state(),
        Fault::Wedge => faults.wedge.state(),
        Fault::CpuSpin => faults.cpu_spin.state(),
        Fault::DependencyOutage => dependency_outage::state(faults.dependency.as_ref()).await,
    };
    FaultStatus {
        name: fault.name(),
        about: fault.description(),
        on,
        detail,
    }
}

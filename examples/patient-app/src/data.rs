//! `GET /data` and `GET /simulate-error`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cache::{Cache, Cached, Record};
use crate::patient::Patient;

/// Which record; without one they are served in turn.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    id: Option<u32>,
}

#[derive(Debug, Serialize)]
struct Served {
    #[serde(flatten)]
    record: Record,
    /// `cache`, `dependency` or `self` (no dependency is set).
    source: &'static str,
}

/// A record, by way of the cache.
pub(crate) async fn data(
    State(patient): State<Arc<Patient>>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failure> {
    if patient.chance.throw() {
        return Err(Failure::Chance);
    }
    let id = wanted.id.unwrap_or_else(|| patient.next_id());
    if id >= Cache::RECORDS {
        return Err(Failure::Unknown(id));
    }
    let (record, source) = match patient.cache.get(id) {
        Cached::Hit(record) => (record, "cache"),
        Cached::Broken(error) => return Err(Failure::BrokenEntry(id, error)),
        Cached::Miss => load(&patient, id).await?,
    };
    Ok(Json(Served { record, source }).into_response())
}

async fn load(patient: &Patient, id: u32) -> Result<(Record, &'static str), Failure> {
    let (value, source) = match &patient.dependency {
        Some(dependency) => (
            dependency.get(id).await.map_err(|error| {
                Failure::Dependency(dependency.address().to_owned(), error.to_string())
            })?,
            "dependency",
        ),
        None => (crate::dependency::value_of(id), "self"),
    };
    let record = Record { id, value };
    patient.cache.put(&record);
    Ok((record, source))
}

/// One error, on request.
pub(crate) async fn simulate_error() -> Failure {
    Failure::Simulated
}

/// Why there is no data.
#[derive(Debug)]
pub(crate) enum Failure {
    Chance,
    Simulated,
    Unknown(u32),
    BrokenEntry(u32, String),
    Dependency(String, String),
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::Chance => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "failed by chance, as the failure rate asks for".to_owned(),
            ),
            Self::Simulated => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "simulated error: one was added".to_owned(),
            ),
            Self::Unknown(id) => (
                StatusCode::NOT_FOUND,
                format!("no record {id}: ids are 0 to {}", Cache::RECORDS - 1),
            ),
            Self::BrokenEntry(id, error) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("the cache's entry for record {id} is broken: {error}"),
            ),
            Self::Dependency(address, error) => (
                StatusCode::SERVICE_UNAVAILABLE,
                format!("the dependency at {address} does not answer: {error}"),
            ),
        };
        (status, Json(json!({ "error": error }))).into_response()
    }
}

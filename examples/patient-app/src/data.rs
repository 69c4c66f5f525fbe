//! `GET /data` and `GET /simulate-error`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cache::{Cache, Cached, CachedRecord};
use crate::patient::Patient;

/// Query of `/data`.
#[derive(Debug, Deserialize)]
pub(crate) struct DataQuery {
    /// Id of the record. Without an id, the records are served in turn.
    id: Option<u32>,
}

#[derive(Debug, Serialize)]
struct DataResponse {
    #[serde(flatten)]
    record: CachedRecord,
    /// Source of the record: `cache`, `dependency` or `self` (no dependency is set).
    source: &'static str,
}

/// Serves a record from the cache, or loads it into the cache.
pub(crate) async fn data(
    State(patient): State<Arc<Patient>>,
    Query(query): Query<DataQuery>,
) -> Result<Response, DataError> {
    if patient.failure_rate.should_fail() {
        return Err(DataError::Random);
    }
    let id = query.id.unwrap_or_else(|| patient.next_id());
    if id >= Cache::RECORDS {
        return Err(DataError::Unknown(id));
    }
    let (record, source) = match patient.cache.get(id) {
        Cached::Hit(record) => (record, "cache"),
        Cached::Broken(error) => return Err(DataError::BrokenEntry(id, error)),
        Cached::Miss => load(&patient, id).await?,
    };
    Ok(Json(DataResponse { record, source }).into_response())
}

async fn load(patient: &Patient, id: u32) -> Result<(CachedRecord, &'static str), DataError> {
    let (value, source) = match &patient.dependency {
        Some(dependency) => (
            dependency.get(id).await.map_err(|error| {
                DataError::Dependency(dependency.address().to_owned(), error.to_string())
            })?,
            "dependency",
        ),
        None => (crate::dependency::value_of(id), "self"),
    };
    let record = CachedRecord { id, value };
    patient.cache.put(&record);
    Ok((record, source))
}

/// Responds with 500.
pub(crate) async fn simulate_error() -> DataError {
    DataError::Simulated
}

/// Error of `/data`.
#[derive(Debug)]
pub(crate) enum DataError {
    Random,
    Simulated,
    Unknown(u32),
    BrokenEntry(u32, String),
    Dependency(String, String),
}

impl IntoResponse for DataError {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::Random => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "random failure, at the configured failure rate".to_owned(),
            ),
            Self::Simulated => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "simulated error".to_owned(),
            ),
            Self::Unknown(id) => (
                StatusCode::NOT_FOUND,
                format!("unknown record {id}; ids are 0 to {}", Cache::RECORDS - 1),
            ),
            Self::BrokenEntry(id, error) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("the cache's entry for record {id} is broken: {error}"),
            ),
            Self::Dependency(address, error) => (
                StatusCode::SERVICE_UNAVAILABLE,
                format!("the dependency at {address} does not respond: {error}"),
            ),
        };
        (status, Json(json!({ "error": error }))).into_response()
    }
}
